import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { SecretSlot } from '../../../node/domain/secret-slot.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { fromHex } from '../../../node/protocol/bytes.ts'
import { SecretIntake } from '../../../node/services/provider/secret-intake.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import type { MemoryStore } from '../../support/memory-store.ts'
import {
  aRequest,
  finished,
  NETWORK,
  started,
  TASK_PRICE,
  TestMarket,
  until,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const bytes = (text: string) => new TextEncoder().encode(text)

const TOKEN_VALUE = 'hunter2-æøå-6c1d'
const KEY_VALUE = '-----BEGIN KEY-----\u0000\u0001 0f5a-----'
const SLOTS: readonly SecretSlot[] = [
  { name: 'token', env: 'TOKEN' },
  { name: 'key', path: '/run/secrets/key' },
]
const VALUES = new Map([
  ['token', bytes(TOKEN_VALUE)],
  ['key', bytes(KEY_VALUE)],
])
/** Shows both to its owner: the variable on stderr, the file as an output. */
const SHOWS: FakeScript = { printEnv: 'TOKEN', copyArgs: true }
const CHEAPER = {
  prices: { perTask: TASK_PRICE / 2n, perCoreSecond: 0n, perGpuSecond: 0n, reservedSecondsCap: 60 },
}

/** A request for tasks that need both secrets. */
async function secretRequest(member: Member, script: FakeScript, tasks = 1) {
  const args = ['/run/secrets/key', '/out/key']
  return aRequest(member, script, { bidWindowMs: 500, spec: { secrets: SLOTS, tasks, args } })
}

/** The keys whose values hold one of the secrets in the clear, and the keys of boxes. */
async function inStore(store: MemoryStore): Promise<{ clear: string[]; boxes: number }> {
  const clear: string[] = []
  let boxes = 0
  for await (const [key, value] of store.entries('')) {
    if (key.startsWith('secret/')) boxes++
    const raw = Buffer.from(value)
    const spellings = [TOKEN_VALUE, KEY_VALUE].flatMap((text) => {
      const buffer = Buffer.from(text)
      return [buffer, Buffer.from(buffer.toString('hex')), Buffer.from(buffer.toString('base64'))]
    })
    if (spellings.some((each) => raw.includes(each))) clear.push(key)
  }
  return { clear, boxes }
}

/** Direct calls of which those for secrets fail as long as `fails` says so. */
function failing(requests: Requests, fails: () => boolean): Requests & { readonly asked: number } {
  let asked = 0
  return {
    get asked() {
      return asked
    },
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: (...args) => requests.stream(...args),
    async call(peer, protocol, request, options) {
      if (protocol === 'secrets') asked++
      if (protocol === 'secrets' && fails()) throw new HiveError('PEER_UNREACHABLE', { peer })
      return requests.call(peer, protocol, request, options)
    },
  }
}

test('secrets reach every task as a variable and a file; no record, log or offer holds them, and the end removes them', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _ = await market.provider(bob)
  const { id } = await requester.submit(await secretRequest(alice, SHOWS, 3), signal, VALUES)
  const held = await inStore(alice.store)
  assert.deepEqual(held, { clear: [], boxes: 1 })
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  for (const result of done.results) {
    assert.deepEqual([result?.reason, result?.exitCode], ['exit', 0])
    const read = async (cid: string) =>
      Buffer.from(await alice.blobs.get(cid, { maxBytes: 1000, signal })).toString()
    assert.equal(await read(result?.stderr.cid ?? ''), `${TOKEN_VALUE}\n`)
    assert.equal(await read(result?.files[0]?.cid ?? ''), KEY_VALUE)
  }
  await until(requester.book.updates, async () => (await inStore(alice.store)).boxes === 0)
  assert.deepEqual(await inStore(alice.store), { clear: [], boxes: 0 })
  assert.deepEqual(await inStore(bob.store), { clear: [], boxes: 0 })
  const logged = JSON.stringify(market.log)
  for (const value of [TOKEN_VALUE, KEY_VALUE]) assert.equal(logged.includes(value), false)
})

test('values and slots that do not match: refused before anything is announced, by name only', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const request = await secretRequest(alice, SHOWS)
  const refused = async (values: ReadonlyMap<string, Uint8Array>, ...starts: string[]) =>
    assert.rejects(requester.submit(request, signal, values), (error: HiveError) => {
      assert.equal(error.code, 'INPUT_INVALID')
      const problems = error.data['problems'] as string[]
      assert.deepEqual(
        problems.map((text) => text.split(':')[0]),
        starts,
      )
      assert.equal(JSON.stringify([error.data, error.message]).includes('zero-in'), false)
      return true
    })
  await refused(new Map(), 'token', 'key')
  await refused(new Map([...VALUES, ['stray', bytes('x')]]), 'stray')
  await refused(new Map([...VALUES, ['token', bytes('zero-in\0side')]]), 'token')
  await refused(new Map([...VALUES, ['token', Uint8Array.of(0xff, 0xfe)]]), 'token')
  const large = new Map([...VALUES, ['key', new Uint8Array(64 * 1024)]])
  await refused(large, `${64 * 1024 + bytes(TOKEN_VALUE).length} bytes together, more than 65536`)
  assert.deepEqual(await requester.book.list(), [])
  assert.equal((await inStore(alice.store)).boxes, 0)
})

test('a line that is down when the secrets are needed: asked again until it is up', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  let left = 2
  const requests = failing(bob.node.requests, () => left-- > 0)
  await using _ = await market.provider(bob, {}, { requests })
  const { id } = await requester.submit(await secretRequest(alice, SHOWS), signal, VALUES)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.shares.length, requests.asked], ['settled', 1, 3])
})

test('secrets that do not come in time: no task starts, the share fails with its own code and goes elsewhere', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  await using requester = await market.requester(alice)
  const requests = failing(bob.node.requests, () => true)
  await using bobs = await market.provider(
    bob,
    { ...CHEAPER, secretsWaitMs: 0 },
    { requests, sandboxes: [refusing()] },
  )
  await using _ = await market.provider(carol)
  const { id } = await requester.submit(await secretRequest(alice, SHOWS), signal, VALUES)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map(({ provider, error }) => [provider, error]),
    [
      [bob.signing.address, 'SECRETS_UNAVAILABLE'],
      [carol.signing.address, undefined],
    ],
  )
  const work = await bobs.works.get(shares[0]?.id ?? '0x')
  assert.equal(work?.error, 'SECRETS_UNAVAILABLE')
})

test('a requester that was killed still has the secrets when it is back, for the next provider too', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  const first = await market.requester(alice)
  const slow = { ...SHOWS, sleepMs: 60_000 }
  await using bobs = await market.provider(bob, CHEAPER)
  const { id } = await first.submit(await secretRequest(alice, slow), signal, VALUES)
  await started(first, bob.signing.address)
  const again = await market.rejoinAfterKill(alice)
  await first[Symbol.asyncDispose]()
  await bobs[Symbol.asyncDispose]()
  market.net.leave(bob.signing.peer)
  const given: (string | undefined)[] = []
  await using _ = await market.provider(carol, {}, { sandboxes: [noting(given)] })
  await using requester = await market.requester(again, { lostAfterMs: 300 })
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(given, [TOKEN_VALUE])
})

test('nobody but the provider of a live agreement gets an answer', async () => {
  const market = new TestMarket()
  const [alice, bob, eve] = [market.member(), market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _ = await market.provider(bob)
  const slow = { ...SHOWS, sleepMs: 60_000 }
  const { id } = await requester.submit(await secretRequest(alice, slow), signal, VALUES)
  await started(requester)
  const [share] = await requester.book.sharesOf(await requester.book.find(id))
  assert.ok(share)
  const agreement = fromHex(share.agreement)
  const ask = async (who: Member, what: Uint8Array) =>
    who.node.requests.call(alice.signing.peer, 'secrets', what, { signal })
  assert.ok((await ask(bob, agreement)).byteLength > 100)
  // another peer with the provider's agreement
  await assert.rejects(ask(eve, agreement), { code: 'SIGNATURE_INVALID' })
  const { message } = alice.signing.open('Agreement', agreement)
  // the requester's signature alone
  const alone = alice.signing.seal('Agreement', message)
  await assert.rejects(ask(bob, alone.bytes), { code: 'SIGNATURE_INVALID' })
  // one that both signed, and that was never awarded
  const other = alice.signing.seal('Agreement', { ...message, seq: message.seq + 1 })
  const both = bob.signing.countersign(other).bytes
  await assert.rejects(ask(bob, both), { code: 'AGREEMENT_UNKNOWN' })
  await assert.rejects(ask(bob, new Uint8Array(10)), { code: 'MESSAGE_MALFORMED' })
  await requester.cancel(id)
  assert.equal((await inStore(alice.store)).boxes, 0)
  await assert.rejects(ask(bob, agreement), (error: HiveError) =>
    ['AGREEMENT_UNKNOWN', 'SECRETS_UNAVAILABLE'].includes(error.code),
  )
})

test('a box that somebody else made, or of another agreement, is none', async () => {
  const market = new TestMarket()
  const [alice, bob, eve] = [market.member(), market.member(), market.member()]
  await using requester = await market.requester(alice)
  const sealedBy = eve.sealer.sealFor(bob.signing.peer, new Uint8Array(), new Uint8Array(10))
  const forged: Requests = {
    ...failing(bob.node.requests, () => false),
    call: async (peer, protocol, ...rest) =>
      protocol === 'secrets' ? sealedBy : bob.node.requests.call(peer, protocol, ...rest),
  }
  await using _ = await market.provider(bob, {}, { requests: forged, sandboxes: [refusing()] })
  const { id } = await requester.submit(await secretRequest(alice, SHOWS), signal, VALUES)
  const done = await finished(requester, id)
  const [share] = await requester.book.sharesOf(done)
  assert.deepEqual([done.state, share?.error], ['failed', 'SECRETS_UNAVAILABLE'])
})

test('a box that no job needs any more is gone after the next start', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const stray = `secret/0x${'ab'.repeat(32)}`
  await alice.store.write([{ key: stray, value: new Uint8Array(40) }])
  await using _ = await market.requester(alice)
  assert.equal(await alice.store.get(stray), undefined)
})

test('what a sandbox says of a task never holds a secret', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const inner = createFakeSandbox()
  const telling: Sandbox = {
    ...inner,
    run: async (task, options) => ({
      ...(await inner.run(task, options)),
      detail: `TOKEN=${task.secrets?.env['TOKEN']} was not taken`,
    }),
  }
  await using _ = await market.provider(bob, {}, { sandboxes: [telling] })
  const { id } = await requester.submit(await secretRequest(alice, SHOWS), signal, VALUES)
  const done = await finished(requester, id)
  assert.equal(done.results[0]?.detail, 'TOKEN=[secret] was not taken')
})

/** A sandbox that no task may reach. */
function refusing(): Sandbox {
  return {
    ...createFakeSandbox(),
    run: async () => assert.fail('a task was started'),
  }
}

/** A sandbox that ends every task at once and notes its secret variable. */
function noting(given: (string | undefined)[]): Sandbox {
  const inner = createFakeSandbox()
  return {
    ...inner,
    run: async (task, options) => {
      given.push(task.secrets?.env['TOKEN'])
      const load = async () => bytes(JSON.stringify({ exit: 0 }))
      return inner.run({ ...task, image: { id: 'ends at once', load } }, options)
    },
  }
}

test('a provider that was restarted asks for longer: its tasks may be running on', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using bobs = await market.provider(bob)
  const slow = { ...SHOWS, sleepMs: 60_000 }
  const { id } = await requester.submit(await secretRequest(alice, slow), signal, VALUES)
  await started(requester)
  const [share] = await requester.book.sharesOf(await requester.book.find(id))
  const work = await bobs.works.get(share?.id ?? '0x')
  assert.ok(work)
  let left = 1
  const requests = failing(bob.node.requests, () => left-- > 0)
  const parts = { ...market.parts(bob), requests }
  const intake = new SecretIntake(parts, { network: NETWORK, secretsWaitMs: 0 })
  await assert.rejects(intake.of(work, SLOTS, signal), { code: 'SECRETS_UNAVAILABLE' })
  left = 1
  using held = await intake.of({ ...work, restarts: 1 }, SLOTS, signal)
  assert.equal(held.task?.env['TOKEN'], TOKEN_VALUE)
})
