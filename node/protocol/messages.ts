import type { Advert } from '../domain/advert.ts'
import type { Agreement, Award } from '../domain/agreement.ts'
import type { Bid, BondOffer } from '../domain/bid.ts'
import { MAX_DESTINATION_CHARS, MAX_EGRESS } from '../domain/egress.ts'
import { MAX_CLASS_CHARS } from '../domain/job-spec.ts'
import { MAX_TASKS, type Offer } from '../domain/offer.ts'
import type { Heartbeat } from '../domain/heartbeat.ts'
import type { Receipt } from '../domain/receipt.ts'
import type { Voucher } from '../domain/voucher.ts'
import {
  MAX_ADVERT_BYTES,
  MAX_AWARD_BYTES,
  MAX_BID_BYTES,
  MAX_HARDWARE_CHARS,
  MAX_OFFER_BYTES,
  MAX_SMALL_BYTES,
} from './limits.ts'
import {
  address,
  bool,
  bytes32,
  list,
  text,
  uint256,
  uint32,
  uint40,
  uint64,
  uint8,
  uint96,
  type Fields,
  type Shapes,
} from './schema.ts'

/** Longest name of what is paid for, characters. */
const MAX_PAY_UNIT_CHARS = 32

/** Every signed message and its domain type. */
export interface Messages {
  readonly Advert: Advert
  readonly Offer: Offer
  readonly Bid: Bid
  readonly BondOffer: BondOffer
  readonly Agreement: Agreement
  readonly Award: Award
  readonly Heartbeat: Heartbeat
  readonly Receipt: Receipt
  readonly Voucher: Voucher
}

/** Name of a signed message; also its EIP-712 primary type. */
export type MessageName = keyof Messages

/** How one message is written: field order is EIP-712's, names and types are those of the contract. */
interface MessageRow<T> {
  readonly fields: Fields<T> & Shapes<T>
  readonly maxBytes: number
  /** Signatures that a complete envelope carries. */
  readonly signers: 1 | 2
}

/** The signed messages. A new message type is a row here, an interface in domain/ and rules beside it. */
export const MESSAGES: { readonly [N in MessageName]: MessageRow<Messages[N]> } = {
  Advert: {
    fields: {
      node: address,
      seq: uint64,
      network: text(64),
      kinds: list(text(32), 16),
      hardware: text(MAX_HARDWARE_CHARS),
      issuedAt: uint64,
      expiresAt: uint64,
    },
    maxBytes: MAX_ADVERT_BYTES,
    signers: 1,
  },
  Offer: {
    fields: {
      requester: address,
      nonce: uint256,
      network: text(64),
      class: text(MAX_CLASS_CHARS),
      spec: bytes32,
      image: bytes32,
      tasks: uint32,
      cpuMillis: uint32,
      memoryBytes: uint64,
      diskBytes: uint64,
      gpus: uint32,
      gpuVendor: text(32),
      gpuMemoryBytes: uint64,
      egress: list(text(MAX_DESTINATION_CHARS), MAX_EGRESS),
      taskTimeoutMs: uint64,
      payEveryMs: uint64,
      payPer: text(MAX_PAY_UNIT_CHARS),
      fuel: uint64,
      maxPrice: uint96,
      issuedAt: uint64,
      bidsUntil: uint64,
    },
    maxBytes: MAX_OFFER_BYTES,
    signers: 1,
  },
  Bid: {
    fields: {
      offer: bytes32,
      provider: address,
      price: uint96,
      capacity: uint32,
      etaMs: uint64,
      cached: bool,
      validUntil: uint64,
    },
    maxBytes: MAX_BID_BYTES,
    signers: 1,
  },
  BondOffer: {
    fields: {
      provider: address,
      requester: address,
      providerSigner: address,
      bond: uint96,
      hold: uint40,
      expiry: uint40,
      nonce: uint256,
    },
    maxBytes: MAX_SMALL_BYTES,
    signers: 1,
  },
  Agreement: {
    fields: {
      channel: bytes32,
      seq: uint64,
      offer: bytes32,
      spec: bytes32,
      input: bytes32,
      tasks: uint32,
      price: uint96,
      owedAfter: uint96,
      stake: uint96,
      caseBond: uint96,
      verifier: address,
      verifierParams: bytes32,
      nonceCommitR: bytes32,
      nonceCommitP: bytes32,
      startBy: uint40,
      finishBy: uint40,
      disputeUntil: uint40,
      onUndecided: uint8,
    },
    maxBytes: 2 * MAX_SMALL_BYTES,
    signers: 2,
  },
  Award: {
    fields: { agreement: bytes32, tasks: list(uint32, MAX_TASKS), issuedAt: uint64 },
    maxBytes: MAX_AWARD_BYTES,
    signers: 1,
  },
  Heartbeat: {
    fields: {
      agreement: bytes32,
      seq: uint64,
      elapsedMs: uint64,
      digest: bytes32,
      closing: bool,
      at: uint64,
    },
    maxBytes: MAX_SMALL_BYTES,
    signers: 1,
  },
  Receipt: {
    fields: {
      agreement: bytes32,
      completed: uint32,
      amount: uint96,
      resultCommit: bytes32,
      trace: bytes32,
      dataRoot: bytes32,
      finishedAt: uint40,
    },
    maxBytes: MAX_SMALL_BYTES,
    signers: 1,
  },
  Voucher: {
    fields: { channel: bytes32, cumulative: uint96, jobs: uint64, jobsRoot: bytes32 },
    maxBytes: MAX_SMALL_BYTES,
    signers: 1,
  },
}
