import type { RunFigures } from './figures.ts'

type Row = readonly [name: string, cell: (figures: RunFigures) => string]

const ROWS: readonly Row[] = [
  ['jobs (tasks)', ({ jobs, tasks }) => `${jobs} (${tasks})`],
  ['settled / failed / not ended', (f) => `${f.settled} / ${f.failed} / ${f.unended}`],
  ['offers per job', (f) => fixed(f.offers / f.jobs, 2)],
  ['bids per job', (f) => fixed(f.bidsPerJob, 1)],
  ['first bid, s, p50 / p99', (f) => pair(f.firstBidP50, f.firstBidP99)],
  ['match, s, p50 / p99', (f) => pair(f.matchP50, f.matchP99)],
  ['direct messages per job', (f) => fixed(f.directPerJob, 1)],
  ['  of them for bids', (f) => fixed(f.bidMessagesPerJob, 1)],
  ['direct KB per job', (f) => fixed(f.directBytesPerJob / 1000, 1)],
  ['gossip messages per job', (f) => fixed(f.gossipPerJob, 1)],
  ['  per job and node', (f) => fixed(f.gossipPerJobAndNode, 2)],
  ['gossip KB per job', (f) => fixed(f.gossipBytesPerJob / 1000, 1)],
  ['providers paid', (f) => String(f.paidProviders)],
  ['fairness, Jain, of paid / all', (f) => pair(f.jainOfPaid, f.jainOfAll, 3)],
  ['price / list, mean', (f) => fixed(f.priceMean, 3)],
  ['price variation, all / windows', (f) => pair(f.priceVariation, f.priceDrift, 3)],
  ['liars earned, tokens', (f) => fixed(f.liarsEarned, 6)],
  ['money conserved', (f) => (f.moneyConserved ? 'yes' : 'NO')],
  ['vouchers not claimed, tokens', (f) => fixed(f.unclaimed, 6)],
  ['transactions', (f) => String(f.transactions)],
  ['blocks replaced', (f) => String(f.blocksReplaced)],
  ['drift mended', (f) => String(f.drift)],
  ['virtual time, s', (f) => fixed(f.virtualSeconds, 0)],
  ['events', (f) => String(f.events)],
]

/** A column for each run. It holds nothing that depends on the machine. */
export function tableOf(runs: readonly RunFigures[]): string {
  const heads = runs.map(({ scenario, nodes }) => `${scenario} ${nodes}`)
  const lines = [['', ...heads], ...ROWS.map(([name, cell]) => [name, ...runs.map(cell)])]
  const widths = [0, ...heads].map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  )
  const text = lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  const failed = runs.flatMap(({ scenario, nodes, failures }) =>
    Object.entries(failures).map(([what, times]) => `${scenario} ${nodes}: ${what} ${times}`),
  )
  return `${[...text, ...failed].join('\n')}\n`
}

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits)
}

function pair(a: number, b: number, digits = 2): string {
  return `${fixed(a, digits)} / ${fixed(b, digits)}`
}
