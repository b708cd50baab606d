import { askOf } from '../../node/domain/offer-ask.ts'
import { type Agreement } from '../../node/domain/agreement.ts'
import { type Bytes32, ZERO_ADDRESS, ZERO_BYTES32 } from '../../node/domain/ids.ts'
import type { JobSpec } from '../../node/domain/job-spec.ts'
import type { Offer } from '../../node/domain/offer.ts'
import type { PaidShare, Voucher } from '../../node/domain/voucher.ts'
import { minute } from '../../node/domain/units.ts'
import { cidDigest } from '../../node/protocol/cid.ts'
import type { Signed } from '../../node/protocol/envelope.ts'
import { encodeJobSpec } from '../../node/protocol/job-spec-codec.ts'
import { jobsRoot } from '../../node/protocol/jobs-root.ts'
import { randomNonce } from '../../node/protocol/random.ts'
import {
  awardRequest,
  bidRequest,
  followRequest,
  shareRequest,
  voucherAnswer,
  voucherRequest,
  type BidRequest,
} from '../../node/protocol/requests.ts'
import { decodeShareEvent, type ShareEvent } from '../../node/protocol/share-events.ts'
import { taskListHash } from '../../node/protocol/typed-data.ts'
import { offerTopic } from '../../node/protocol/topics.ts'
import { Feed } from '../../node/services/feed.ts'
import { fakeImage, type FakeScript } from './fake-script.ts'
import { aSpec } from './messages.ts'
import { NETWORK, TASK_PRICE, TOKEN, until, type Member, type TestMarket } from './test-market.ts'

const { signal } = new AbortController()

/** Everything that an award is made of. */
export interface Deal {
  readonly offer: Signed<'Offer'>
  readonly answer: BidRequest
  readonly channel: Bytes32
  readonly agreement: Agreement
  readonly tasks: readonly number[]
}

/** A requester that says what its test tells it to. */
export class HandMadeRequester {
  readonly member: Member
  readonly #market: TestMarket
  readonly #answers = new Feed<BidRequest>()
  /** The provider's answers to its offers, in order. */
  readonly answers: BidRequest[] = []

  constructor(market: TestMarket, member: Member) {
    this.#market = market
    this.member = member
    member.node.requests.answer('bid', async (_, bytes) => {
      const answer = bidRequest.decode(bytes)
      this.answers.push(answer)
      this.#answers.publish(answer)
      return new Uint8Array()
    })
  }

  /** An offer of a scripted job, sealed. */
  async offer(
    script: FakeScript = {},
    changes: Partial<Offer> = {},
    specChanges: Partial<JobSpec> = {},
  ): Promise<Signed<'Offer'>> {
    const { blobs, signing } = this.member
    const image = fakeImage(script)
    const plain = aSpec({
      image: { path: '/image', cid: await blobs.add(image), size: image.byteLength },
    })
    const spec = { ...plain, ...specChanges }
    const now = Date.now()
    return signing.seal('Offer', {
      requester: signing.address,
      nonce: randomNonce(),
      network: NETWORK,
      ...askOf(plain, cidDigest(plain.image.cid)),
      spec: cidDigest(await blobs.addBlock(encodeJobSpec(spec))),
      tasks: spec.tasks,
      maxPrice: 10n * TASK_PRICE,
      issuedAt: now,
      bidsUntil: now + minute,
      ...changes,
    })
  }

  /** Announces bytes as an offer. */
  async announce(bytes: Uint8Array, resourceClass = 'wasm'): Promise<void> {
    await this.member.node.gossip.publish(offerTopic(NETWORK, resourceClass), bytes)
  }

  /** Announces an offer and waits for the first answer to it. */
  async ask(offer: Signed<'Offer'>): Promise<BidRequest> {
    await this.announce(offer.bytes)
    const found = () => this.answers.find((answer) => answer.offer === offer.id)
    await until(this.#answers, () => found() !== undefined)
    return found() as BidRequest
  }

  /** Offers, takes the bid, opens a channel and writes the agreement that follows. */
  async deal(script: FakeScript = {}, deposit = TOKEN): Promise<Deal> {
    const offer = await this.offer(script)
    const answer = await this.ask(offer)
    const { signing } = this.member
    const bond = signing.open('BondOffer', answer.bondOffer ?? new Uint8Array())
    const { id } = await this.#market.chain.as(signing.address).open(
      {
        bondOffer: bond.message,
        bondSignature: bond.signatures[0] ?? new Uint8Array(),
        requesterSigner: signing.address,
        deposit,
        agreement: ZERO_BYTES32,
      },
      { signal },
    )
    return this.dealOn(id, offer, answer, 1, 0n)
  }

  /** The agreement on all four tasks that follows from a bid. */
  dealOn(
    channel: Bytes32,
    offer: Signed<'Offer'>,
    answer: BidRequest,
    seq: number,
    owed: bigint,
  ): Deal {
    const tasks = [0, 1, 2, 3]
    const { message: bid } = this.member.signing.open('Bid', answer.bid ?? new Uint8Array())
    const nowS = Math.floor(Date.now() / 1000)
    const price = bid.price * BigInt(tasks.length)
    const agreement: Agreement = {
      channel,
      seq,
      offer: offer.id,
      spec: offer.message.spec,
      input: taskListHash(tasks),
      tasks: tasks.length,
      price,
      owedAfter: owed + price,
      stake: 0n,
      caseBond: 0n,
      verifier: ZERO_ADDRESS,
      verifierParams: ZERO_BYTES32,
      nonceCommitR: ZERO_BYTES32,
      nonceCommitP: ZERO_BYTES32,
      startBy: nowS + 60,
      finishBy: nowS + 600,
      disputeUntil: nowS + 6000,
      onUndecided: 0,
    }
    return { offer, answer, channel, agreement, tasks }
  }

  /** Awards a deal. Resolves with the provider's answer and the agreement's id. */
  async award(
    { agreement, tasks }: Deal,
    member = this.member,
  ): Promise<{ id: Bytes32; bytes: Uint8Array; peer: string }> {
    const { signing, node } = member
    const sealed = signing.seal('Agreement', agreement)
    const award = signing.seal('Award', { agreement: sealed.id, tasks, issuedAt: Date.now() })
    const request = awardRequest.encode({ agreement: sealed.bytes, award: award.bytes })
    const peer = this.provider
    return {
      id: sealed.id,
      bytes: await node.requests.call(peer, 'award', request, { signal }),
      peer,
    }
  }

  /** All events of a share. */
  async follow(agreement: Bytes32, from = 0, member = this.member): Promise<ShareEvent[]> {
    const events: ShareEvent[] = []
    const request = followRequest.encode({ agreement, from })
    for await (const frame of member.node.requests.stream(this.provider, 'follow', request, {
      signal,
    }))
      events.push(decodeShareEvent(frame))
    return events.filter(({ type }) => type !== 'beat')
  }

  /** Pays; the voucher follows from the shares unless changed. Resolves with how many the provider knows. */
  async pay(
    channel: Bytes32,
    shares: readonly PaidShare[],
    changes: Partial<Voucher> = {},
    member = this.member,
    signing = member.signing,
  ): Promise<number> {
    const cumulative = shares.reduce((sum, { amount }) => sum + amount, 0n)
    const message = {
      channel,
      cumulative,
      jobs: shares.length,
      jobsRoot: jobsRoot(shares),
      ...changes,
    }
    const request = voucherRequest.encode({
      voucher: signing.seal('Voucher', message).bytes,
      shares,
    })
    return voucherAnswer.decode(
      await member.node.requests.call(this.provider, 'voucher', request, { signal }),
    ).jobs
  }

  /** Resolves when an event of a share is as it should be. */
  async hear(agreement: Bytes32, isIt: (event: ShareEvent) => boolean): Promise<void> {
    const request = followRequest.encode({ agreement, from: 0 })
    const { requests } = this.member.node
    for await (const frame of requests.stream(this.provider, 'follow', request, { signal }))
      if (isIt(decodeShareEvent(frame))) return
  }

  /** Tells the provider to end a share with what it has. */
  async stop(agreement: Bytes32, member = this.member): Promise<void> {
    await member.node.requests.call(this.provider, 'stop', shareRequest.encode({ agreement }), {
      signal,
    })
  }

  /** Tells the provider that a share is given up. */
  async cancel(agreement: Bytes32, member = this.member): Promise<void> {
    await member.node.requests.call(this.provider, 'cancel', shareRequest.encode({ agreement }), {
      signal,
    })
  }

  /** The one provider that answered. */
  get provider(): string {
    const bid = this.answers.find((answer) => answer.bid !== undefined)?.bid ?? new Uint8Array()
    return this.member.signing.open('Bid', bid).signatories[0]?.peer ?? ''
  }
}
