import type { TaskResult } from '../../domain/receipt.ts'
import { KiB, MiB } from '../../domain/units.ts'

/** Output kept of the tasks of a share that have no result yet, bytes; the oldest goes first. */
export const MAX_PRINTED_BYTES: number = 16 * MiB
/** Output is kept in pieces of this size, bytes, however small the ones are in which it comes. */
const BLOCK_BYTES: number = 16 * KiB

interface Block {
  readonly room: Buffer
  used: number
}

/** One stream of a task. */
interface Strand {
  readonly blocks: Block[]
  /** Bytes that were let go before the first block. */
  gone: number
}

/** A task that has ended, and what it printed. */
export type EndedTask = Pick<TaskResult, 'index' | 'stdout' | 'stderr'>

/** Part of a stream: where it begins in it, and its bytes. */
export interface PrintedPart {
  readonly at: number
  readonly bytes: Uint8Array
}

/** What the tasks of a share print, for who runs this node. Nothing of it leaves the node. */
export class PrintedOutput {
  readonly #strands = new Map<string, Strand>()
  readonly #ended = new Map<number, EndedTask>()
  /** The blocks of all strands, the oldest first. */
  #order: { readonly strand: Strand; readonly block: Block }[] = []
  #version = 0
  #closed = false
  readonly #waiting = new Set<() => void>()

  /** Changes whenever there is more to tell. */
  get version(): number {
    return this.#version
  }

  /** Nothing more will come. */
  get closed(): boolean {
    return this.#closed
  }

  /** A task that ended in this life of the node. */
  ended(index: number): EndedTask | undefined {
    return this.#ended.get(index)
  }

  /** Takes a copy. */
  add(index: number, stream: number, bytes: Uint8Array): void {
    const key = keyOf(index, stream)
    const strand = this.#strands.get(key) ?? { blocks: [], gone: 0 }
    this.#strands.set(key, strand)
    for (let from = 0; from < bytes.byteLength;) {
      const block = this.#roomIn(strand)
      const part = bytes.subarray(from, from + BLOCK_BYTES - block.used)
      block.room.set(part, block.used)
      block.used += part.byteLength
      from += part.byteLength
    }
    this.#changed()
  }

  /** A task has ended: its result has what it printed. */
  end({ index, stdout, stderr }: TaskResult): void {
    const keys = [1, 2].map((stream) => keyOf(index, stream))
    const strands = new Set(keys.flatMap((key) => this.#strands.get(key) ?? []))
    if (strands.size > 0) this.#order = this.#order.filter(({ strand }) => !strands.has(strand))
    for (const key of keys) this.#strands.delete(key)
    this.#ended.set(index, { index, stdout, stderr })
    this.#changed()
  }

  close(): void {
    this.#closed = true
    this.#changed()
  }

  /** What is kept of a stream of a task without a result, from its byte `from` on. */
  *since(index: number, stream: number, from: number): Iterable<PrintedPart> {
    const strand = this.#strands.get(keyOf(index, stream))
    let at = strand?.gone ?? 0
    for (const { room, used } of strand?.blocks.slice() ?? []) {
      const skip = Math.max(0, from - at)
      if (skip < used) yield { at: at + skip, bytes: room.subarray(skip, used) }
      at += used
    }
  }

  /** Resolves when the version is another one, or the signal aborts. */
  async changedSince(version: number, signal: AbortSignal): Promise<void> {
    if (version !== this.#version || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    await promise
    this.#waiting.delete(wake)
    signal.removeEventListener('abort', wake)
  }

  #roomIn(strand: Strand): Block {
    const last = strand.blocks.at(-1)
    if (last !== undefined && last.used < BLOCK_BYTES) return last
    const block = { room: Buffer.allocUnsafe(BLOCK_BYTES), used: 0 }
    strand.blocks.push(block)
    this.#order.push({ strand, block })
    if (this.#order.length * BLOCK_BYTES > MAX_PRINTED_BYTES) {
      const oldest = this.#order.shift()
      if (oldest !== undefined) oldest.strand.gone += oldest.strand.blocks.shift()?.used ?? 0
    }
    return block
  }

  #changed(): void {
    this.#version++
    for (const wake of this.#waiting) wake()
  }
}

function keyOf(index: number, stream: number): string {
  return `${index}/${stream}`
}
