import type { ErrorCode } from '../domain/error-codes.ts'

/** Codes that are not the node's own failure; every other one answers 500. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INPUT_INVALID: 400,
  SPEC_INVALID: 400,
  MESSAGE_MALFORMED: 400,
  MESSAGE_NOT_CANONICAL: 400,
  API_UNAUTHORISED: 401,
  API_HOST_REFUSED: 403,
  INSUFFICIENT_DEPOSIT: 402,
  INSUFFICIENT_GAS: 402,
  JOB_UNKNOWN: 404,
  AGREEMENT_UNKNOWN: 404,
  CHANNEL_UNKNOWN: 404,
  IMAGE_UNKNOWN: 404,
  CONTENT_NOT_FOUND: 404,
  API_ROUTE_UNKNOWN: 404,
  BENCHMARK_BUSY: 409,
  CHALLENGE_BUSY: 409,
  CHANNEL_BUSY: 409,
  JOB_TRANSITION: 409,
  MESSAGE_TOO_LARGE: 413,
  CONTENT_TOO_LARGE: 413,
  CHAIN_REVERTED: 422,
  CANCELLED: 503,
  CHAIN_UNREACHABLE: 502,
  CHAIN_ANSWER_INVALID: 502,
  PEER_QUOTA: 502,
  PEER_UNREACHABLE: 502,
  PEER_PROTOCOL: 502,
}

/** The HTTP status that goes with a code. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500
}
