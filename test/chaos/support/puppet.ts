/**
 * Loaded into a node before its own code, so that a test can stop it at an exact point of its life: when a record
 * is about to be written, or has just been written. It then stands still as with SIGSTOP, until it is killed or sent on.
 * Also puts its clock forward or back.
 */
import { createRequire } from 'node:module'
import type { Order } from './orders.ts'

interface Operation {
  readonly type: string
  readonly key: Uint8Array
  readonly value?: Uint8Array
}
interface Level {
  _batch: (operations: readonly Operation[], options: unknown) => Promise<unknown>
}

const { ClassicLevel } = createRequire(import.meta.url)('classic-level') as {
  readonly ClassicLevel: { readonly prototype: Level }
}
const { prototype } = ClassicLevel
const write = prototype._batch
const realNow = Date.now.bind(Date)
let order: Order = { type: 'go' }
let skewMs = 0

Date.now = () => realNow() + skewMs

process.on('message', (message: Order) => {
  if (message.type === 'skew') skewMs = message.ms
  else order = message
})
// A node ends by itself when its parent is gone; listening must not keep it.
process.channel?.unref()

prototype._batch = async function (this: Level, operations, options) {
  const isDue = operations.some(meets)
  if (isDue) standStill('before')
  const result = await write.call(this, operations, options)
  if (isDue) standStill('after')
  return result
}

function meets({ type, key, value }: Operation): boolean {
  if (order.type !== 'stop' || type !== 'put' || value === undefined) return false
  const { prefix, holds } = order
  const text = Buffer.from(value).toString('latin1')
  return Buffer.from(key).toString('latin1').startsWith(prefix) && text.includes(holds)
}

function standStill(when: 'before' | 'after'): void {
  if (order.type !== 'stop' || order.when !== when) return
  order = { type: 'go' }
  process.kill(process.pid, 'SIGSTOP')
}
