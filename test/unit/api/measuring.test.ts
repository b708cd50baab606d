import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { ScoreBody } from '../../../node/api/schemas/hardware.ts'
import { ChallengeBody } from '../../../node/api/schemas/measuring.ts'
import { second } from '../../../node/domain/units.ts'
import { Prover } from '../../../node/services/challenge/prover.ts'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import { FakeEffort } from '../../support/fake-effort.ts'
import { openTestApi, TEST_SCORE, type TestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { NETWORK, TEST_HARDWARE } from '../../support/test-market.ts'

const json = async (answer: Response): Promise<unknown> => answer.json()

/** A peer that says what it has; it answers challenges where `shows` is set. */
function addPeer(it: TestApi, shows: boolean): { readonly peer: string } & AsyncDisposable {
  const member = it.market.member()
  const { node, signing } = member
  const now = Date.now()
  const { bytes } = signing.seal('Advert', {
    node: signing.address,
    seq: 1,
    network: NETWORK,
    kinds: ['wasm'],
    hardware: JSON.stringify({ ...TEST_HARDWARE, score: TEST_SCORE }),
    issuedAt: now,
    expiresAt: now + 60 * second,
  })
  node.requests.answer('advert', async () => bytes)
  const parts = { ...it.market.parts(member), clock: systemClock }
  const prover = new Prover({ ...parts, effort: new FakeEffort(), isIdle: () => shows })
  prover.start()
  return { peer: signing.peer, [Symbol.asyncDispose]: async () => prover[Symbol.asyncDispose]() }
}

test('api: measuring answers the score, and the status tells it from then on', async () => {
  await using it = await openTestApi()
  const score = await json(await it.call('/v1/hardware/measure', { method: 'POST' }))
  assert.ok(Value.Check(ScoreBody, score), JSON.stringify(score))
  assert.deepEqual(score, TEST_SCORE)
  const status = (await json(await it.call('/v1/status'))) as { hardware: { score?: unknown } }
  assert.deepEqual(status.hardware.score, TEST_SCORE)
})

test('api: a challenge answers what was claimed and what was shown', async () => {
  await using it = await openTestApi({ providers: 0 })
  await using other = addPeer(it, true)
  const path = `/v1/peers/${other.peer}/challenge`
  const report = await json(await it.call(path, { method: 'POST' }))
  assert.ok(Value.Check(ChallengeBody, report), JSON.stringify(report))
  const { cores, memoryBytes } = TEST_HARDWARE
  assert.deepEqual(report.claim, { cores, memoryBytes })
  assert.notEqual(report.verdict, 'refuted')
})

test('api: a peer that is busy, unknown or no account is told apart from one that cheats', async () => {
  await using it = await openTestApi({ providers: 0 })
  await using other = addPeer(it, false)
  const answer = async (peer: string) => {
    const reply = await it.call(`/v1/peers/${peer}/challenge`, { method: 'POST' })
    return [reply.status, ((await json(reply)) as { code: string }).code]
  }
  assert.deepEqual(await answer(other.peer), [409, 'CHALLENGE_BUSY'])
  assert.deepEqual(await answer('1'.repeat(40)), [502, 'PEER_UNREACHABLE'])
  assert.deepEqual(await answer('no'), [400, 'INPUT_INVALID'])
})

test('hive bench: prints the figures, and what there was no time for', async () => {
  await using it = await openTestApi()
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('bench'), 0)
  assert.match(hive.stdout.text, /^fuel, one core +12\.0 G fuel\/s$/m)
  assert.match(hive.stdout.text, /^no time for +fuel, all cores, memory copied/m)
})

test('hive challenge: names a peer by the end of its id; one that does not show its cores is 4', async () => {
  await using it = await openTestApi({ providers: 0 })
  await using other = addPeer(it, true)
  const hive = testCli({ dataDir: it.dataDir })
  const code = await hive.run('challenge', other.peer.slice(-8))
  assert.ok(code === 0 || code === 4)
  assert.match(hive.stdout.text, code === 0 ? /^verdict +shown/ : /^verdict +less/)
  assert.match(hive.stdout.text, /^claimed +2 cores, 4\.0 GiB memory$/m)
  assert.equal(await hive.run('challenge', 'nobody'), 1)
  assert.match(hive.stderr.text, /PEER_UNREACHABLE/)
})
