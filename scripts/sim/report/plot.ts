import { type Chart, svgOf } from './chart.ts'
import type { RunFigures } from './figures.ts'

/** What the runs came to, drawn: how messages grow with the network, how long a match takes, and how prices move. */
export function plotOf(runs: readonly RunFigures[]): string {
  const charts: Chart[] = [matches(runs), prices(runs)]
  const sizes = new Set(runs.map(({ nodes }) => nodes))
  return svgOf(sizes.size > 1 ? [messages(runs), ...charts] : charts)
}

function messages(runs: readonly RunFigures[]): Chart {
  const of = (name: string, pick: (run: RunFigures) => number) => ({
    name,
    points: runs.map((run) => [run.nodes, pick(run)] as const).sort(([a], [b]) => a - b),
  })
  return {
    title: 'Messages per job, by the size of the network',
    x: 'nodes',
    y: 'messages per job',
    logX: true,
    series: [
      of('gossip', ({ gossipPerJob }) => gossipPerJob),
      of('direct', ({ directPerJob }) => directPerJob),
      of('of them for bids', ({ bidMessagesPerJob }) => bidMessagesPerJob),
    ],
  }
}

function matches(runs: readonly RunFigures[]): Chart {
  return {
    title: 'Time from a job to its first agreement',
    x: 'seconds, virtual',
    y: 'share of the jobs',
    logX: false,
    series: runs.map((run) => ({
      name: nameOf(run),
      points: run.matches
        .toSorted((a, b) => a - b)
        .map((seconds, at) => [seconds, (at + 1) / run.matches.length] as const),
    })),
  }
}

function prices(runs: readonly RunFigures[]): Chart {
  return {
    title: 'Price over list price, in twelve windows of time',
    x: 'window',
    y: 'mean of the agreements',
    logX: false,
    series: runs.map((run) => ({
      name: nameOf(run),
      points: run.prices.map((price, at) => [at + 1, price] as const),
    })),
  }
}

function nameOf({ scenario, nodes }: RunFigures): string {
  return `${scenario} ${nodes}`
}
