import { allEnded } from './all-ended.ts'

/**
 * Maps with at most `limit` calls at once; keeps the order. The first failure stops new calls, and
 * is thrown once those under way have ended.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const lanes = Array.from({ length: Math.min(limit, items.length) }, async () => {
    while (next < items.length) {
      const at = next++
      try {
        results[at] = await work(items[at] as T, at)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  })
  await allEnded(lanes)
  return results
}
