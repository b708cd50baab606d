import { isDestination } from './egress.ts'
import type { ErrorCode } from './error-codes.ts'
import { isGpuVendor, MAX_GPUS } from './gpu-need.ts'
import type { Address, Bytes32 } from './ids.ts'
import { isPayInterval } from './metering.ts'
import type { Amount } from './money.ts'
import { arePayTerms } from './paid-use.ts'
import type { Resources } from './resources.ts'
import { hour, minute, second } from './units.ts'

/** What a requester asks the network for: 1..n alike tasks of one job. Its struct hash is the offer id. */
export interface Offer {
  readonly requester: Address
  readonly nonce: bigint
  readonly network: string
  /** Resource class; names the gossip topic. */
  readonly class: string
  /** SHA-256 of the job's spec block. */
  readonly spec: Bytes32
  /** SHA-256 that the CID of the program carries. */
  readonly image: Bytes32
  readonly tasks: number
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly diskBytes: number
  /** GPUs that each task needs; 0: none, and then the next two say nothing. */
  readonly gpus: number
  /** One of GPU_VENDORS, or empty: any. */
  readonly gpuVendor: string
  /** Memory that each GPU needs at least; 0: any. */
  readonly gpuMemoryBytes: number
  /** `host:port` that tasks want to reach; empty: no network. */
  readonly egress: readonly string[]
  /** Wall time that one task may run, ms. */
  readonly taskTimeoutMs: number
  /** 0: a task is paid when it has ended; otherwise prices are by the second, and paid after each such time, ms. */
  readonly payEveryMs: number
  /** One of PAY_UNITS: what the price of a task that is not paid by the second is of. */
  readonly payPer: string
  /** Instructions, weighted, that one task may execute; 0: not counted. */
  readonly fuel: number
  /** Most the requester pays for one task, or for one second of it. */
  readonly maxPrice: Amount
  /** Unix ms. */
  readonly issuedAt: number
  /** Unix ms; from here on bids are ignored. */
  readonly bidsUntil: number
}

/** Clock difference that honest nodes may show, ms. Source: docs/protocol/offers.md R4. */
export const MAX_CLOCK_SKEW_MS: number = 30 * second
/** Longest time an offer may collect bids, ms. Source: docs/protocol/offers.md R3. */
export const MAX_BID_WINDOW_MS: number = 5 * minute
/** Longest wall time of one task, ms. Source: docs/protocol/offers.md R6. */
export const MAX_TASK_TIMEOUT_MS: number = 24 * hour
/** Most tasks in one offer. Source: docs/protocol/offers.md R5. */
export const MAX_TASKS = 10_000
/** Most tasks of one share. Source: docs/protocol/agreements.md R3: leaves each 16 KiB of the results manifest. */
export const MAX_SHARE_TASKS = 512

/** What the mesh is told about an offer: `ignore` is silent, `reject` costs its sender score. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Why an offer was not taken. */
export interface OfferFault {
  readonly code: Extract<
    ErrorCode,
    'OFFER_EXPIRED' | 'OFFER_FROM_FUTURE' | 'OFFER_INVALID' | 'OFFER_OTHER_NETWORK'
  >
  readonly verdict: Exclude<Verdict, 'accept'>
  readonly rule: string
}

/** Checks the rules that need only the offer, the clock (Unix ms) and the node's network name. */
export function offerFault(offer: Offer, now: number, network: string): OfferFault | undefined {
  // [REJECT] offers R2: the offer names this network
  if (offer.network !== network) return fault('OFFER_OTHER_NETWORK', 'reject', 'R2')
  const window = offer.bidsUntil - offer.issuedAt
  // [REJECT] offers R3: the bid window is positive and at most MAX_BID_WINDOW_MS
  if (window <= 0 || window > MAX_BID_WINDOW_MS) return fault('OFFER_INVALID', 'reject', 'R3')
  // [IGNORE] offers R4: the offer is not dated ahead, and its window is still open
  if (offer.issuedAt > now + MAX_CLOCK_SKEW_MS) return fault('OFFER_FROM_FUTURE', 'ignore', 'R4')
  if (now >= offer.bidsUntil) return fault('OFFER_EXPIRED', 'ignore', 'R4')
  // [REJECT] offers R5: it has 1 to MAX_TASKS tasks
  if (offer.tasks < 1 || offer.tasks > MAX_TASKS) return fault('OFFER_INVALID', 'reject', 'R5')
  // [REJECT] offers R6: each task asks for some CPU, some memory and a bounded time
  const asksEnough = offer.cpuMillis > 0 && offer.memoryBytes > 0
  const timeBounded = offer.taskTimeoutMs > 0 && offer.taskTimeoutMs <= MAX_TASK_TIMEOUT_MS
  if (!asksEnough || !timeBounded) return fault('OFFER_INVALID', 'reject', 'R6')
  // [REJECT] offers R7: the price is above zero
  if (offer.maxPrice <= 0n) return fault('OFFER_INVALID', 'reject', 'R7')
  // [REJECT] offers R9: what it wants to reach is written in the one spelling
  if (!offer.egress.every(isDestination)) return fault('OFFER_INVALID', 'reject', 'R9')
  // [REJECT] offers R10: it asks for at most MAX_GPUS, of a maker that is known or of any
  const isKnownVendor = offer.gpuVendor === '' || isGpuVendor(offer.gpuVendor)
  if (offer.gpus > MAX_GPUS || !isKnownVendor) return fault('OFFER_INVALID', 'reject', 'R10')
  // [REJECT] offers R11: it is paid at the end, or after whole seconds between MIN_PAY_EVERY_MS and MAX_PAY_EVERY_MS
  if (!isPayInterval(offer.payEveryMs)) return fault('OFFER_INVALID', 'reject', 'R11')
  // [REJECT] offers R12: it pays for tasks, or by what is measured of them: processor time, or fuel that has a limit
  if (!arePayTerms(offer)) return fault('OFFER_INVALID', 'reject', 'R12')
  return undefined
}

/** What one task of the offer needs. */
export function needOf(
  offer: Pick<Offer, 'cpuMillis' | 'memoryBytes' | 'diskBytes' | 'gpus'>,
): Resources {
  const { cpuMillis, memoryBytes, diskBytes, gpus } = offer
  return { cpuMillis, memoryBytes, diskBytes, ...(gpus > 0 && { gpus }) }
}

function fault(code: OfferFault['code'], verdict: OfferFault['verdict'], rule: string): OfferFault {
  return { code, verdict, rule }
}
