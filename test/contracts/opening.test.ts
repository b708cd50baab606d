import assert from 'node:assert/strict'
import test from 'node:test'

import { id as hashOf, Wallet } from 'ethers'

import { escrowWorld, FEE_BPS } from './support/escrow-world.ts'

const world = await escrowWorld()
const { requester, provider, requesterSigner, providerSigner, stranger } = world
const { as, read, open, openArguments, refusal } = world

test('opening takes the deposit from the requester and the bond from the provider', async () => {
  const before = [await world.free(requester), await world.free(provider)] as const
  const agreement = hashOf('agreement')
  const receipt = await as(requester, 'createChannel', [
    ...(await openArguments(1n, { deposit: 1000n, bond: 500n, agreement })),
  ])
  assert.equal(await world.free(requester), before[0] - 1000n)
  assert.equal(await world.free(provider), before[1] - 500n)
  const parties = world.partiesOf(1n)
  const channel = await read('channelIdOf', parties)
  const [opened] = world.eventsOf(receipt)
  assert.deepEqual(opened?.args.toObject(), {
    channel,
    requester: requester.address,
    provider: provider.address,
    providerSigner: providerSigner.address,
    nonce: parties.nonce,
    deposit: 1000n,
    bond: 500n,
    bondHold: 0n,
    feeBps: FEE_BPS,
    agreement,
  })
  assert.deepEqual((await read('channel', channel)).toObject(), {
    deposit: 1000n,
    settled: 0n,
    closeAt: 0n,
    feeBps: FEE_BPS,
    status: 1n,
    bond: 500n,
    bondHold: 0n,
    bondFreeAt: 0n,
    frozen: 0n,
    requesterCases: 0n,
    providerCases: 0n,
    sponsored: 0n,
  })
})

test('the channel id is the hash of chain, escrow and parties', async () => {
  const { ethers, domain } = world
  const parties = world.partiesOf(2n)
  const encoded = ethers.AbiCoder.defaultAbiCoder().encode(
    ['uint256', 'address', 'address', 'address', 'address', 'uint256'],
    [
      domain.chainId,
      world.address,
      parties.requester,
      parties.provider,
      parties.providerSigner,
      parties.nonce,
    ],
  )
  assert.equal(await read('channelIdOf', parties), ethers.keccak256(encoded))
})

test('a bond offer opens one channel: not a second one with another session key', async () => {
  const [terms, signature] = await openArguments(3n)
  await as(requester, 'createChannel', [terms, signature])
  const otherKey = Wallet.createRandom().address
  const rebound = { ...terms, nonce: (3n << 160n) | BigInt(otherKey) }
  assert.equal(
    await refusal(as(requester, 'createChannel', [rebound, signature])),
    'ComputeEscrowBadBondSignature',
  )
})

test('a bond offer is good for the requester it names alone', async () => {
  const [terms, signature] = await openArguments(4n)
  await world.fund(stranger.address, 1000n)
  assert.equal(
    await refusal(as(stranger, 'createChannel', [terms, signature])),
    'ComputeEscrowBadBondSignature',
  )
})

test('more bond, a longer hold, another session key or a later expiry than signed: refused', async () => {
  const [terms, signature] = await openArguments(5n)
  const changes = [
    { bond: terms.bond + 1n },
    { providerSigner: stranger.address },
    { bondHold: terms.bondHold + 1n },
    { bondExpiry: terms.bondExpiry + 1n },
  ]
  for (const change of changes) {
    assert.equal(
      await refusal(as(requester, 'createChannel', [{ ...terms, ...change }, signature])),
      'ComputeEscrowBadBondSignature',
    )
  }
})

test('a bond of zero still needs the signature of the provider', async () => {
  const call = openArguments(6n, { bond: 0n, signedBy: requester })
  assert.equal(
    await refusal(as(requester, 'createChannel', [...(await call)])),
    'ComputeEscrowBadBondSignature',
  )
  await open(6n, { bond: 0n })
})

test('the session key of a provider cannot sign a bond offer', async () => {
  const call = openArguments(7n, { signedBy: providerSigner })
  assert.equal(
    await refusal(as(requester, 'createChannel', [...(await call)])),
    'ComputeEscrowBadBondSignature',
  )
})

test('deposit or bond above the free balance: refused with whose balance it was', async () => {
  const huge = 10n ** 25n
  for (const options of [{ deposit: huge }, { bond: huge }]) {
    const call = as(requester, 'createChannel', [...(await openArguments(8n, options))])
    assert.equal(await refusal(call), 'ComputeEscrowInsufficientFree')
  }
})

test('a deposit of zero, or nobody as a party: refused', async () => {
  const empty = as(requester, 'createChannel', [...(await openArguments(9n, { deposit: 0n }))])
  assert.equal(await refusal(empty), 'ComputeEscrowZeroAmount')
  const [terms, signature] = await openArguments(9n)
  const zero = '0x0000000000000000000000000000000000000000'
  const refused = [
    [{ provider: zero }, 'ComputeEscrowBadBondSignature'],
    [{ providerSigner: zero }, 'ComputeEscrowInvalidAddress'],
    [{ nonce: 9n << 160n }, 'ComputeEscrowInvalidAddress'],
  ] as const
  for (const [nobody, code] of refused) {
    const call = as(requester, 'createChannel', [{ ...terms, ...nobody }, signature])
    assert.equal(await refusal(call), code)
  }
})

test('a contract wallet signs its bond offer by ERC-1271, and revoking later changes nothing', async () => {
  const key = Wallet.createRandom()
  const wallet = await world.ethers.deployContract('WalletMock', [key.address])
  const address = await wallet.getAddress()
  await world.fund(address, 500n)
  const signedBy = new Wallet(key.privateKey)
  const channel = await open(10n, { provider: address, signedBy })
  await as(stranger, 'revoke', [], wallet)
  const parties = { ...world.partiesOf(10n), provider: address }
  const voucher = { channel, cumulative: 400n, jobs: 1n, jobsRoot: hashOf('jobs') }
  const signature = await world.sign(requesterSigner, 'Voucher', voucher)
  await as(stranger, 'claim', [parties, voucher, signature])
  assert.equal(await world.free({ address }), 390n)

  const refused = openArguments(11n, { provider: address, signedBy, bond: 0n })
  assert.equal(
    await refusal(as(requester, 'createChannel', [...(await refused)])),
    'ComputeEscrowBadBondSignature',
  )
})
