import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KIB = 1024

/** What the figures were taken on. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    arch: arch(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
  }
}

/** Resident memory of a process, and of everything it started, bytes. */
export async function residentBytes(
  pid: number,
): Promise<{ readonly own: number; readonly children: number }> {
  const own =
    Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * KIB
  let children = 0
  for (const child of await childrenOf(pid)) {
    const all = await residentBytes(child).catch(() => ({ own: 0, children: 0 })) // it ended meanwhile
    children += all.own + all.children
  }
  return { own, children }
}

async function childrenOf(pid: number): Promise<number[]> {
  const lists = await Promise.all(
    (await readdir(`/proc/${pid}/task`)).map(async (thread) =>
      readFile(`/proc/${pid}/task/${thread}/children`, 'utf8'),
    ),
  )
  return lists.flatMap((list) => list.trim().split(' ').filter(Boolean).map(Number))
}

/**
 * Bytes that all TCP connections touching these ports have sent so far, both directions, as the kernel
 * counts them (TCP_INFO, read by `ss`): payload with encryption, without TCP and IP headers.
 * `undefined` where there is no `ss`.
 */
export async function bytesSent(ports: readonly number[]): Promise<number | undefined> {
  let text: string
  try {
    text = (await run('ss', ['-tinHO', 'state', 'established'])).stdout
  } catch {
    // Not every machine has iproute2; the figure is left out there.
    return undefined
  }
  const touches = (line: string) => ports.some((port) => new RegExp(`:${port}(\\s|$)`).test(line))
  return text
    .split('\n')
    .filter(touches)
    .reduce((sum, line) => sum + Number(/\bbytes_sent:(\d+)/.exec(line)?.[1] ?? 0), 0)
}
