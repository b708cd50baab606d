import { id as hashOf, TypedDataEncoder, type Wallet, ZeroAddress, ZeroHash } from 'ethers'

import type { Bytes32 } from '../../../node/domain/ids.ts'
import type { PaidShare } from '../../../node/domain/voucher.ts'
import { jobsProof, jobsRoot } from '../../../node/protocol/jobs-root.ts'
import { DAY_SECONDS, escrowWorld, typesOf } from './escrow-world.ts'

export const PRICE = 400n
export const STAKE = 300n
export const CASE_BOND = 20n

/** Given, because no node can estimate a call whose verifier burns all its gas. */
const ENOUGH_GAS = { gasLimit: 2_000_000n }

/** Numbers of the contract. */
export const KIND = {
  nonPayment: 0n,
  wrongResult: 1n,
  noShow: 2n,
  delivered: 3n,
} as const
export const STATE = {
  none: 0n,
  opened: 1n,
  paidShown: 2n,
  contested: 3n,
  providerRight: 4n,
  providerWrong: 5n,
  undecided: 6n,
  paid: 7n,
} as const
export const BEHAVIOUR = {
  answer: 0,
  revert: 1,
  burnGas: 2,
  returnMegabytes: 3,
  returnNothing: 4,
  returnShort: 5,
  reenter: 6,
  flip: 7,
} as const
export const VERDICT = { pending: 0, providerRight: 1, providerWrong: 2, undecided: 3 } as const

export interface Agreement {
  readonly channel: string
  readonly seq: bigint
  readonly price: bigint
  readonly owedAfter: bigint
  readonly finishBy: bigint
  readonly disputeUntil: bigint
  readonly [field: string]: unknown
}

export type Receipt = Readonly<Record<string, unknown>>

/** An escrow, and one job after another of its pair brought before it. */
export async function caseWorld(tokenName?: string) {
  const world = await escrowWorld(tokenName)
  const { as, read, sign, now, partiesOf, requester, provider } = world

  /** Job number `seq` of a channel, after `seq - 1` others of the same price. */
  async function agreementOf(
    counter: bigint,
    seq: bigint,
    changes: Readonly<Record<string, unknown>> = {},
  ): Promise<Agreement> {
    const start = await now()
    const channel: string = await read('channelIdOf', partiesOf(counter))
    return {
      channel,
      seq,
      offer: hashOf('offer'),
      spec: hashOf('spec'),
      input: hashOf('input'),
      tasks: 1n,
      price: PRICE,
      owedAfter: PRICE * seq,
      stake: STAKE,
      caseBond: CASE_BOND,
      verifier: ZeroAddress,
      verifierParams: hashOf('params'),
      nonceCommitR: hashOf('r'),
      nonceCommitP: hashOf('p'),
      startBy: start + 3600n,
      finishBy: start + DAY_SECONDS,
      disputeUntil: start + 4n * DAY_SECONDS,
      onUndecided: 0n,
      ...changes,
    }
  }

  const caseId = (agreement: Agreement) =>
    TypedDataEncoder.hashStruct('Agreement', typesOf('Agreement'), agreement) as Bytes32
  const receiptId = (receipt: Receipt) =>
    TypedDataEncoder.hashStruct('Receipt', typesOf('Receipt'), receipt)

  function receiptOf(
    agreement: Agreement,
    changes: Readonly<Record<string, unknown>> = {},
  ): Receipt {
    return {
      agreement: caseId(agreement),
      completed: 1n,
      amount: agreement.price,
      resultCommit: hashOf('result'),
      trace: ZeroHash,
      dataRoot: hashOf('data'),
      finishedAt: agreement.finishBy,
      ...changes,
    }
  }

  const signReceipt = (receipt: Receipt) => sign(world.providerSigner, 'Receipt', receipt)

  async function signedAgreement(agreement: Agreement) {
    const ofRequester = await sign(world.requesterSigner, 'Agreement', agreement)
    const ofProvider = await sign(world.providerSigner, 'Agreement', agreement)
    return [agreement, ofRequester, ofProvider] as const
  }

  /** Arguments of `openCase`. */
  async function caseArguments(
    kind: bigint,
    counter: bigint,
    agreement: Agreement,
    receipt: Receipt = receiptOf(agreement),
  ) {
    const signed = await signedAgreement(agreement)
    return [kind, partiesOf(counter), ...signed, receipt, await signReceipt(receipt)] as const
  }

  /** Opens a case by the owner account of the side that brings cases of this kind. */
  async function bring(kind: bigint, counter: bigint, agreement: Agreement, receipt?: Receipt) {
    const who = kind === KIND.nonPayment ? provider : requester
    return as(who, 'openCase', [...(await caseArguments(kind, counter, agreement, receipt))])
  }

  async function contest(who: Wallet, counter: bigint, agreement: Agreement) {
    const receipt = receiptOf(agreement)
    const signature = await signReceipt(receipt)
    return as(who, 'contest', [partiesOf(counter), agreement, receipt, signature, ENOUGH_GAS])
  }

  const concede = (who: Wallet, counter: bigint, agreement: Agreement) =>
    as(who, 'concede', [partiesOf(counter), agreement])

  async function showReceipt(
    counter: bigint,
    agreement: Agreement,
    receipt: Receipt = receiptOf(agreement),
    root: string = ZeroHash,
  ) {
    const signature = await signReceipt(receipt)
    const args = [partiesOf(counter), agreement, receipt, signature, root, []]
    return as(provider, 'showReceipt', args)
  }

  /** Arguments of `equivocate`. */
  async function equivocation(counter: bigint, agreement: Agreement, receipts: readonly Receipt[]) {
    const signatures = await Promise.all(receipts.map(signReceipt))
    const signed = await signedAgreement(agreement)
    return [partiesOf(counter), ...signed, receipts, signatures] as const
  }

  /** A voucher that pays these shares, and its signature. */
  async function voucherOver(counter: bigint, shares: readonly PaidShare[], cumulative?: bigint) {
    const voucher = {
      channel: (await read('channelIdOf', partiesOf(counter))) as string,
      cumulative: cumulative ?? shares.reduce((sum, { amount }) => sum + amount, 0n),
      jobs: BigInt(shares.length),
      jobsRoot: jobsRoot(shares),
    }
    return [voucher, await sign(world.requesterSigner, 'Voucher', voucher)] as const
  }

  const shareOf = (agreement: Agreement, amount = agreement.price): PaidShare => ({
    seq: Number(agreement.seq),
    agreement: caseId(agreement),
    amount,
  })

  /** A place in the list of a voucher, and the proof of it. */
  function placeOf(shares: readonly PaidShare[], index: number) {
    return [{ ...shares[index], index: BigInt(index) }, jobsProof(shares, index)] as const
  }

  /** Arguments of `provePaid` for the share at `index`. */
  async function paidArguments(
    counter: bigint,
    agreement: Agreement,
    shares: readonly PaidShare[],
    index: number,
    cumulative?: bigint,
  ) {
    const [voucher, signature] = await voucherOver(counter, shares, cumulative)
    const [job, proof] = placeOf(shares, index)
    return [partiesOf(counter), agreement, voucher, signature, job, proof] as const
  }

  const timeout = (counter: bigint, agreement: Agreement) =>
    as(world.stranger, 'timeoutCase', [partiesOf(counter), agreement])
  const resolve = (counter: bigint, agreement: Agreement, overrides = ENOUGH_GAS) =>
    as(world.stranger, 'resolve', [partiesOf(counter), agreement, overrides])

  const caseOf = (agreement: Agreement) => read('caseOf', caseId(agreement))
  const stateOf = async (agreement: Agreement): Promise<bigint> => (await caseOf(agreement)).state

  /** Lets the answer's time pass, to the first second at which the case can be ended. */
  async function letExpire(agreement: Agreement) {
    const { deadline } = await caseOf(agreement)
    if ((await now()) < deadline) await world.networkHelpers.time.increaseTo(deadline)
  }

  /** Free balances of requester, provider and treasury. */
  async function balances(): Promise<readonly [bigint, bigint, bigint]> {
    const treasury = await world.free(world.treasury)
    return [await world.free(requester), await world.free(provider), treasury]
  }

  /** By how much the free balances of requester, provider and treasury changed while `what` ran. */
  async function moved(what: () => Promise<unknown>): Promise<readonly bigint[]> {
    const before = await balances()
    await what()
    const after = await balances()
    return after.map((balance, index) => balance - (before[index] ?? 0n))
  }

  async function faultsOf(who: { address: string }): Promise<bigint> {
    return (await read('account', who.address)).faults
  }

  /** A verifier that does as it is told. */
  async function scriptedVerifier() {
    const contract = await world.ethers.deployContract('ScriptedVerifier')
    const address = await contract.getAddress()
    const tell = (behaviour: number, verdict = 0, fee = 0n, duration = 3600n) =>
      as(world.owner, 'set', [behaviour, verdict, fee, duration], contract)
    return { contract, address, tell }
  }

  return {
    ...world,
    agreementOf,
    caseId,
    receiptId,
    receiptOf,
    signReceipt,
    signedAgreement,
    caseArguments,
    bring,
    contest,
    concede,
    showReceipt,
    equivocation,
    voucherOver,
    shareOf,
    placeOf,
    paidArguments,
    timeout,
    resolve,
    caseOf,
    stateOf,
    letExpire,
    moved,
    faultsOf,
    scriptedVerifier,
  }
}
