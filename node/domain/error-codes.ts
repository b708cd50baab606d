import { CHAIN_ERRORS } from './chain-errors.ts'
import { DECLINE_ERRORS } from './decline-errors.ts'
import type { ErrorText } from './error-text.ts'
import { JOB_ERRORS } from './job-errors.ts'
import { LINE_ERRORS } from './line-errors.ts'
import { MARKET_ERRORS } from './market-errors.ts'
import { NODE_ERRORS } from './node-errors.ts'

/** Every code the project can answer with. `docs/errors.md` lists the same; a test compares them. */
export const ERROR_CODES = {
  ...MARKET_ERRORS,
  ...DECLINE_ERRORS,
  ...JOB_ERRORS,
  ...LINE_ERRORS,
  ...CHAIN_ERRORS,
  ...NODE_ERRORS,
} as const satisfies Record<string, ErrorText>

/** A code of the table above. */
export type ErrorCode = keyof typeof ERROR_CODES
