import type { CID } from 'multiformats/cid'
import { HiveError } from '../../domain/errors.ts'
import { KiB } from '../../domain/units.ts'
import { checkCid } from './content-id.ts'

/** Where one attempt gets its blocks from. */
export interface BlockSource {
  get(
    cid: CID,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** Smallest average block of honest content, bytes; far below any importer's chunk. */
const MIN_BLOCK_BYTES = 4 * KiB
/** Blocks beyond what that allows: inner nodes and small files. */
const SPARE_BLOCKS = 64

/** When an attempt is given up. */
export interface AttemptLimits {
  /** Without any block for this long, ms, its providers count as gone. */
  readonly stallMs: number
  /** Bounds the blocks too: a hostile graph may have endless ones without content. */
  readonly maxBytes: number
}

/**
 * One attempt to read content from one source of blocks. Ends when no block comes for a while: a
 * session whose provider was dropped would otherwise wait for ever. Disposal stops what is running.
 */
export class FetchAttempt implements Disposable {
  /** Ends with the caller, when blocks stall, or on disposal. */
  readonly signal: AbortSignal
  readonly #source: BlockSource
  readonly #seen: Set<string>
  readonly #limits: AttemptLimits
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout
  #blocks = 0
  #newBlocks = 0

  /** `seen` holds the blocks of earlier attempts and gains those of this one. */
  constructor(source: BlockSource, seen: Set<string>, caller: AbortSignal, limits: AttemptLimits) {
    this.#source = source
    this.#seen = seen
    this.#limits = limits
    this.signal = AbortSignal.any([caller, this.#stop.signal])
    this.#timer = this.#watch()
  }

  /** Blocks that no earlier attempt had. */
  get newBlocks(): number {
    return this.#newBlocks
  }

  /** One block. Throws CONTENT_NOT_FOUND for a CID that is not ours or one block too many. */
  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    checkCid(cid)
    const most = SPARE_BLOCKS + Math.ceil(this.#limits.maxBytes / MIN_BLOCK_BYTES)
    if (this.#blocks >= most) throw new HiveError('CONTENT_NOT_FOUND', { maxBlocks: most })
    this.signal.throwIfAborted()
    yield* this.#source.get(cid, { signal: this.signal })
    this.#blocks += 1
    if (!this.#seen.has(cid.toString())) this.#newBlocks += 1
    this.#seen.add(cid.toString())
    clearTimeout(this.#timer)
    if (!this.#stop.signal.aborted) this.#timer = this.#watch()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
  }

  #watch(): NodeJS.Timeout {
    const { stallMs } = this.#limits
    const stalled = new HiveError('CONTENT_NOT_FOUND', { stallMs })
    return setTimeout(() => this.#stop.abort(stalled), stallMs)
  }
}
