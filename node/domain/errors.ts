import { ERROR_CODES, type ErrorCode } from './error-codes.ts'

/** Plain data that explains one failure; never a secret, never a whole object graph. */
export type ErrorData = Readonly<
  Record<string, string | number | boolean | bigint | readonly string[]>
>

/** The only error this project throws: a code to test and translate, data to show, a cause to trace. */
export class HiveError extends Error {
  override readonly name = 'HiveError'
  readonly code: ErrorCode
  readonly data: ErrorData

  constructor(code: ErrorCode, data: ErrorData = {}, options: { readonly cause?: unknown } = {}) {
    super(`${code}: ${ERROR_CODES[code].what}`, options)
    this.code = code
    this.data = data
  }
}

/** The code of `error` when it is ours, `INTERNAL` otherwise. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof HiveError ? error.code : 'INTERNAL'
}

/** Whether `code`, perhaps received from a peer, is one this build knows. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
}
