import type { Advert } from '../../node/domain/advert.ts'
import type { Agreement, Award } from '../../node/domain/agreement.ts'
import type { Bid, BondOffer } from '../../node/domain/bid.ts'
import type { Heartbeat } from '../../node/domain/heartbeat.ts'
import { type Address, type Bytes32, ZERO_ADDRESS, ZERO_BYTES32 } from '../../node/domain/ids.ts'
import type { JobSpec } from '../../node/domain/job-spec.ts'
import type { Offer } from '../../node/domain/offer.ts'
import type { OutputFile, Receipt, TaskResult } from '../../node/domain/receipt.ts'
import { MiB, minute, second } from '../../node/domain/units.ts'
import type { Voucher } from '../../node/domain/voucher.ts'

/** The moment of these messages, Unix ms. */
export const NOW = 1_800_000_000_000
/** {@link NOW} in Unix seconds. */
export const NOW_S: number = NOW / 1000
export const REQUESTER: Address = `0x${'aa'.repeat(20)}`
export const PROVIDER: Address = `0x${'bb'.repeat(20)}`
export const STRANGER: Address = `0x${'cc'.repeat(20)}`
/** A CID of our form, of content that nobody has. */
export const SOME_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

/** 32 bytes that all read `byte`, two hex digits. */
export function bytes32Of(byte: string): Bytes32 {
  return `0x${byte.repeat(32)}`
}

/** An offer that keeps every rule at {@link NOW}. */
export function anOffer(changes: Partial<Offer> = {}): Offer {
  return {
    requester: REQUESTER,
    nonce: 7n,
    network: 'test',
    class: 'wasm',
    spec: bytes32Of('5e'),
    image: bytes32Of('1a'),
    tasks: 4,
    cpuMillis: 1000,
    memoryBytes: 64 * MiB,
    diskBytes: 16 * MiB,
    gpus: 0,
    gpuVendor: '',
    gpuMemoryBytes: 0,
    egress: [],
    taskTimeoutMs: 30 * second,
    payEveryMs: 0,
    payPer: 'task',
    fuel: 0,
    maxPrice: 100n,
    issuedAt: NOW,
    bidsUntil: NOW + 10 * second,
    ...changes,
  }
}

/** A bid on {@link anOffer} that keeps every rule at {@link NOW}. */
export function aBid(changes: Partial<Bid> = {}): Bid {
  return {
    offer: bytes32Of('0f'),
    provider: PROVIDER,
    price: 100n,
    capacity: 1,
    etaMs: 0,
    cached: false,
    validUntil: NOW + minute,
    ...changes,
  }
}

/** A bond offer that may come with {@link aBid}. */
export function aBondOffer(changes: Partial<BondOffer> = {}): BondOffer {
  return {
    provider: PROVIDER,
    requester: REQUESTER,
    providerSigner: PROVIDER,
    bond: 1000n,
    hold: 0,
    expiry: NOW_S + 60,
    nonce: (1n << 160n) | BigInt(REQUESTER),
    ...changes,
  }
}

/** An agreement on four tasks at 100 each. */
export function anAgreement(changes: Partial<Agreement> = {}): Agreement {
  return {
    channel: bytes32Of('c1'),
    seq: 3,
    offer: bytes32Of('0f'),
    spec: bytes32Of('5e'),
    input: bytes32Of('1f'),
    tasks: 4,
    price: 400n,
    owedAfter: 900n,
    stake: 0n,
    caseBond: 0n,
    verifier: ZERO_ADDRESS,
    verifierParams: ZERO_BYTES32,
    nonceCommitR: ZERO_BYTES32,
    nonceCommitP: ZERO_BYTES32,
    startBy: NOW_S + 60,
    finishBy: NOW_S + 600,
    disputeUntil: NOW_S + 6000,
    onUndecided: 0,
    ...changes,
  }
}

/** The award of {@link anAgreement}. */
export function anAward(changes: Partial<Award> = {}): Award {
  return { agreement: bytes32Of('a9'), tasks: [0, 1, 5, 9], issuedAt: NOW, ...changes }
}

/** A receipt for {@link anAgreement}, all four tasks done. */
export function aReceipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    agreement: bytes32Of('a9'),
    completed: 4,
    amount: 400n,
    resultCommit: bytes32Of('4c'),
    trace: ZERO_BYTES32,
    dataRoot: bytes32Of('d4'),
    finishedAt: NOW_S + 30,
    ...changes,
  }
}

/** A voucher; its numbers mean nothing by themselves. */
export function aVoucher(changes: Partial<Voucher> = {}): Voucher {
  return {
    channel: bytes32Of('c1'),
    cumulative: 500n,
    jobs: 2,
    jobsRoot: bytes32Of('22'),
    ...changes,
  }
}

/** An advert that keeps every rule at {@link NOW}. */
export function anAdvert(changes: Partial<Advert> = {}): Advert {
  return {
    node: PROVIDER,
    seq: 5,
    network: 'test',
    kinds: ['wasm'],
    hardware: '{}',
    issuedAt: NOW,
    expiresAt: NOW + minute,
    ...changes,
  }
}

/** How one task went: well. */
export function aResult(index: number, changes: Partial<TaskResult> = {}): TaskResult {
  const usage = { wallMs: 5, cpuMs: 4, peakMemoryBytes: MiB, bytesIn: 1, bytesOut: 2 }
  return {
    index,
    reason: 'exit',
    exitCode: 0,
    detail: '',
    stdout: aFile('/stdout'),
    stderr: aFile('/stderr'),
    files: [],
    usage,
    ...changes,
  }
}

/** An output of content that nobody has. */
export function aFile(path: string): OutputFile {
  return { path, cid: SOME_CID, size: 3 }
}

/** A job of four alike tasks. */
export function aSpec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: 'wasm',
    image: { path: '/image', cid: SOME_CID, size: 1000 },
    args: [],
    env: {},
    files: [],
    outputs: '/out',
    resources: { cpuMillis: 1000, memoryBytes: 64 * MiB, diskBytes: 16 * MiB },
    timeoutMs: 30 * second,
    stream: false,
    tasks: 4,
    inputs: [],
    ...changes,
  }
}

/** The first heartbeat of {@link anAgreement}, after ten seconds. */
export function aHeartbeat(changes: Partial<Heartbeat> = {}): Heartbeat {
  return {
    agreement: bytes32Of('a9'),
    seq: 1,
    elapsedMs: 10 * second,
    digest: ZERO_BYTES32,
    closing: false,
    at: NOW,
    ...changes,
  }
}
