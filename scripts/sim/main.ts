/** `npm run sim`: a whole network in virtual time, in one process. docs/simulator.md says what it shows. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { HiveError } from '../../node/domain/errors.ts'
import { minute } from '../../node/domain/units.ts'
import { runMarket } from './market/run-market.ts'
import { figuresOf, type RunFigures } from './report/figures.ts'
import { idleFigures } from './report/idle.ts'
import { idleTableOf } from './report/idle-table.ts'
import { plotOf } from './report/plot.ts'
import { tableOf } from './report/table.ts'
import { SCENARIOS } from './scenarios/all.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '5' },
    scenario: { type: 'string', default: 'calm' },
    out: { type: 'string', default: fileURLToPath(new URL('../../.sim', import.meta.url)) },
  },
})
const wanted = values.scenario.split(',')
const scenarios = SCENARIOS.filter(({ name }) => wanted.includes(name) || wanted.includes('all'))
const isIdle = values.scenario === 'idle'
if (scenarios.length === 0 && !isIdle)
  throw new HiveError('INPUT_INVALID', { scenario: values.scenario })
const sizes = values.nodes.split(',').map((size) => whole(size, 10))
const figures: RunFigures[] = []
for (const scenario of scenarios)
  for (const nodes of sizes) {
    const began = performance.now()
    const plan = {
      nodes,
      seed: whole(values.seed, 0),
      jobs: whole(values.jobs, 1),
      spanMs: whole(values.minutes, 1) * minute,
      length: 1,
      requesters: Math.min(40, Math.ceil(nodes / 4)),
    }
    figures.push(figuresOf(await runMarket(scenario, plan)))
    const wallS = (performance.now() - began) / 1000
    const memory = process.memoryUsage().rss / 2 ** 20
    const took = `took ${wallS.toFixed(1)} s, ${memory.toFixed(0)} MiB`
    process.stderr.write(`${scenario.name}, ${nodes} nodes: ${took}\n`)
  }
if (isIdle)
  for (const nodes of sizes)
    process.stdout.write(idleTableOf(nodes, await idleFigures(nodes, whole(values.seed, 0))))
else {
  process.stdout.write(tableOf(figures))
  await mkdir(values.out, { recursive: true })
  const name = join(values.out, `${values.scenario}-${sizes.join('-')}-seed-${values.seed}`)
  await writeFile(`${name}.svg`, plotOf(figures))
  await writeFile(`${name}.json`, `${JSON.stringify(figures, null, 2)}\n`)
  process.stderr.write(`drawn in ${name}.svg, figures in ${name}.json\n`)
}

function whole(text: string, least: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new HiveError('INPUT_INVALID', { value: text, expected: `a whole number from ${least}` })
}
