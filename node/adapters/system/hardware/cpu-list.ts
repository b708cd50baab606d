/** More processors than any machine that Linux runs on. Source: the largest CONFIG_NR_CPUS is 8192. */
const MAX_CPUS = 8192

/** Processor numbers in the kernel's spelling, such as `0-3,8`; `undefined` when it is not one. */
export function parseCpuList(text: string): ReadonlySet<number> | undefined {
  const cpus = new Set<number>()
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
    if (match === null) return undefined
    const first = Number(match[1])
    const last = Number(match[2] ?? first)
    if (last < first || last >= MAX_CPUS) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu)
  }
  return cpus
}
