import type { Figure } from './figures.ts'

/** What the project promises of a figure: at most so much, or at least. */
export type Bar = { readonly most: number } | { readonly least: number }

/** The promises, by how the names of their figures begin. Units are those of the figures. */
const BARS: readonly (readonly [string, Bar])[] = [
  ['start of a ', { most: 2000 }],
  ['memory of the requester, idle', { most: 150 }],
  ['memory of the provider, idle', { most: 150 }],
  ['no-op job, submit to verified result, p50', { most: 150 }],
  ['no-op job, submit to verified result, p99', { most: 500 }],
  ['array of ', { least: 200 }],
  ['no-op through the sandbox alone, p50', { most: 2 }],
  ['no-op jobs through the sandbox', { least: 1000 }],
  ['median of 5 programs: WASM with fuel over native C', { most: 1.5 }],
  ['median of 5 programs: WASM without fuel over V8 alone', { most: 1.1 }],
  ['docker runc: a task over docker run', { most: 1.1 }],
  ['docker runsc: a task over docker run', { most: 1.1 }],
  ['docker runc, a waiting container', { most: 20 }],
  ['docker runsc, a waiting container', { most: 20 }],
  ['native bubblewrap: first byte', { most: 40 }],
  ['cancelled: ', { most: 1000 }],
  ['placement of ', { most: 50 }],
  ['hardware detection', { most: 250 }],
  ['idle gossip of a node among 1,000', { most: 1 }],
  ['capacity benchmark', { most: 3000 }],
]

/** A figure's bar, for those that have one. */
export function barOf({ name }: Pick<Figure, 'name'>): Bar | undefined {
  return BARS.find(([start]) => name.startsWith(start))?.[1]
}

/** Whether a figure holds its bar; `undefined` without one. */
export function holdsBar(figure: Pick<Figure, 'name' | 'value'>): boolean | undefined {
  const bar = barOf(figure)
  if (bar === undefined) return undefined
  return 'most' in bar ? figure.value <= bar.most : figure.value >= bar.least
}

/** The figures whose bar is not held. A figure that is no number, because it could not be measured, holds none. */
export function brokenBars<F extends Pick<Figure, 'name' | 'value'>>(
  figures: readonly F[],
): readonly F[] {
  return figures.filter((each) => holdsBar(each) === false)
}

/** The bar in words: `at most 150: held`. */
export function barText(figure: Figure): string {
  const bar = barOf(figure)
  if (bar === undefined) return ''
  const said = 'most' in bar ? `at most ${bar.most}` : `at least ${bar.least}`
  return `${said}: ${holdsBar(figure) === true ? 'held' : 'NOT HELD'}`
}
