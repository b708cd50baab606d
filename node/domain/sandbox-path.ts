/** Whether `path` is an absolute one that every engine and every host can carry: no odd parts, no control characters. */
export function isPlainPath(path: string): boolean {
  const parts = path.split('/').slice(1)
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..')
  return path.startsWith('/') && plain && !/[\p{Cc}\\]/u.test(path)
}
