import { HiveError, isErrorCode, type ErrorData } from '../domain/errors.ts'

/** An error as the node threw it, from what its API answered; `INTERNAL` for anything else. */
export function errorFrom(body: unknown): HiveError {
  const { code, data } = (body ?? {}) as { readonly code?: unknown; readonly data?: unknown }
  return isErrorCode(code)
    ? new HiveError(code, (data ?? {}) as ErrorData)
    : new HiveError('INTERNAL')
}
