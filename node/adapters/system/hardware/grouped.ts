/**
 * Equal things once, with their number, the most frequent first. At most `max` groups: the last one is `rest`
 * with the number of all that found no room, so that the counts add up whatever the machine has.
 */
export function grouped<T extends object>(
  things: readonly T[],
  max: number,
  rest: T,
): (T & { readonly count: number })[] {
  const groups = new Map<string, { readonly thing: T; count: number }>()
  for (const thing of things) {
    const key = JSON.stringify(thing)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { thing, count: 1 })
    else group.count += 1
  }
  const sorted = [...groups.values()]
    .map(({ thing, count }) => ({ ...thing, count }))
    .sort((a, b) => b.count - a.count)
  if (sorted.length <= max) return sorted
  const left = sorted.slice(max - 1).reduce((sum, { count }) => sum + count, 0)
  return [...sorted.slice(0, max - 1), { ...rest, count: left }]
}
