/**
 * The keys that start with `prefix`, in byte order: from the prefix itself up to the first key that
 * no longer starts with it. Without an upper end when there is none (empty, or all bytes 0xff).
 */
export function keyRange(prefix: Uint8Array): { readonly gte: Uint8Array; lt?: Uint8Array } {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last -= 1
  if (last < 0) return { gte: prefix }
  const end = prefix.slice(0, last + 1)
  end[last] = (end[last] ?? 0) + 1
  return { gte: prefix, lt: end }
}
