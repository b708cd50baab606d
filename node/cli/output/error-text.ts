import { ERROR_CODES } from '../../domain/error-codes.ts'
import { HiveError } from '../../domain/errors.ts'
import { plain } from './plain-text.ts'
import type { Style } from './style.ts'

/** An error in three parts: what happened, the values, what to do. */
export function errorText(error: HiveError, style: Style): string {
  const { what, remedy } = ERROR_CODES[error.code]
  const values = Object.entries(error.data).flatMap(([key, value]) =>
    Array.isArray(value)
      ? value.map((each) => `  - ${plain(String(each))}`)
      : [`  ${key}: ${plain(String(value))}`],
  )
  const head = `${style.bad('error')} ${style.bold(error.code)}  ${what}`
  return [head, ...values, `${style.dim('what to do:')} ${remedy}`].join('\n')
}

/** The same for machines. */
export function errorJson(error: HiveError): unknown {
  const data = Object.fromEntries(
    Object.entries(error.data).map(([key, value]) => [
      key,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  )
  return { error: { code: error.code, ...ERROR_CODES[error.code], data } }
}

/** Any error as one of ours; what is not ours is a bug, and its message is the value to report. */
export function asHiveError(error: unknown): HiveError {
  if (error instanceof HiveError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new HiveError('INTERNAL', { message }, { cause: error })
}
