import type { MostForTask } from '../domain/decline.ts'
import { DECLINE_CODES, type DeclineCode } from '../domain/decline-errors.ts'
import type { Bytes32 } from '../domain/ids.ts'
import type { Amount } from '../domain/money.ts'
import type { Sighting } from '../domain/visibility.ts'
import type { PaidShare } from '../domain/voucher.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import type { RoundAnswer, SeededRound } from './challenge.ts'
import {
  MAX_AWARD_BYTES,
  MAX_BID_BYTES,
  MAX_CHALLENGE_BYTES,
  MAX_SMALL_BYTES,
  MAX_VOUCHER_SHARES,
} from './limits.ts'
import { PROTOCOLS, type ProtocolName } from './protocols.ts'
import { bool, bytes32, list, uint32, uint64, uint96 } from './schema.ts'
import { bytesUpTo, oneOf, optional, record } from './shapes.ts'

/** A provider's answer to an offer: a bid with its bond offer, or the reason to decline. */
export interface BidRequest {
  readonly offer: Bytes32
  readonly bid?: Uint8Array
  readonly bondOffer?: Uint8Array
  readonly decline?: DeclineCode
  /** With a decline: the most that one task may ask there. */
  readonly most?: MostForTask
  /** With a decline: what such a task would cost. */
  readonly lowestPrice?: Amount
}

/** The requester's word to start: both envelopes, and the channel's highest voucher seq is implied. */
export interface AwardRequest {
  readonly agreement: Uint8Array
  readonly award: Uint8Array
  /** A metered share that it goes on with; left out: it begins one. */
  readonly renews?: Bytes32
}

/** What to hear of a share, from event number `from` of the provider's life `life` on. */
export interface FollowRequest {
  readonly agreement: Bytes32
  readonly from: number
  /** Left out: the life in which the share was awarded. */
  readonly life?: number
}

/** A voucher with the shares it pays beyond those that the provider knows. */
export interface VoucherRequest {
  readonly voucher: Uint8Array
  readonly shares: readonly PaidShare[]
}

/** Names one share. */
export interface ShareRequest {
  readonly agreement: Bytes32
}

/** How many paid shares of the channel the provider knows now. */
export interface VoucherAnswer {
  readonly jobs: number
}

/** How many chains should be able to run at once. */
export interface ReadyRequest {
  readonly lanes: number
}

/** How many bytes to send. */
export interface SpeedRequest {
  readonly bytes: number
}

const paidShare = record<PaidShare>({ seq: uint64, agreement: bytes32, amount: uint96 })

const mostForTask = record<MostForTask>({
  cpuMillis: uint32,
  memoryBytes: uint64,
  diskBytes: uint64,
  gpus: optional(uint32),
  gpuMemoryBytes: optional(uint64),
})

export const bidRequest = codec<BidRequest>('bid', {
  offer: bytes32,
  bid: optional(bytesUpTo(MAX_BID_BYTES)),
  bondOffer: optional(bytesUpTo(MAX_SMALL_BYTES)),
  decline: optional(oneOf(DECLINE_CODES)),
  most: optional(mostForTask),
  lowestPrice: optional(uint96),
})
export const awardRequest = codec<AwardRequest>('award', {
  agreement: bytesUpTo(MAX_SMALL_BYTES * 2),
  award: bytesUpTo(MAX_AWARD_BYTES),
  renews: optional(bytes32),
})
export const followRequest = codec<FollowRequest>('follow', {
  agreement: bytes32,
  from: uint32,
  life: optional(uint32),
})
export const voucherRequest = codec<VoucherRequest>('voucher', {
  voucher: bytesUpTo(MAX_SMALL_BYTES),
  shares: list(paidShare, MAX_VOUCHER_SHARES),
})
export const voucherAnswer = codec<VoucherAnswer>('voucher', { jobs: uint64 })
export const shareRequest = codec<ShareRequest>('cancel', { agreement: bytes32 })

export const sightAnswer = codec<Sighting>('sight', { listed: bool, reached: optional(bool) })

export const readyRequest = codec<ReadyRequest>('challenge', { lanes: uint32 })
export const proveRequest = codec<SeededRound>('prove', {
  seed: bytes32,
  lanes: uint32,
  segments: uint32,
  links: uint32,
  blocks: uint32,
})
export const proveAnswer = codec<RoundAnswer>(
  'prove',
  { states: bytesUpTo(MAX_CHALLENGE_BYTES), tags: bytesUpTo(MAX_SMALL_BYTES) },
  MAX_CHALLENGE_BYTES,
)
export const speedRequest = codec<SpeedRequest>('speed', { bytes: uint32 })

/** Bytes ⇄ one request or answer of a direct protocol. */
export interface RequestCodec<T> {
  encode(value: T): Uint8Array
  /** Throws as {@link decodeCbor} does. */
  decode(bytes: Uint8Array): T
}

/** A codec within the bounds of its protocol's row. */
export function codec<T extends object>(
  protocol: ProtocolName,
  fields: Parameters<typeof record<T>>[0],
  maxBytes: number = PROTOCOLS[protocol].maxRequestBytes,
): RequestCodec<T> {
  const shape = record<T>(fields)
  return {
    encode: (value) => encodeCbor(shape.toWire(value)),
    decode: (bytes) => shape.fromWire(decodeCbor(bytes, maxBytes), protocol),
  }
}
