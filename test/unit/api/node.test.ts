import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { PeerBody, StatusBody } from '../../../node/api/schemas/node.ts'
import { ClosingBody, WalletBody, WorkListBody } from '../../../node/api/schemas/money.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { testCli } from '../../support/test-cli.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { aRequest, started } from '../../support/test-market.ts'

const { signal } = new AbortController()

const json = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>

async function freeOf(it: TestApi): Promise<bigint> {
  return BigInt(String((await json(await it.call('/v1/wallet')))['free']))
}

test('api: status is the node as it is', async () => {
  await using it = await openTestApi({ isProvider: true })
  const status: unknown = await json(await it.call('/v1/status'))
  assert.ok(Value.Check(StatusBody, status), JSON.stringify(status))
  assert.equal(status.peer, it.member.signing.peer)
  assert.equal(status.chain.escrow, it.market.chain.address)
  assert.equal(status.slots?.utilisation, 0)
})

test('api: status says that the chain is away, and no more once it answers', async () => {
  await using it = await openTestApi()
  const fault = async () => {
    await it.reconciler.pass(AbortSignal.timeout(5000))
    const hive = testCli({ dataDir: it.dataDir })
    assert.equal(await hive.run('status'), 0)
    const status = (await json(await it.call('/v1/status'))) as unknown as StatusBody
    return [status.chain.fault, /CHAIN_UNREACHABLE: The chain’s RPC/.test(hive.stdout.text)]
  }
  let isAway = true
  const newestBlock = async () => {
    if (isAway) throw new HiveError('CHAIN_UNREACHABLE')
    return 1
  }
  Object.assign(it.escrow, { newestBlock })
  assert.deepEqual(await fault(), ['CHAIN_UNREACHABLE', true])
  isAway = false
  assert.deepEqual(await fault(), [undefined, false])
})

test('api: status says why a provider takes no new work, for as long as it does not', async () => {
  const never = { days: [], from: 0, to: 0 }
  await using resting = await openTestApi({ isProvider: true, policy: { hours: [never] } })
  assert.equal((await json(await resting.call('/v1/status')))['pausedBy'], 'DECLINED_HOURS')
  const hive = testCli({ dataDir: resting.dataDir })
  assert.equal(await hive.run('status'), 0)
  assert.match(hive.stdout.text, /paused +takes no new work now: DECLINED_HOURS/)
  await using working = await openTestApi({ isProvider: true })
  assert.equal((await json(await working.call('/v1/status')))['pausedBy'], undefined)
})

test('api: peers are those that are connected', async () => {
  await using it = await openTestApi({ providers: 2 })
  const { peers } = await json(await it.call('/v1/peers'))
  assert.ok(Array.isArray(peers))
  assert.equal(peers.length, 2)
  assert.ok(peers.every((peer) => Value.Check(PeerBody, peer)))
  assert.equal((await it.call('/v1/peers?kind=wasm')).status, 400)
})

test('api: what is no need of a machine is told, term by term', async () => {
  await using it = await openTestApi()
  assert.deepEqual((await json(await it.call('/v1/peers?need=cores%3E%3D100')))['peers'], [])
  const bad = await it.call('/v1/peers?need=many%20cores')
  const { code, data } = await json(bad)
  assert.deepEqual([bad.status, code], [400, 'INPUT_INVALID'])
  assert.match(JSON.stringify(data), /many cores/)
})

test('api: bytes come back as they went in, also none', async () => {
  await using it = await openTestApi()
  for (const bytes of [Uint8Array.of(0, 255, 10, 13), new Uint8Array()]) {
    const { cid, size } = await json(await it.call('/v1/blobs', { bytes }))
    assert.equal(size, bytes.byteLength)
    const back = await it.call(`/v1/blobs/${String(cid)}`)
    assert.deepEqual(new Uint8Array(await back.arrayBuffer()), bytes)
  }
})

test('api: content that nobody has is not found', async () => {
  await using it = await openTestApi()
  const cid = `bafkrei${'a'.repeat(52)}`
  const answer = await it.call(`/v1/blobs/${cid}`)
  assert.equal(answer.status, 404)
  assert.equal((await json(answer))['code'], 'CONTENT_NOT_FOUND')
})

test('api: deposit and withdraw move what they say', async () => {
  await using it = await openTestApi()
  const own = it.member.signing.address
  it.market.chain.fund(own, 5n, 10n)
  const wallet: unknown = await json(await it.call('/v1/wallet'))
  assert.ok(Value.Check(WalletBody, wallet), JSON.stringify(wallet))
  assert.equal((await it.call('/v1/wallet/deposit', { body: { amount: '4' } })).status, 200)
  assert.equal(await freeOf(it), 9n)
  assert.equal((await it.call('/v1/wallet/withdraw', { body: { amount: '2' } })).status, 200)
  assert.equal(await freeOf(it), 7n)
  for (const amount of ['0', '-1', '1.5', 1, (2n ** 96n).toString()])
    assert.equal((await it.call('/v1/wallet/deposit', { body: { amount } })).status, 400)
})

test('api: what the contract refuses is told with its own error', async () => {
  await using it = await openTestApi()
  const answer = await it.call('/v1/wallet/deposit', { body: { amount: '1' } })
  assert.equal(answer.status, 422)
  const { code, data } = await json(answer)
  assert.equal(code, 'CHAIN_REVERTED')
  assert.deepEqual(data, { error: 'ERC20InsufficientBalance' })
})

test('api: a channel that does not exist cannot be closed', async () => {
  await using it = await openTestApi()
  const answer = await it.call(`/v1/channels/0x${'0'.repeat(64)}/close`, { method: 'POST' })
  assert.equal((await json(answer))['code'], 'CHANNEL_UNKNOWN')
})

test('api: closing gives notice first and is patient afterwards', async () => {
  await using it = await openTestApi()
  const id = `0x${'11'.repeat(32)}` as const
  const party = it.member.signing.address
  it.market.chain.channels.set(id, {
    id,
    requester: party,
    provider: party,
    requesterSigner: party,
    providerSigner: party,
    deposit: 1n,
    settled: 0n,
    bond: 0n,
    feeBps: 0,
    closeAt: 0,
    status: 'open',
    bondHold: 0,
    bondFreeAt: 0,
    frozen: 0n,
    requesterCases: 0,
    providerCases: 0,
    sponsored: 0n,
  })
  const close = async (): Promise<ClosingBody> => {
    const body: unknown = await json(await it.call(`/v1/channels/${id}/close`, { method: 'POST' }))
    assert.ok(Value.Check(ClosingBody, body), JSON.stringify(body))
    return body
  }
  const first = await close()
  assert.equal(first.status, 'closing')
  assert.ok(first.transaction !== undefined)
  assert.equal((await close()).transaction, undefined)
})

test('api: a channel with a share under way is not closed, unless forced', async () => {
  await using it = await openTestApi()
  const { id } = await it.requester.submit(await aRequest(it.member, { spin: true }), signal)
  await started(it.requester)
  const channel = it.requester.channels.all()[0]?.id ?? ''
  const refused = await it.call(`/v1/channels/${channel}/close`, { method: 'POST' })
  assert.deepEqual([refused.status, (await json(refused))['code']], [409, 'CHANNEL_BUSY'])
  const forced = await it.call(`/v1/channels/${channel}/close?force=true`, { method: 'POST' })
  assert.equal((await json(forced))['status'], 'closing')
  const wallet: unknown = await json(await it.call('/v1/wallet'))
  assert.ok(Value.Check(WalletBody, wallet), JSON.stringify(wallet))
  assert.deepEqual(
    wallet.channels.map((each) => [each.id, each.status]),
    [[channel, 'closing']],
  )
  await it.requester.cancel(id)
})

test('api: a requester has no work, and an unknown share is not found', async () => {
  await using it = await openTestApi()
  const work: unknown = await json(await it.call('/v1/work'))
  assert.ok(Value.Check(WorkListBody, work))
  assert.deepEqual(work, { works: [], earnings: [] })
  const answer = await it.call(`/v1/work/0x${'0'.repeat(64)}`)
  assert.equal((await json(answer))['code'], 'AGREEMENT_UNKNOWN')
})

test('api: the document describes every route with its schemas', async () => {
  await using it = await openTestApi()
  const document = await json(await it.call('/v1/openapi.json'))
  const paths = Object.keys(document['paths'] as object)
  for (const path of ['/v1/jobs', '/v1/jobs/{id}/events', '/v1/blobs/{cid}', '/v1/wallet/withdraw'])
    assert.ok(paths.includes(path), path)
  assert.match(JSON.stringify(document), /"bidsWanted"/)
})
