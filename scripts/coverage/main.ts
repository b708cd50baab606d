/**
 * Measures how much of the contracts the contract tests reach, lines and branches, and fails below the least. Runs in a
 * copy: Hardhat instruments what it builds, and the tests deploy what is built.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import hre from 'hardhat'
import { HiveError } from '../../node/domain/errors.ts'
import { hardhat, stagesOf } from '../drill/tests.ts'
import { openWorkshop, type Workshop } from '../drill/workshop.ts'
import { withBranches, type Branch } from './branches.ts'
import { readLcov } from './lcov.ts'
import { syntaxTrees } from './syntax-trees.ts'

/** Least share of lines, and of branches, percent. */
const LEAST_PERCENT = 98
/** Test doubles and the token of development chains are no part of what is deployed. */
const LEFT_OUT = /^contracts\/(mocks|devnet)\//

/** What of one file was reached. */
interface Reach {
  readonly file: string
  readonly lines: number
  readonly linesHit: number
  readonly branches: number
  readonly branchesHit: number
  /** Lines, and sides of branches, that no test reached. */
  readonly missed: readonly string[]
}

/** How long building and testing may take, ms: without optimisation, and beside other steps of a gate. */
const TIMEOUT_MS = 900_000

const print = (line: string) => process.stdout.write(`${line}\n`)
const percent = (part: number, whole: number) => (whole === 0 ? 100 : (100 * part) / whole)

/** Runs all contract tests at once: each run would compile everything anew. Gives what Hardhat counted. */
async function test(workshop: Workshop): Promise<string> {
  const files = stagesOf(workshop).flatMap((stage) => stage.files)
  const { ok, output } = await hardhat(workshop, ['test', ...files, '--coverage'], TIMEOUT_MS)
  if (!ok) throw new HiveError('INPUT_INVALID', { problems: [output.slice(-3000)] })
  return readFile(join(workshop.root, 'coverage/lcov.info'), 'utf8')
}

/** Rewrites the copy's sources so that each branch has a line. Gives the branches, and each source's own last line. */
async function instrument(workshop: Workshop) {
  const files = new Map<string, { readonly branches: readonly Branch[]; readonly last: number }>()
  await hre.tasks.getTask('build').run({ quiet: true }) // the copy has the same sources, and no need of a build
  for (const [file, ast] of await syntaxTrees(hre.config.paths.root)) {
    const path = join(workshop.root, file)
    const source = await readFile(path, 'utf8')
    const made = withBranches(source, ast, `branch_${files.size}_`)
    await writeFile(path, made.source)
    files.set(file, { branches: made.branches, last: source.trimEnd().split('\n').length })
  }
  return files
}

async function measure(workshop: Workshop): Promise<readonly Reach[]> {
  const files = await instrument(workshop)
  const hits = readLcov(await test(workshop))
  return [...files].flatMap(([file, { branches, last }]) => {
    const counts = hits.get(file)
    if (LEFT_OUT.test(file) || counts === undefined) return []
    const lines = [...counts].filter(([line]) => line <= last)
    const sides = branches.flatMap(({ line, whenTrue, whenFalse }) => [
      { what: `${line} never true`, hit: (counts.get(whenTrue) ?? 0) > 0 },
      { what: `${line} never false`, hit: (counts.get(whenFalse) ?? 0) > 0 },
    ])
    const linesMissed = lines.filter(([, count]) => count === 0).map(([line]) => line)
    const sidesMissed = sides.filter(({ hit }) => !hit).map(({ what }) => what)
    return {
      file,
      lines: lines.length,
      linesHit: lines.length - linesMissed.length,
      branches: sides.length,
      branchesHit: sides.length - sidesMissed.length,
      missed: [...ranges(linesMissed), ...sidesMissed],
    }
  })
}

/** Lines as text, neighbours as one range. */
function ranges(lines: readonly number[]): string[] {
  const found: [number, number][] = []
  for (const line of lines.toSorted((a, b) => a - b)) {
    const last = found.at(-1)
    if (last?.[1] === line - 1) last[1] = line
    else found.push([line, line])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
}

/** Prints a table, and says whether enough was reached. */
function report(reaches: readonly Reach[]): boolean {
  const sum = (key: 'lines' | 'linesHit' | 'branches' | 'branchesHit') =>
    reaches.reduce((total, reach) => total + reach[key], 0)
  const lines = percent(sum('linesHit'), sum('lines'))
  const branches = percent(sum('branchesHit'), sum('branches'))
  const row = (name: string, a: number, b: number) =>
    print(`${name.padEnd(48)} ${a.toFixed(1).padStart(6)} ${b.toFixed(1).padStart(9)}`)
  print(`${'contracts, percent reached by tests'.padEnd(48)}  lines  branches`)
  for (const reach of reaches.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    row(
      reach.file,
      percent(reach.linesHit, reach.lines),
      percent(reach.branchesHit, reach.branches),
    )
    if (reach.missed.length > 0) print(`    missed: ${reach.missed.join(', ')}`)
  }
  row('all', lines, branches)
  print(
    `${sum('linesHit')} of ${sum('lines')} lines, ${sum('branchesHit')} of ${sum('branches')} sides of branches; the least is ${LEAST_PERCENT} %`,
  )
  return lines >= LEAST_PERCENT && branches >= LEAST_PERCENT
}

try {
  await using workshop = await openWorkshop()
  process.exitCode = report(await measure(workshop)) ? 0 : 1
} catch (error) {
  const problems = error instanceof HiveError ? error.data['problems'] : undefined
  print(Array.isArray(problems) ? problems.join('\n') : String(error))
  process.exitCode = 1
}
