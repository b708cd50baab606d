/** How one handler call went, summed over all invariants. */
export interface CallCount {
  readonly call: string
  readonly succeeded: number
  readonly reverted: number
}

/** What a run of forge tested. */
export interface ForgeReport {
  readonly passed: number
  readonly failed: readonly string[]
  /** Test name and what it went through, one line each. */
  readonly lines: readonly string[]
  readonly calls: readonly CallCount[]
}

interface Metric {
  readonly calls: number
  readonly reverts: number
  readonly discards: number
}

interface TestResult {
  readonly status: string
  readonly reason: string | null
  readonly kind: {
    readonly Fuzz?: { readonly runs: number }
    readonly Invariant?: {
      readonly runs: number
      readonly calls: number
      readonly reverts: number
      readonly metrics: Readonly<Record<string, Metric>>
    }
  }
}

type ForgeOutput = Readonly<
  Record<string, { readonly test_results: Readonly<Record<string, TestResult>> }>
>

/** Reads what `forge test --json` prints. Throws a SyntaxError when forge did not get as far as testing. */
export function readReport(json: string): ForgeReport {
  const tests = Object.entries(JSON.parse(json) as ForgeOutput).flatMap(
    ([suite, { test_results: results }]) =>
      Object.entries(results).map(([name, result]) => ({
        name: `${suite.split(':').at(-1)}.${name.split('(')[0]}`,
        result,
      })),
  )
  const failed = tests.filter(({ result }) => result.status !== 'Success')
  return {
    passed: tests.length - failed.length,
    failed: failed.map(({ name, result }) => `${name}: ${result.reason ?? result.status}`),
    lines: tests.map(({ name, result }) => `${name}  ${extent(result)}`),
    calls: sumOfCalls(tests.map(({ result }) => result)),
  }
}

function extent({ kind }: TestResult): string {
  if (kind.Fuzz !== undefined) return `${kind.Fuzz.runs} inputs`
  if (kind.Invariant === undefined) return 'once'
  const { runs, calls, reverts } = kind.Invariant
  return `${runs} sequences, ${calls} calls, ${reverts} reverted`
}

function sumOfCalls(results: readonly TestResult[]): CallCount[] {
  const sums = new Map<string, { succeeded: number; reverted: number }>()
  for (const { kind } of results) {
    for (const [id, metric] of Object.entries(kind.Invariant?.metrics ?? {})) {
      const call = id.split(':').at(-1) ?? id
      const sum = sums.get(call) ?? { succeeded: 0, reverted: 0 }
      sum.succeeded += metric.calls - metric.reverts - metric.discards
      sum.reverted += metric.reverts
      sums.set(call, sum)
    }
  }
  return [...sums]
    .map(([call, sum]) => ({ call, ...sum }))
    .toSorted((a, b) => (a.call < b.call ? -1 : 1))
}
