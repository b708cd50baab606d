import { readdir, readFile } from 'node:fs/promises'

/** A process that descends from this one. */
export interface Descendant {
  readonly pid: number
  readonly command: string
}

interface Seen extends Descendant {
  readonly parent: number
}

/** Every living descendant of a process, else of this one, whose command line contains `text`. */
export async function descendants(
  text: string,
  of: number = process.pid,
): Promise<readonly Descendant[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const all = (await Promise.all(pids.map(look))).filter((seen) => seen !== undefined)
  const found: Descendant[] = []
  for (let family = new Set([of]); family.size > 0;) {
    const children = all.filter(({ parent }) => family.has(parent))
    found.push(...children)
    family = new Set(children.map(({ pid }) => pid))
  }
  return found.filter(({ command }) => command.includes(text))
}

async function look(pid: string): Promise<Seen | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
    return { pid: Number(pid), parent: Number(parent), command: command.replaceAll('\0', ' ') }
  } catch {
    // It ended while we looked.
    return undefined
  }
}
