/**
 * `npm run drill`: plants accounting bugs in a copy of the contracts, one by one, and fails unless the tests catch every
 * one. With --check it only makes sure that every bug can still be planted; with a word, such as a file, it plants
 * those that have it.
 */
import { HiveError } from '../../node/domain/errors.ts'
import { MUTATIONS } from './mutations.ts'
import { mutated, plant, type Mutation } from './mutation.ts'
import { hardhat, stagesOf, type Stage } from './tests.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

/** Bugs at a time. */
const WORKSHOPS = 2
const MS_PER_S = 1000

interface Verdict {
  readonly mutation: Mutation
  /** Undefined: no test noticed. */
  readonly by: string | undefined
  readonly seconds: number
}

const print = (line: string) => process.stdout.write(`${line}\n`)

/** Tests of the first stage that notices. A bug that does not compile is a mistake in the drill. */
async function caughtBy(workshop: Workshop, stages: readonly Stage[]): Promise<string | undefined> {
  const built = await hardhat(workshop, ['build'])
  if (!built.ok) throw new HiveError('INPUT_INVALID', { problems: [built.output.slice(-2000)] })
  for (const { name, kind, files } of stages) {
    const test = ['test', kind, '--no-compile', ...files]
    const { ok, failed, output } = await hardhat(workshop, test)
    if (ok) continue
    const [first] = failed
    if (first === undefined) return `${name}: ${output.trim().split('\n').at(-1) ?? 'no end'}`
    return `${name}: ${first}${failed.length > 1 ? ` and ${failed.length - 1} more` : ''}`
  }
  return undefined
}

async function judge(workshop: Workshop, stages: readonly Stage[], mutation: Mutation) {
  const began = performance.now()
  await using _ = await plant(workshop.root, mutation)
  const by = await caughtBy(workshop, stages)
  const verdict: Verdict = { mutation, by, seconds: (performance.now() - began) / MS_PER_S }
  print(
    `${by === undefined ? '✖ SURVIVED' : '✔'} ${mutation.what} (${verdict.seconds.toFixed(0)} s)\n    ${by ?? 'no test noticed'}`,
  )
  return verdict
}

async function drill(mutations: readonly Mutation[]): Promise<boolean> {
  await using first = await openWorkshop()
  for (const mutation of mutations) await mutated(first.root, mutation)
  const stages = stagesOf(first)
  const clean = await caughtBy(first, stages)
  if (clean !== undefined) {
    print(`The tests fail without any bug: ${clean}`)
    return false
  }
  print(`${mutations.length} bugs; without any, all tests pass.\n`)
  await using others = new AsyncDisposableStack()
  const workshops = [first]
  while (workshops.length < WORKSHOPS) workshops.push(others.use(await openWorkshop(first)))
  const queue = [...mutations]
  const verdicts: Verdict[] = []
  const work = async (workshop: Workshop) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      verdicts.push(await judge(workshop, stages, next))
  }
  const ended = await Promise.allSettled(workshops.map(work))
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  const survived = verdicts.filter(({ by }) => by === undefined)
  print(`\n${verdicts.length - survived.length} of ${verdicts.length} bugs were caught.`)
  for (const { mutation } of survived) print(`SURVIVED: ${mutation.what} (${mutation.file})`)
  return survived.length === 0 && verdicts.length === mutations.length
}

async function check(): Promise<boolean> {
  for (const mutation of MUTATIONS) await mutated(process.cwd(), mutation)
  return true
}

const words = process.argv.slice(2)
try {
  const chosen = MUTATIONS.filter(({ file, what }) =>
    words.every((word) => `${file}: ${what}`.includes(word)),
  )
  process.exitCode = (await (words.includes('--check') ? check() : drill(chosen))) ? 0 : 1
} catch (error) {
  const problems = error instanceof HiveError ? error.data['problems'] : undefined
  print(Array.isArray(problems) ? problems.join('\n') : String(error))
  process.exitCode = 1
}
