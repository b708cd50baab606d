import type { ErrorCode } from '../domain/error-codes.ts'
import { codeOf } from '../domain/errors.ts'

/** What a node compares with the contract: channels it pays through, and those it earns on; its jobs; cases. */
export const DRIFT_KINDS = ['channel', 'earning', 'job', 'case'] as const
export type DriftKind = (typeof DRIFT_KINDS)[number]

/** Differences from the contract since the node started. */
export interface Drift {
  readonly found: number
  /** Of those, the ones that are in order again. */
  readonly mended: number
}

/** An endpoint that says nothing, or nothing that can be right, says nothing about a difference. */
const NO_ANSWER: ReadonlySet<ErrorCode> = new Set([
  'CHAIN_UNREACHABLE',
  'CHAIN_WRONG',
  'CHAIN_NO_CONTRACT',
  'CHAIN_ANSWER_INVALID',
])

/** Whether a failure means that the chain could not be asked. */
export function isNoAnswer(code: ErrorCode): boolean {
  return NO_ANSWER.has(code)
}

/** Counts what differed from the contract, by kind. */
export class DriftCounts {
  readonly #found = new Map<DriftKind, number>()
  readonly #mended = new Map<DriftKind, number>()

  /** Differences found since the node started. */
  get total(): number {
    return DRIFT_KINDS.reduce((sum, kind) => sum + this.of(kind).found, 0)
  }

  of(kind: DriftKind): Drift {
    return { found: this.#found.get(kind) ?? 0, mended: this.#mended.get(kind) ?? 0 }
  }

  /**
   * Compares by `work`, which resolves with true when it found a difference and mended it. What it throws is passed on,
   * and is a difference that stays, unless the chain gave no answer or the signal aborted.
   */
  async during(
    kind: DriftKind,
    work: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const isMended = await work()
      if (isMended) this.mended(kind)
      return isMended
    } catch (error) {
      if (!signal.aborted && !isNoAnswer(codeOf(error)))
        this.#found.set(kind, this.of(kind).found + 1)
      throw error
    }
  }

  /** Counts differences that were found and mended. */
  mended(kind: DriftKind, count = 1): void {
    const { found, mended } = this.of(kind)
    this.#found.set(kind, found + count)
    this.#mended.set(kind, mended + count)
  }
}
