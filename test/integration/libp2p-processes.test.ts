import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Libp2pNet, openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { quietLogger } from '../support/quiet-logger.ts'

const never = new AbortController().signal
const TOPIC = '/computehive/test/offers/wasm'
const PROGRAM = join(import.meta.dirname, '../support/net-process.ts')

interface Child {
  readonly process: ChildProcess
  readonly peer: string
}

async function start(key: string, dir: string, bootstrap: readonly string[]): Promise<Child> {
  const child = fork(PROGRAM, [JSON.stringify({ key, dir, bootstrap })])
  const [{ peer }] = (await once(child, 'message')) as [{ peer: string }]
  return { process: child, peer }
}

async function kill(child: Child, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child.process, 'exit')
  child.process.kill(signal)
  await gone
}

/** Resolves when the node is connected to `peer`. */
async function connectedTo(net: Libp2pNet, peer: string): Promise<void> {
  while (!net.directory.connected().some((found) => found.peer === peer)) {
    await new Promise((resolve) =>
      net.libp2p.addEventListener('peer:connect', resolve, { once: true }),
    )
  }
}

test('processes: gossip arrives, SIGKILL cuts a stream, a restart reconnects by itself', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hive-net-'))
  t.after(() => rm(root, { recursive: true }))
  await using net = await openLibp2pNet(
    { logger: quietLogger(), privateKey: randomBytes(32) },
    { network: 'test', allowPrivateAddresses: true },
  )
  const key = randomBytes(32).toString('hex')
  const first = await start(key, root, net.directory.addresses())
  t.after(() => first.process.kill('SIGKILL'))
  await connectedTo(net, first.peer)

  const heard = Promise.withResolvers<string>()
  const subscribed = new Promise<void>((resolve) => {
    net.libp2p.services.pubsub.addEventListener('subscription-change', () => resolve())
  })
  net.gossip.subscribe(TOPIC, { maxBytes: 1024, perMinute: 1000, signal: never }, (bytes) => {
    heard.resolve(Buffer.from(bytes).toString())
    return 'accept'
  })
  await subscribed
  first.process.send('hello')
  assert.equal(await heard.promise, 'hello')

  const read = async (): Promise<void> => {
    const stream = net.requests.stream(first.peer, 'follow', Buffer.from('x'), { signal: never })
    for await (const _frame of stream) await kill(first, 'SIGKILL')
  }
  await assert.rejects(read(), { code: 'STREAM_CUT' })

  // a new port, and no bootstrap address: only what it remembers leads it back
  const second = await start(key, root, [])
  t.after(() => second.process.kill('SIGKILL'))
  assert.equal(second.peer, first.peer)
  await connectedTo(net, second.peer)
  await kill(second, 'SIGTERM')
  assert.equal(second.process.exitCode, 0)
})

test('processes: a port in use is PORT_IN_USE', async () => {
  await using net = await openLibp2pNet(
    { logger: quietLogger(), privateKey: randomBytes(32) },
    { network: 'test' },
  )
  const listen = net.directory.addresses().map((address) => address.split('/p2p/')[0] ?? '')
  await assert.rejects(
    openLibp2pNet(
      { logger: quietLogger(), privateKey: randomBytes(32) },
      { network: 'test', listen },
    ),
    { code: 'PORT_IN_USE' },
  )
})

test('processes: a datastore in use is DATA_LOCKED', async (t) => {
  const datastoreDir = await mkdtemp(join(tmpdir(), 'hive-net-'))
  t.after(() => rm(datastoreDir, { recursive: true }))
  const parts = { logger: quietLogger(), privateKey: randomBytes(32), datastoreDir }
  await using _net = await openLibp2pNet(parts, { network: 'test' })
  await assert.rejects(openLibp2pNet(parts, { network: 'test' }), { code: 'DATA_LOCKED' })
})

test('processes: two nodes find together again whenever one comes back', async () => {
  const open = (listen: readonly string[], bootstrap: readonly string[], privateKey: Uint8Array) =>
    openLibp2pNet(
      { logger: quietLogger(), privateKey },
      { network: 'test', allowPrivateAddresses: true, listen, bootstrap },
    )
  const key = randomBytes(32)
  const hub = await open(['/ip4/127.0.0.1/tcp/0'], [], key)
  const [address = ''] = hub.directory.addresses()
  await using node = await open([], [address], randomBytes(32))
  await connectedTo(node, hub.peer)
  const lost = new Promise((resolve) => node.libp2p.addEventListener('peer:disconnect', resolve))
  await hub[Symbol.asyncDispose]()
  await lost
  await using back = await open([address.split('/p2p/')[0] ?? ''], [], key)
  await connectedTo(node, back.peer)
})
