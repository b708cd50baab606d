import type { EndReason } from '../../../domain/receipt.ts'

/** Thrown through the guest to end it: by its own `proc_exit`, or at a limit. */
export class GuestEnd extends Error {
  override readonly name = 'GuestEnd'
  readonly reason: EndReason
  /** Meaningful for `exit` only. */
  readonly exitCode: number

  constructor(reason: EndReason, exitCode: number, detail: string) {
    super(detail)
    this.reason = reason
    this.exitCode = exitCode
  }
}
