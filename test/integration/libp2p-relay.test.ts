import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { openHeliaBlobs } from '../../node/adapters/ipfs/helia-blobs.ts'
import { type Libp2pNet, openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import type { Libp2pOptions } from '../../node/adapters/libp2p/options.ts'
import { PATIENCE_MS as RELAY_PATIENCE_MS, RELAY_LIMITS } from '../../node/adapters/libp2p/reach.ts'
import type { Reachability } from '../../node/ports/directory.ts'
import { MiB } from '../../node/domain/units.ts'
import { quietLogger } from '../support/quiet-logger.ts'

const never = { signal: new AbortController().signal }

function open(options: Partial<Libp2pOptions>, privateKey = randomBytes(32)): Promise<Libp2pNet> {
  return openLibp2pNet(
    { logger: quietLogger(), privateKey },
    { network: 'test', allowPrivateAddresses: true, wantedPeers: 0, ...options },
  )
}

async function untilReached(net: Libp2pNet, how: Reachability): Promise<void> {
  const signal = AbortSignal.timeout(20_000)
  // libp2p tells of no change when an address comes back soon
  while (net.reachability() !== how) await setTimeout(20, undefined, { signal })
}

/** A relay, and a node that listens on no address of its own but is reached through it. */
async function openHidden(stack: AsyncDisposableStack) {
  const relay = stack.use(await open({ relay: 'on' }))
  const hidden = stack.use(await open({ listen: [], viaRelays: 'on' }))
  await hidden.directory.dial(relay.directory.addresses()[0] ?? '', never)
  await untilReached(hidden, 'relayed')
  const [address = ''] = hidden.directory.addresses()
  return { relay, hidden, address }
}

test('relay: a node without an address is called, streamed from, talks back and gossips, over one connection', async () => {
  await using stack = new AsyncDisposableStack()
  const { relay, hidden, address } = await openHidden(stack)
  assert.equal(relay.reachability(), 'direct')
  assert.ok(address.includes(`${relay.peer}/p2p-circuit/p2p/${hidden.peer}`), address)
  // it listens nowhere either: no hole can be punched
  const caller = stack.use(await open({ listen: [] }))
  assert.equal(await caller.directory.dial(address, never), hidden.peer)

  hidden.requests.answer('bid', async (_from, request) => request)
  caller.requests.answer('bid', async () => Buffer.from('back'))
  hidden.requests.answerStream('follow', async function* () {
    yield Buffer.from('one')
    yield Buffer.from('two')
  })
  const ask = async (from: Libp2pNet, to: Libp2pNet) =>
    Buffer.from(await from.requests.call(to.peer, 'bid', Buffer.from('x'), never)).toString()
  assert.deepEqual(await Promise.all([ask(caller, hidden), ask(caller, hidden)]), ['x', 'x'])
  assert.equal(await ask(hidden, caller), 'back')
  const frames: string[] = []
  for await (const frame of caller.requests.stream(hidden.peer, 'follow', new Uint8Array(), never))
    frames.push(Buffer.from(frame).toString())
  assert.deepEqual(frames, ['one', 'two'])

  const heard = Promise.withResolvers<string>()
  hidden.gossip.subscribe('offers', { maxBytes: 100, perMinute: 100, ...never }, async (bytes) => {
    heard.resolve(Buffer.from(bytes).toString())
    return 'accept' as const
  })
  while (!(await caller.gossip.publish('offers', Buffer.from('an offer'))).includes(hidden.peer))
    await setTimeout(20)
  assert.equal(await heard.promise, 'an offer')
  assert.equal(caller.libp2p.getConnections(hidden.libp2p.peerId).length, 1)
  assert.deepEqual(hidden.relaying(), { via: [relay.peer], connections: 1, carried: 0 })
  assert.deepEqual(caller.relaying(), { via: [], connections: 1, carried: 0 })
  assert.deepEqual(relay.relaying(), { via: [], connections: 0, carried: 1 })
})

test('relay: content crosses it', async (t) => {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'hive-relay-'))
  t.after(async () => rm(root, { recursive: true }))
  const { hidden, address } = await openHidden(stack)
  const caller = stack.use(await open({ listen: [] }))
  await caller.directory.dial(address, never)
  const blobsOf = async ({ libp2p, peer }: Libp2pNet) =>
    stack.use(
      await openHeliaBlobs(
        { libp2p, logger: quietLogger() },
        { stallMs: 5000, blocksDir: join(root, peer) },
      ),
    )
  const theirs = await blobsOf(hidden)
  const ours = await blobsOf(caller)
  const bytes = randomBytes(3 * MiB)
  const cid = await theirs.add(bytes)
  const got = await ours.get(cid, { from: hidden.peer, maxBytes: 4 * MiB, ...never })
  assert.deepEqual(Buffer.from(got), bytes)
})

test('relay: one that was not asked to be one carries nothing; its limits bound what one carries', async () => {
  await using stack = new AsyncDisposableStack()
  const other = stack.use(await open({ relay: 'auto' }))
  const protocols = other.libp2p.getProtocols()
  assert.deepEqual(
    protocols.filter((one) => one.includes('circuit') && one.endsWith('hop')),
    [],
  )
  const { hidden, address } = await openHidden(stack)
  const caller = stack.use(await open({ listen: [] }))
  await caller.directory.dial(address, never)
  const [connection] = caller.libp2p.getConnections(hidden.libp2p.peerId)
  assert.ok((connection?.limits?.bytes ?? 0n) > 0n)
  assert.ok((connection?.limits?.bytes ?? 0n) <= RELAY_LIMITS.defaultDataLimit)
})

test('relay: one that went and came back is asked again as soon as it is there', async () => {
  await using stack = new AsyncDisposableStack()
  const key = randomBytes(32)
  const first = await open({ relay: 'on' }, key)
  const [address = ''] = first.directory.addresses()
  const hidden = stack.use(await open({ listen: [], viaRelays: 'on', bootstrap: [address] }))
  await untilReached(hidden, 'relayed')
  const lost = once(hidden.libp2p, 'peer:disconnect')
  await first[Symbol.asyncDispose]()
  await lost
  await untilReached(hidden, 'unknown')
  const listen = [address.split('/p2p/')[0] ?? '']
  stack.use(await open({ relay: 'on', listen }, key))
  const since = performance.now()
  await untilReached(hidden, 'relayed')
  // not with the pace at which one that said no is asked again
  assert.ok(performance.now() - since < RELAY_PATIENCE_MS)
})
