import type { Agreement } from '../../node/domain/agreement.ts'
import {
  isProvidersCase,
  type Accusation,
  type Case,
  type CaseState,
  type PlacedShare,
  type ShownPayment,
} from '../../node/domain/case.ts'
import { ZERO_BYTES32, type Address, type Bytes32 } from '../../node/domain/ids.ts'
import type { Amount } from '../../node/domain/money.ts'
import type { EscrowChannel } from '../../node/ports/escrow.ts'
import type {
  AnchorProof,
  EscrowCases,
  SignedAgreement,
  SignedReceipt,
  SignedVoucher,
  TransactionReceipt,
} from '../../node/ports/escrow-cases.ts'
import { rootFromProof } from '../../node/protocol/jobs-root.ts'
import { structHash } from '../../node/protocol/typed-data.ts'
import type { FakeChain } from './fake-chain.ts'
import { least, reverted, TREASURY } from './fake-reverts.ts'

/** Seconds for an answer, as in the contract. */
const RESPONSE_WINDOW_S = 24 * 3600
const MAX_OPEN_CASES = 8

const NOT_YET = {
  openedByKey: false,
  contestedByKey: false,
  verifierFee: 0n,
  evidence: ZERO_BYTES32,
} as const

/** The contract's cases in memory, as one account uses them. No verifier ever answers. */
export class FakeCases implements EscrowCases {
  readonly #chain: FakeChain
  readonly #account: Address

  constructor(chain: FakeChain, account: Address) {
    this.#chain = chain
    this.#account = account
  }

  async of(id: Bytes32): Promise<Case | undefined> {
    return this.#chain.cases.get(id)
  }

  async on(channel: Bytes32): Promise<readonly Bytes32[]> {
    const ids = this.#chain.events.flatMap((event) =>
      'case' in event && event.channel === channel ? [event.case] : [],
    )
    return [...new Set(ids)]
  }

  async shownPayment(id: Bytes32): Promise<ShownPayment | undefined> {
    return this.#chain.shown.get(id)
  }

  async anchoredAt(signer: Address, root: Bytes32): Promise<number> {
    return this.#chain.anchors.get(`${signer}/${root}`) ?? 0
  }

  async anchor(root: Bytes32): Promise<TransactionReceipt> {
    const key = `${this.#account}/${root}`
    if (!this.#chain.anchors.has(key)) this.#chain.anchors.set(key, this.#chain.now())
    return this.#chain.mine()
  }

  async open(
    kind: Accusation,
    signed: SignedAgreement,
    receipt: SignedReceipt | undefined,
  ): Promise<TransactionReceipt> {
    const { agreement } = signed
    const { id, channel } = this.#new(signed)
    if (kind === 'no-show') {
      if (this.#chain.now() <= agreement.finishBy) throw reverted('ComputeEscrowTooEarly')
    } else if (receipt !== undefined) this.#checkReceipt(id, channel, receipt)
    this.#checkSide(channel, kind === 'non-payment')
    const most = least(agreement.price, kind === 'no-show' ? undefined : receipt?.receipt.amount)
    const live = channel.status === 'closed' ? 0n : due(channel, agreement.owedAfter)
    const amount = least(live, most)
    if (kind === 'non-payment' && amount === 0n) throw reverted('ComputeEscrowNothingToClaim')
    const before = kind === 'non-payment' ? channel.providerCases : channel.requesterCases
    if (before >= MAX_OPEN_CASES) throw reverted('ComputeEscrowTooManyCases')
    const stake = least(agreement.stake, channel.bond)
    if (amount === 0n && stake === 0n) throw reverted('ComputeEscrowNothingAtStake')
    const bond = agreement.caseBond << BigInt(before)
    this.#chain.move(this.#account, -bond)
    this.#chain.channels.set(channel.id, {
      ...this.#counted(channel, kind, 1),
      bond: channel.bond - stake,
      frozen: channel.frozen + amount,
    })
    if (kind !== 'wrong-result' && most > amount) this.#chain.asked.set(id, most)
    const deadline = this.#chain.now() + RESPONSE_WINDOW_S
    const held = { kind, amount, stake, deadline }
    this.#chain.cases.set(id, { id, state: 'opened', doublings: before, ...held, ...NOT_YET })
    const posted = { opener: this.#account, bond }
    return this.#chain.mine({
      type: 'case-opened',
      channel: channel.id,
      case: id,
      ...held,
      ...posted,
    })
  }

  async equivocate(
    signed: SignedAgreement,
    receipts: readonly [SignedReceipt, SignedReceipt],
  ): Promise<TransactionReceipt> {
    const id = structHash('Agreement', signed.agreement)
    const [first, second] = receipts.map(({ receipt }) => structHash('Receipt', receipt))
    if (first === second) throw reverted('ComputeEscrowSameReceipt')
    const channel = this.#channel(signed.agreement)
    for (const receipt of receipts) this.#checkReceipt(id, channel, receipt)
    let found = this.#chain.cases.get(id)
    if (found === undefined) {
      this.#new(signed)
      const stake = least(signed.agreement.stake, channel.bond)
      const bond = channel.bond - stake
      this.#chain.channels.set(channel.id, {
        ...this.#counted(channel, 'equivocation', 1),
        bond,
      })
      const nothing = { amount: 0n, deadline: 0, doublings: 0 }
      found = { id, kind: 'equivocation', state: 'opened', stake, ...nothing, ...NOT_YET }
    }
    return this.#end(found, signed.agreement, 'provider-wrong', false)
  }

  async concede(agreement: Agreement): Promise<TransactionReceipt> {
    const found = this.#in(agreement, 'opened', 'contested')
    const byProvider = isProvidersCase(found)
    this.#checkSide(this.#channel(agreement), !byProvider)
    const outcome = byProvider ? 'provider-right' : 'provider-wrong'
    return this.#end(found, agreement, outcome, true)
  }

  async contest(agreement: Agreement, receipt: SignedReceipt): Promise<TransactionReceipt> {
    const found = this.#turn(agreement, 'opened')
    if (found.kind === 'no-show') throw reverted('ComputeEscrowWrongKind')
    const channel = this.#channel(agreement)
    this.#checkSide(channel, !isProvidersCase(found))
    this.#checkReceipt(found.id, channel, receipt)
    this.#chain.move(this.#account, -bondOf(found, agreement))
    const evidence = structHash('Receipt', receipt.receipt)
    const deadline = this.#chain.now()
    const change = { state: 'contested', evidence, deadline } as const
    this.#chain.cases.set(found.id, { ...found, ...change })
    return this.#chain.mine()
  }

  async resolve(agreement: Agreement): Promise<TransactionReceipt> {
    const found = this.#in(agreement, 'contested')
    if (this.#chain.now() <= found.deadline) throw reverted('ComputeEscrowTooEarly')
    return this.#end(found, agreement, 'undecided', false)
  }

  async timeout(agreement: Agreement): Promise<TransactionReceipt> {
    const found = this.#in(agreement, 'opened', 'paid-shown')
    if (this.#chain.now() <= found.deadline) throw reverted('ComputeEscrowTooEarly')
    const accuser = isProvidersCase(found) ? 'provider-right' : 'provider-wrong'
    const outcome = found.state === 'paid-shown' ? 'paid' : accuser
    return this.#end(found, agreement, outcome, false)
  }

  /** Anchors prove nothing here: the conformance suite has no use for them. */
  async showReceipt(
    agreement: Agreement,
    receipt: SignedReceipt,
    _anchor: AnchorProof | undefined,
  ): Promise<TransactionReceipt> {
    const found = this.#turn(agreement, 'opened')
    if (found.kind !== 'no-show') throw reverted('ComputeEscrowWrongKind')
    const channel = this.#channel(agreement)
    this.#checkSide(channel, true)
    this.#checkReceipt(found.id, channel, receipt)
    this.#chain.move(this.#account, -bondOf(found, agreement))
    this.#chain.move(channel.requester, bondOf(found, agreement))
    const amount = least(found.amount, receipt.receipt.amount)
    const frozen = channel.frozen - (found.amount - amount)
    this.#chain.channels.set(channel.id, { ...channel, frozen })
    const deadline = this.#chain.now() + RESPONSE_WINDOW_S
    const change = { kind: 'delivered', amount, deadline } as const
    this.#chain.cases.set(found.id, { ...found, ...change })
    return this.#chain.mine()
  }

  async provePaid(
    agreement: Agreement,
    { voucher, signature }: SignedVoucher,
    job: PlacedShare,
    proof: readonly Bytes32[],
  ): Promise<TransactionReceipt> {
    const found = this.#turn(agreement, 'opened')
    if (!isProvidersCase(found)) throw reverted('ComputeEscrowWrongKind')
    const channel = this.#channel(agreement)
    this.#chain.checkSigned('Voucher', voucher, signature, channel.requesterSigner)
    if (this.#chain.paidByCase.has(channel.id)) throw reverted('ComputeEscrowNotPaid')
    const isPaid = voucher.cumulative <= channel.settled && job.amount <= voucher.cumulative
    const isWhole = job.amount >= (this.#chain.asked.get(found.id) ?? found.amount)
    const isLast = BigInt(job.index) === BigInt(voucher.jobs) - 1n
    if (!isPaid || !isWhole || !isLast || job.agreement !== found.id)
      throw reverted('ComputeEscrowNotPaid')
    if (rootFromProof(job, job.index, voucher.jobs, proof) !== voucher.jobsRoot)
      throw reverted('ComputeEscrowBadJobProof')
    const deadline = this.#chain.now() + RESPONSE_WINDOW_S
    this.#chain.shown.set(found.id, { voucher, job })
    this.#chain.cases.set(found.id, { ...found, state: 'paid-shown', deadline })
    return this.#chain.mine()
  }

  async disprovePaid(
    agreement: Agreement,
    shown: ShownPayment,
    { voucher: other, signature }: SignedVoucher,
    otherJob: PlacedShare,
    proof: readonly Bytes32[],
  ): Promise<TransactionReceipt> {
    const found = this.#turn(agreement, 'paid-shown')
    this.#chain.checkSigned('Voucher', other, signature, this.#channel(agreement).requesterSigner)
    if (other.jobs > shown.job.index) {
      if (rootFromProof(otherJob, otherJob.index, other.jobs, proof) !== other.jobsRoot)
        throw reverted('ComputeEscrowBadJobProof')
      const { seq, amount, agreement: paid, index } = otherJob
      const isSame = seq === shown.job.seq && amount === shown.job.amount
      const isNoRoom = shown.voucher.cumulative + amount > other.cumulative
      const contradicts =
        index > shown.job.index
          ? isNoRoom
          : index === shown.job.index && !(isSame && paid === shown.job.agreement)
      if (!contradicts) throw reverted('ComputeEscrowNoContradiction')
    } else if (other.cumulative + shown.job.amount <= shown.voucher.cumulative)
      throw reverted('ComputeEscrowNoContradiction')
    return this.#end(found, agreement, 'provider-right', false)
  }

  #end(
    found: Case,
    agreement: Agreement,
    outcome: CaseState,
    conceded: boolean,
  ): TransactionReceipt {
    const { amount, stake } = found
    const before = this.#channel(agreement)
    const lost = outcome === 'provider-wrong'
    const channel = {
      ...this.#counted(before, found.kind, -1),
      bond: before.bond + (lost ? 0n : stake),
      frozen: before.frozen - amount,
    }
    const percent = outcome === 'undecided' ? BigInt(agreement.onUndecided) : 0n
    const share = outcome === 'provider-right' ? amount : (amount * percent) / 100n
    const total = least(channel.settled + share, agreement.owedAfter)
    const { paid, fee } = this.#chain.pay(channel, total)
    if (paid > 0n) this.#chain.paidByCase.add(channel.id)
    if (channel.status === 'closed') this.#chain.leaveOnlyKept(channel.id)
    const compensation = lost ? least(stake / 2n, agreement.price) : 0n
    const slashed = lost ? stake - compensation : 0n
    this.#chain.move(channel.requester, compensation)
    this.#chain.move(TREASURY, slashed)
    if (lost) this.#chain.fault(channel.provider)
    if (outcome === 'provider-right' && !conceded) this.#chain.fault(channel.requester)
    this.#returnBonds(found, bondOf(found, agreement), channel, outcome)
    const zero = { amount: 0n, stake: 0n, deadline: 0, doublings: 0 }
    this.#chain.cases.set(found.id, { ...found, ...zero, ...NOT_YET, state: outcome })
    const money = { paid, fee, compensation, slashed, verifierFee: 0n }
    const event = { channel: channel.id, case: found.id, outcome, ...money }
    return this.#chain.mine({ type: 'case-ended', ...event })
  }

  #returnBonds(found: Case, bond: Amount, channel: EscrowChannel, outcome: CaseState): void {
    const isContested = found.state === 'contested'
    const providerWins = outcome === 'provider-right'
    const openerWins = providerWins === isProvidersCase(found)
    const [accuser, accused] = isProvidersCase(found)
      ? [channel.provider, channel.requester]
      : [channel.requester, channel.provider]
    const isSplit = outcome === 'undecided' || outcome === 'paid'
    if (isSplit || openerWins) this.#chain.move(accuser, bond)
    if (isContested && (isSplit || !openerWins)) this.#chain.move(accused, bond)
    if (isSplit || (openerWins && !isContested)) return
    this.#chain.move(openerWins ? accuser : accused, bond)
  }

  #new(signed: SignedAgreement): { readonly id: Bytes32; readonly channel: EscrowChannel } {
    const { agreement, requesterSignature, providerSignature } = signed
    const channel = this.#channel(agreement)
    const id = structHash('Agreement', agreement)
    if (this.#chain.cases.has(id)) throw reverted('ComputeEscrowWrongCaseState')
    if (this.#chain.now() > agreement.disputeUntil) throw reverted('ComputeEscrowExpired')
    const isLate = channel.status === 'closed' && this.#chain.now() > channel.bondFreeAt
    if (isLate) throw reverted('ComputeEscrowExpired')
    this.#chain.checkSigned('Agreement', agreement, requesterSignature, channel.requesterSigner)
    this.#chain.checkSigned('Agreement', agreement, providerSignature, channel.providerSigner)
    return { id, channel }
  }

  #in(agreement: Agreement, ...allowed: readonly CaseState[]): Case {
    const found = this.#chain.cases.get(structHash('Agreement', agreement))
    if (found === undefined || !allowed.includes(found.state))
      throw reverted('ComputeEscrowWrongCaseState')
    return found
  }

  #turn(agreement: Agreement, state: CaseState): Case {
    const found = this.#in(agreement, state)
    if (this.#chain.now() > found.deadline) throw reverted('ComputeEscrowExpired')
    return found
  }

  #channel({ channel: id }: Agreement): EscrowChannel {
    const channel = this.#chain.channels.get(id)
    if (channel === undefined) throw reverted('ComputeEscrowWrongStatus')
    return channel
  }

  #checkReceipt(id: Bytes32, channel: EscrowChannel, signed: SignedReceipt): void {
    if (signed.receipt.agreement !== id) throw reverted('ComputeEscrowWrongReceipt')
    this.#chain.checkSigned('Receipt', signed.receipt, signed.signature, channel.providerSigner)
  }

  #checkSide(channel: EscrowChannel, provider: boolean): void {
    const { requester, requesterSigner, provider: owner, providerSigner } = channel
    const side = provider ? [owner, providerSigner] : [requester, requesterSigner]
    if (!side.includes(this.#account)) throw reverted('ComputeEscrowNotAllowed')
  }

  #counted(channel: EscrowChannel, kind: Case['kind'], step: number): EscrowChannel {
    const { requesterCases, providerCases } = channel
    if (kind === 'non-payment') return { ...channel, providerCases: providerCases + step }
    return { ...channel, requesterCases: requesterCases + step }
  }
}

/** What each side posted. */
function bondOf({ kind, doublings }: Case, { caseBond }: Agreement): Amount {
  return kind === 'equivocation' ? 0n : caseBond << BigInt(doublings)
}

function due(channel: EscrowChannel, cumulative: Amount): Amount {
  const target = least(cumulative, channel.deposit)
  return target > channel.settled ? target - channel.settled : 0n
}
