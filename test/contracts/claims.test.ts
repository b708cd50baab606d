import assert from 'node:assert/strict'
import test from 'node:test'

import { id as hashOf, Signature, toBeHex } from 'ethers'

import { escrowWorld } from './support/escrow-world.ts'

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const world = await escrowWorld()
const { requester, provider, requesterSigner, providerSigner, stranger } = world
const { as, read, open, refusal, voucherArguments, batchArguments, mutualArguments } = world

test('a claim by anyone pays the provider, less the fee, and says so in one event', async () => {
  const channel = await open(1n)
  const before = await world.free(provider)
  const receipt = await as(stranger, 'claim', [...(await voucherArguments(1n, 400n))])
  assert.equal(await world.free(provider), before + 390n)
  assert.equal(await read('uncollectedFees', provider.address), 10n)
  const events = world.eventsOf(receipt)
  assert.deepEqual(
    events.map((event) => [event.name, event.args.toObject()]),
    [
      [
        'Claimed',
        { channel, cumulative: 400n, paid: 400n, fee: 10n, jobs: 7n, jobsRoot: hashOf('jobs') },
      ],
    ],
  )
})

test('the same voucher, or an older one, pays nothing more', async () => {
  for (const cumulative of [400n, 399n, 0n]) {
    const again = as(stranger, 'claim', [...(await voucherArguments(1n, cumulative))])
    assert.equal(await refusal(again), 'ComputeEscrowNothingToClaim')
  }
})

test('a voucher by anyone but the session key of the requester: refused', async () => {
  for (const signer of [requester, provider, providerSigner]) {
    const forged = as(provider, 'claim', [...(await voucherArguments(1n, 500n, signer))])
    assert.equal(await refusal(forged), 'ComputeEscrowBadSigner')
  }
})

test('a signature with high s, cut short, or with a bit flipped: refused', async () => {
  const [parties, voucher, signature] = await voucherArguments(1n, 500n)
  const { r, s, v, compactSerialized } = Signature.from(signature)
  const highS = toBeHex(CURVE_ORDER - BigInt(s), 32)
  const malleable = `${r}${highS.slice(2)}${v === 27 ? '1c' : '1b'}`
  const flipped = `${signature.slice(0, 10)}${signature[10] === '0' ? '1' : '0'}${signature.slice(11)}`
  const refused = (bytes: string) => refusal(as(provider, 'claim', [parties, voucher, bytes]))
  for (const bytes of [malleable, compactSerialized, flipped])
    assert.equal(await refused(bytes), 'ComputeEscrowBadSigner')
})

test('a voucher for another escrow or another chain: refused', async () => {
  const [parties, voucher] = await voucherArguments(1n, 500n)
  const types = {
    Voucher: [
      { name: 'channel', type: 'bytes32' },
      { name: 'cumulative', type: 'uint96' },
      { name: 'jobs', type: 'uint64' },
      { name: 'jobsRoot', type: 'bytes32' },
    ],
  }
  const elsewhere = [
    { ...world.domain, verifyingContract: stranger.address },
    { ...world.domain, chainId: world.domain.chainId + 1n },
    { ...world.domain, version: '2' },
  ]
  for (const domain of elsewhere) {
    const signature = await requesterSigner.signTypedData(domain, types, voucher)
    const replay = as(provider, 'claim', [parties, voucher, signature])
    assert.equal(await refusal(replay), 'ComputeEscrowBadSigner')
  }
})

test('parties other than those of the named channel: refused', async () => {
  const [parties, voucher, signature] = await voucherArguments(1n, 500n)
  const thief = { ...parties, provider: stranger.address }
  const theft = as(stranger, 'claim', [thief, voucher, signature])
  assert.equal(await refusal(theft), 'ComputeEscrowWrongParties')
})

test('a wrong signature in a batch refuses the batch', async () => {
  const [who, key, [item]] = await batchArguments(1n, 500n)
  const forged = as(stranger, 'claimMany', [who, key, [{ ...item, cumulative: 501n }]])
  assert.match(await refusal(forged), /^(ComputeEscrowBadSigner|ECDSAInvalidSignature)$/)
})

test('claiming and closing pays, returns the rest and the bond, and leaves a tombstone', async () => {
  const channel = await open(2n, { deposit: 1000n, bond: 500n })
  const [r, p] = [await world.free(requester), await world.free(provider)]
  const closing = [...(await voucherArguments(2n, 400n))]
  const receipt = await as(providerSigner, 'claimAndClose', closing)
  assert.equal(await world.free(requester), r + 600n)
  assert.equal(await world.free(provider), p + 390n + 500n)
  const last = world.eventsOf(receipt).at(-1)
  assert.equal(last?.name, 'Closed')
  assert.deepEqual(last?.args.toObject(), {
    channel,
    settled: 400n,
    depositReturned: 600n,
    bondReturned: 500n,
  })
  const { status, deposit, settled, bond } = await read('channel', channel)
  assert.deepEqual([status, deposit, settled, bond], [3n, 400n, 400n, 0n])
})

test('a voucher that pays nothing more still closes for the provider', async () => {
  await open(3n)
  await as(provider, 'claim', [...(await voucherArguments(3n, 400n))])
  const receipt = await as(provider, 'claimAndClose', [...(await voucherArguments(3n, 400n))])
  assert.deepEqual(
    world.eventsOf(receipt).map((event) => event.name),
    ['Closed'],
  )
})

test('all four of a channel may give notice', async () => {
  for (const [index, who] of [requester, provider, requesterSigner, providerSigner].entries()) {
    const counter = 10n + BigInt(index)
    await open(counter)
    await as(who, 'startClose', [world.partiesOf(counter)])
  }
})

test('a mutual close pays the total both signed, not less than was paid nor above the deposit', async () => {
  await open(20n, { deposit: 1000n, bond: 500n })
  await as(provider, 'claim', [...(await voucherArguments(20n, 300n))])
  for (const total of [299n, 1001n]) {
    const wrong = as(stranger, 'closeMutual', [...(await mutualArguments(20n, total))])
    assert.equal(await refusal(wrong), 'ComputeEscrowFinalOutOfRange')
  }
  const [r, p] = [await world.free(requester), await world.free(provider)]
  await as(stranger, 'closeMutual', [...(await mutualArguments(20n, 500n))])
  assert.equal(await world.free(requester), r + 500n)
  assert.equal(await world.free(provider), p + 500n + 195n)
})

test('a mutual close needs both session keys', async () => {
  await open(21n)
  const [parties, agreed, ofRequester, ofProvider] = await mutualArguments(21n, 100n)
  const oneSided = [
    [ofRequester, ofRequester],
    [ofProvider, ofProvider],
    [ofProvider, ofRequester],
  ]
  for (const signatures of oneSided) {
    const call = as(stranger, 'closeMutual', [parties, agreed, ...signatures])
    assert.equal(await refusal(call), 'ComputeEscrowBadSigner')
  }
})

test('liabilities stayed what they were through all of this', async () => {
  const held = await world.token.getFunction('balanceOf')(world.address)
  assert.equal(await read('liabilities'), held)
})
