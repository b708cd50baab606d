import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'

/** What a test tells a node that runs with puppet.ts. */
export type Order =
  | {
      readonly type: 'stop'
      /** Of the record's key. */
      readonly prefix: string
      /** Part of the record as it is stored. */
      readonly holds: string
      readonly when: 'before' | 'after'
    }
  | { readonly type: 'go' }
  | { readonly type: 'skew'; readonly ms: number }

/** Flag of Node that loads puppet.ts. */
export const PUPPET: readonly string[] = ['--import', new URL('puppet.ts', import.meta.url).href]
const LOOK_EVERY_MS = 5

/** Resolves when the node has the order. */
export async function tell(child: ChildProcess, order: Order): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    child.send(order, (error) => (error === null ? resolve() : reject(error))),
  )
}

/** Resolves when the process stands still. Rejects when it ends, or with the signal's reason. */
export async function stoodStill(child: ChildProcess, signal: AbortSignal): Promise<void> {
  while ((await stateOf(child)) !== 'T') await systemClock.sleep(LOOK_EVERY_MS, signal)
}

async function stateOf({ pid }: ChildProcess): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0]
}
