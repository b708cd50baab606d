import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BondOffer } from '../../node/domain/bid.ts'
import { codeOf } from '../../node/domain/errors.ts'
import { ZERO_BYTES32, type Address } from '../../node/domain/ids.ts'
import { feeUp } from '../../node/domain/money.ts'
import type { Escrow } from '../../node/ports/escrow.ts'
import type { Signer } from '../../node/ports/signer.ts'
import { channelId } from '../../node/protocol/channel-id.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { bondNonce } from '../../node/protocol/random.ts'
import { hour } from '../../node/domain/units.ts'

/** One contract, used by two parties who hold tokens outside it. */
export interface EscrowStage {
  readonly requester: { readonly signer: Signer; readonly escrow: Escrow }
  readonly provider: { readonly signer: Signer; readonly escrow: Escrow }
  /** Moves the chain's clock. */
  readonly pass: (seconds: number) => Promise<void>
}

const options = () => ({ signal: AbortSignal.timeout(20_000) })
const rejectsWith = (code: string) => (error: unknown) => codeOf(error) === code
const DEPOSIT = 1000n
const BOND = 500n

/** What every Escrow must do; run against the real contract and against the fake. */
export function escrowKeepsItsPromises(
  name: string,
  open: () => Promise<EscrowStage & AsyncDisposable>,
): void {
  test(`${name}: a deposit moves tokens in, a withdrawal moves them out to any account`, async () => {
    await using stage = await open()
    const { signer, escrow } = stage.requester
    const before = await escrow.balances(signer.address, options())
    await escrow.deposit(70n, options())
    await escrow.withdraw(stage.provider.signer.address, 30n, options())
    const after = await escrow.balances(signer.address, options())
    assert.equal(after.free - before.free, 40n)
    assert.equal(before.token - after.token, 70n)
    await assert.rejects(
      escrow.withdraw(signer.address, after.free + 1n, options()),
      rejectsWith('CHAIN_REVERTED'),
    )
  })

  test(`${name}: a channel opens under the predicted id, with both sides’ money in it`, async () => {
    await using stage = await open()
    const { id, escrow } = await openChannel(stage)
    const channel = await escrow.channel(id, options())
    assert.equal(channel?.deposit, DEPOSIT)
    assert.equal(channel.bond, BOND)
    assert.equal(channel.status, 'open')
    assert.equal(channel.requesterSigner, stage.requester.signer.address)
    assert.equal(channel.providerSigner, stage.provider.signer.address)
  })

  test(`${name}: an id that was never opened is no channel`, async () => {
    await using stage = await open()
    assert.equal(await stage.provider.escrow.channel(`0x${'12'.repeat(32)}`, options()), undefined)
  })

  test(`${name}: a bond offer signed by somebody else opens nothing`, async () => {
    await using stage = await open()
    await fund(stage)
    const terms = bondTerms(stage, stage.requester.signer)
    await assert.rejects(
      stage.requester.escrow.open(terms, options()),
      rejectsWith('CHAIN_REVERTED'),
    )
  })

  test(`${name}: a claim pays the rise of the highest voucher, less the fee rounded up, and only once`, async () => {
    await using stage = await open()
    const { id, escrow } = await openChannel(stage)
    const before = await escrow.balances(stage.provider.signer.address, options())
    await escrow.claim(...voucher(stage, id, 333n, 1), options())
    const after = await escrow.balances(stage.provider.signer.address, options())
    const fee = feeUp(333n, BigInt(await escrow.feeBps(options())))
    assert.equal(after.free - before.free, 333n - fee)
    assert.equal((await escrow.channel(id, options()))?.settled, 333n)
    await assert.rejects(
      escrow.claim(...voucher(stage, id, 333n, 1), options()),
      rejectsWith('CHAIN_REVERTED'),
    )
  })

  test(`${name}: a voucher above the deposit pays the deposit, and the rest after a top-up`, async () => {
    await using stage = await open()
    const { id, escrow } = await openChannel(stage)
    await escrow.claim(...voucher(stage, id, DEPOSIT + 50n, 2), options())
    assert.equal((await escrow.channel(id, options()))?.settled, DEPOSIT)
    await stage.requester.escrow.topUp({ channel: id, from: DEPOSIT, amount: 50n }, options())
    await escrow.claim(...voucher(stage, id, DEPOSIT + 50n, 2), options())
    assert.equal((await escrow.channel(id, options()))?.settled, DEPOSIT + 50n)
  })

  test(`${name}: a top-up from another deposit than the channel has sends nothing`, async () => {
    await using stage = await open()
    const { id } = await openChannel(stage)
    const { escrow } = stage.requester
    const first = { channel: id, from: DEPOSIT, amount: 7n }
    assert.ok((await escrow.topUp(first, options())) !== undefined)
    assert.equal(await escrow.topUp(first, options()), undefined)
    assert.equal((await escrow.channel(id, options()))?.deposit, DEPOSIT + 7n)
  })

  test(`${name}: either side finds its channels by their openings, from a block on`, async () => {
    await using stage = await open()
    const stranger = await open()
    const from = await stage.provider.escrow.newestBlock(options())
    const first = await openChannel(stage)
    const second = await openChannel(stage)
    const found = async (side: 'requester' | 'provider', fromBlock: number) => {
      const { escrow, signer } = stage[side]
      return escrow.channelsOf({ account: signer.address, fromBlock }, options())
    }
    for (const side of ['requester', 'provider'] as const) {
      const { channels, upTo, newest } = await found(side, 0)
      assert.deepEqual(channels, [first.id, second.id])
      assert.ok(upTo === newest && newest > from)
      assert.deepEqual((await found(side, newest + 1)).channels, [])
    }
    const [, opened] = (await stage.provider.escrow.events({ fromBlock: from }, options())).filter(
      ({ type }) => type === 'opened',
    )
    assert.deepEqual((await found('provider', opened?.block ?? 0)).channels, [second.id])
    const { escrow, signer } = stranger.requester
    const account = signer.address
    assert.deepEqual((await escrow.channelsOf({ account, fromBlock: 0 }, options())).channels, [])
    await stranger[Symbol.asyncDispose]()
  })

  test(`${name}: a voucher that the requester did not sign pays nothing`, async () => {
    await using stage = await open()
    const { id, escrow } = await openChannel(stage)
    const [message] = voucher(stage, id, 10n, 1)
    const forged = codecOf(stage.provider.escrow).seal('Voucher', message, (digest) =>
      stage.provider.signer.signDigest(digest),
    )
    const signature = forged.signatures[0] ?? new Uint8Array()
    await assert.rejects(escrow.claim(message, signature, options()), rejectsWith('CHAIN_REVERTED'))
  })

  test(`${name}: one transaction claims on several channels and passes over what pays nothing`, async () => {
    await using stage = await open()
    const channels = [await openChannel(stage), await openChannel(stage), await openChannel(stage)]
    const [first, second, third] = channels.map(({ id }) => id)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    const { escrow, signer } = stage.provider
    await escrow.claim(...voucher(stage, second, 20n, 1), options())
    const before = await escrow.balances(signer.address, options())
    const items = [
      signed(stage, first, 100n),
      signed(stage, second, 20n),
      signed(stage, third, 333n),
    ]
    const receipt = await escrow.claimMany(items, options())
    const after = await escrow.balances(signer.address, options())
    const bps = BigInt(await escrow.feeBps(options()))
    assert.equal(after.free - before.free, 433n - feeUp(100n, bps) - feeUp(333n, bps))
    const settled = async (id: `0x${string}`) => (await escrow.channel(id, options()))?.settled
    assert.deepEqual(
      [await settled(first), await settled(second), await settled(third)],
      [100n, 20n, 333n],
    )
    const events = await escrow.events({ fromBlock: receipt.block }, options())
    const claims = events.filter(({ transaction }) => transaction === receipt.hash)
    assert.deepEqual(
      claims.map(({ type, channel }) => [type, channel]),
      [
        ['claimed', first],
        ['claimed', third],
      ],
    )
  })

  test(`${name}: a batch with one wrong signature pays nothing at all`, async () => {
    await using stage = await open()
    const [first, second] = [await openChannel(stage), await openChannel(stage)]
    const { escrow } = stage.provider
    const good = signed(stage, first.id, 100n)
    const { voucher: message } = signed(stage, second.id, 100n)
    const items = [good, { voucher: message, signature: good.signature }]
    await assert.rejects(escrow.claimMany(items, options()), rejectsWith('CHAIN_REVERTED'))
    assert.equal((await escrow.channel(first.id, options()))?.settled, 0n)
  })

  test(`${name}: a batch with a channel that was never opened is refused by name`, async () => {
    await using stage = await open()
    const { id } = await openChannel(stage)
    const items = [signed(stage, id, 1n), signed(stage, `0x${'12'.repeat(32)}`, 1n)]
    await assert.rejects(
      stage.provider.escrow.claimMany(items, options()),
      rejectsWith('CHANNEL_UNKNOWN'),
    )
  })

  test(`${name}: a channel closes after its notice, not before, and gives back what is left`, async () => {
    await using stage = await open()
    const { id } = await openChannel(stage)
    const { escrow, signer } = stage.requester
    await escrow.startClose(id, options())
    assert.equal((await escrow.channel(id, options()))?.status, 'closing')
    await assert.rejects(escrow.close(id, options()), rejectsWith('CHAIN_REVERTED'))
    await stage.pass((25 * hour) / 1000)
    const before = await escrow.balances(signer.address, options())
    await escrow.close(id, options())
    const after = await escrow.balances(signer.address, options())
    assert.equal(after.free - before.free, DEPOSIT)
    const closed = await escrow.channel(id, options())
    assert.deepEqual([closed?.status, closed?.deposit, closed?.bond], ['closed', 0n, 0n])
    const [notice, end] = (await escrow.events({ fromBlock: 0, channel: id }, options())).slice(-2)
    assert.ok(notice?.type === 'closing' && end?.type === 'closed')
    assert.deepEqual([notice.by, end.settled], [signer.address, 0n])
    assert.deepEqual([end.depositReturned, end.bondReturned], [DEPOSIT, BOND])
  })

  test(`${name}: the events of a channel tell its story in order`, async () => {
    await using stage = await open()
    const { id, escrow } = await openChannel(stage)
    await stage.requester.escrow.topUp({ channel: id, from: DEPOSIT, amount: 5n }, options())
    await escrow.claim(...voucher(stage, id, 100n, 1), options())
    const events = await escrow.events({ fromBlock: 0, channel: id }, options())
    assert.deepEqual(
      events.map(({ type }) => type),
      ['opened', 'topped-up', 'claimed'],
    )
    const [opened, toppedUp, claimed] = events
    assert.ok(opened?.type === 'opened' && toppedUp?.type === 'topped-up')
    const { requester } = stage
    assert.equal(channelId({ chainId: escrow.chainId, escrow: escrow.address }, opened), id)
    assert.deepEqual([opened.deposit, opened.bond], [DEPOSIT, BOND])
    assert.equal(opened.feeBps, await escrow.feeBps(options()))
    assert.deepEqual([toppedUp.payer, toppedUp.amount], [requester.signer.address, 5n])
    assert.ok(claimed?.type === 'claimed')
    assert.equal(claimed.paid, 100n)
    assert.equal(claimed.fee, feeUp(100n, BigInt(await escrow.feeBps(options()))))
    assert.equal(claimed.cumulative, 100n)
    assert.equal(claimed.jobs, 1)
    assert.ok((await escrow.newestBlock(options())) >= claimed.block)
  })

  test(`${name}: an aborted call rejects at once`, async () => {
    await using stage = await open()
    const stopped = { signal: AbortSignal.abort(new Error('stop')) }
    await assert.rejects(stage.requester.escrow.deposit(1n, stopped))
  })
}

function codecOf(escrow: Escrow) {
  return createEnvelopeCodec({ chainId: escrow.chainId, escrow: escrow.address })
}

function bondTerms(stage: EscrowStage, signedBy: Signer) {
  const provider: Address = stage.provider.signer.address
  const requester = stage.requester.signer.address
  const expiry = Math.floor(Date.now() / 1000) + 400 * 24 * 3600
  const bondOffer: BondOffer = {
    provider,
    requester,
    providerSigner: provider,
    bond: BOND,
    hold: 0,
    expiry,
    nonce: bondNonce(requester),
  }
  const sealed = codecOf(stage.provider.escrow).seal('BondOffer', bondOffer, (digest) =>
    signedBy.signDigest(digest),
  )
  const bondSignature = sealed.signatures[0] ?? new Uint8Array()
  return {
    bondOffer,
    bondSignature,
    requesterSigner: requester,
    deposit: DEPOSIT,
    agreement: ZERO_BYTES32,
  }
}

async function fund({ requester, provider }: EscrowStage): Promise<void> {
  await requester.escrow.deposit(DEPOSIT + 100n, options())
  await provider.escrow.deposit(BOND, options())
}

async function openChannel(stage: EscrowStage) {
  await fund(stage)
  const { id } = await stage.requester.escrow.open(
    bondTerms(stage, stage.provider.signer),
    options(),
  )
  return { id, escrow: stage.provider.escrow }
}

function voucher(
  { requester }: EscrowStage,
  channel: `0x${string}`,
  cumulative: bigint,
  jobs: number,
) {
  const message = { channel, cumulative, jobs, jobsRoot: ZERO_BYTES32 }
  const sealed = codecOf(requester.escrow).seal('Voucher', message, (digest) =>
    requester.signer.signDigest(digest),
  )
  return [message, sealed.signatures[0] ?? new Uint8Array()] as const
}

function signed(stage: EscrowStage, channel: `0x${string}`, cumulative: bigint) {
  const [message, signature] = voucher(stage, channel, cumulative, 1)
  return { voucher: message, signature }
}
