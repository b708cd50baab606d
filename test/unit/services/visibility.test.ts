import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute, second } from '../../../node/domain/units.ts'
import { Presence } from '../../../node/services/presence.ts'
import { Visibility } from '../../../node/services/visibility.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { NETWORK, TEST_HARDWARE, TestMarket, type Member } from '../../support/test-market.ts'

const TOPIC = `/computehive/${NETWORK}/offers/wasm`
const { signal } = new AbortController()

/** Nodes that look whether others see them. */
async function looking() {
  const market = new TestMarket()
  const clock = new ManualClock()
  const stack = new AsyncDisposableStack()
  const node = async (member: Member, topics: readonly string[] = []) => {
    const { directory, sight } = member.node
    const parts = { ...market.parts(member), clock, directory, sight }
    const presence = stack.use(
      new Presence(parts, { network: NETWORK, kinds: ['wasm'], hardware: TEST_HARDWARE }),
    )
    const visibility = stack.use(
      new Visibility({ ...parts, presence, reachability: () => 'direct' }, { topics }),
    )
    visibility.start()
    return { presence, visibility }
  }
  return { market, clock, node, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
}

test('a node that others find and reach says so, and asks again after a while', async () => {
  await using on = await looking()
  const [alice, bob] = [on.market.member(), on.market.member()]
  const seen = await on.node(alice)
  await on.node(bob)
  await seen.presence.start()
  const viewOf = () => seen.visibility.view
  assert.equal(viewOf(), undefined)
  await on.clock.advance(10 * second)
  const view = viewOf()
  assert.deepEqual([view?.asked, view?.listed, view?.reached, view?.faults], [1, 1, 1, []])
  await on.clock.advance(29 * minute)
  assert.equal(viewOf()?.askedAt, view?.askedAt)
  await on.clock.advance(2 * minute)
  assert.ok((viewOf()?.askedAt ?? 0) > (view?.askedAt ?? 0))
})

test('a node that nobody finds or reaches says why and what to do, once, and when it is over', async () => {
  await using on = await looking()
  const [alice, bob] = [on.market.member(), on.market.member()]
  const hidden = await on.node(alice)
  await on.node(bob)
  bob.node.sight.closed.add(alice.signing.peer)
  await on.clock.advance(10 * second)
  const expected = ['NODE_UNLISTED', 'NODE_UNREACHABLE']
  assert.deepEqual(hidden.visibility.view?.faults, expected)
  await on.clock.advance(5 * minute)
  const told = on.market.log.filter(({ level }) => level === 'warn')
  assert.equal(
    told.filter((line) => JSON.stringify(line).includes('NODE_UNLISTED')).length,
    2,
    'alice and bob',
  )
  bob.node.sight.closed.clear()
  await hidden.presence.start()
  await on.clock.advance(2 * minute)
  assert.deepEqual(hidden.visibility.view?.faults, [])
})

test('a node asks one peer after another until one sees it', async () => {
  await using on = await looking()
  const [alice, ...others] = Array.from({ length: 4 }, () => on.market.member())
  assert.ok(alice)
  const asking = await on.node(alice)
  for (const other of others) await on.node(other)
  for (const { node } of others.slice(0, 2)) node.sight.closed.add(alice.signing.peer)
  await asking.presence.start()
  await on.clock.advance(10 * second)
  const { view } = asking.visibility
  assert.deepEqual([view?.asked, view?.listed, view?.reached, view?.faults], [3, 3, 1, []])
})

test('a node that is alone, or in no mesh, notices without asking anybody', async () => {
  await using on = await looking()
  const [alice, bob] = [on.market.member(), on.market.member()]
  const node = await on.node(alice, [TOPIC])
  bob.node.gossip.subscribe(TOPIC, { maxBytes: 9, perMinute: 9, signal }, () => 'accept')
  await on.clock.advance(10 * second)
  assert.deepEqual(node.visibility.view?.faults, ['NODE_UNHEARD'])
  assert.equal(node.visibility.view?.asked, 0)
  on.market.net.leave(bob.signing.peer)
  await on.clock.advance(20 * second)
  assert.deepEqual(node.visibility.view?.faults, ['NODE_ALONE'])
})
