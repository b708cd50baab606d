import type { ErrorData } from '../../domain/errors.ts'

/** An error's data as JSON can carry it: amounts become decimal strings. */
export function plainData(data: ErrorData): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  )
}
