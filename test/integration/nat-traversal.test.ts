import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type LabNode, startLabNode, startLabRouter } from '../support/lab-processes.ts'
import { natLabMissing, openNatLab, type NatLab } from '../support/nat-lab.ts'
import type { LabOptions, ReachState } from '../support/reach-process.ts'

const skip = natLabMissing()

/** One lab for all tests, which wait side by side: every node has a port of its own. */
let lab: NatLab
const stack = new AsyncDisposableStack()
let dir = ''
let lastPort = 4700
let started = 0

before(async () => {
  if (skip !== false) return
  dir = await mkdtemp(join(tmpdir(), 'hive-nat-'))
  stack.defer(async () => rm(dir, { recursive: true }))
  lab = stack.use(await openNatLab())
})
after(async () => stack.disposeAsync())

const place = (through: readonly string[]) => ({ through, logFile: join(dir, `${++started}.log`) })

/** A node that listens on all its addresses and has to find out which of them others reach. */
async function open(through: readonly string[], options: LabOptions): Promise<LabNode> {
  const listen = [`/ip4/0.0.0.0/tcp/${++lastPort}`]
  return stack.use(await startLabNode(place(through), { listen, ...options }))
}

/** A public node that was told its address. */
async function openTold(options: LabOptions = {}): Promise<LabNode> {
  const port = ++lastPort
  return open(lab.inPublic, {
    listen: [`/ip4/0.0.0.0/tcp/${port}`],
    announce: [`/ip4/${lab.publicIp}/tcp/${port}`],
    ...options,
  })
}

async function openRouter(number: 0 | 1, isIdle: boolean) {
  const { on, ...sides } = lab.routers[number]
  return stack.use(await startLabRouter(place(on), { ...sides, isIdle }))
}

/** The connections of a node to a peer. */
function to(peer: string, { connections }: ReachState): ReachState['connections'] {
  return connections.filter((one) => one.peer === peer)
}

/** Both may have dialled at once: then there are two. */
function isDirectOnly(connections: ReachState['connections']): boolean {
  return connections.length > 0 && connections.every((one) => !one.isRelayed)
}

suite('nat', { skip, concurrency: true }, () => {
  test('who is called through a relay by one that can be dialled dials it, and the relay is needed no more', async () => {
    const relay = await openTold()
    const [hidden, caller] = await Promise.all([
      open(lab.behind[0], { viaRelays: 'on', bootstrap: relay.ready.addresses }),
      openTold({ relay: 'off' }),
    ])
    const { addresses, peer } = await hidden.until(
      {},
      ({ reachability }) => reachability === 'relayed',
    )
    const relayed = addresses.find((one) => one.includes('/p2p-circuit'))
    // a second connection is made beside the first, which it then replaces
    assert.ok(to(peer, await caller.ask({ dial: relayed ?? '' })).length >= 1)
    const state = await caller.until({}, (now) => isDirectOnly(to(peer, now)))
    assert.equal(state.relaying.connections, 0)
    // it came from behind its router
    const [direct] = to(peer, state)
    assert.ok(direct?.address.startsWith(`/ip4/${lab.routers[0].outside}/`), direct?.address)
  })

  test('two behind routers that first meet through a relay punch a hole through both, and the relay is needed no more', async () => {
    const relay = await openTold()
    const bootstrap = relay.ready.addresses
    const [hidden, caller] = await Promise.all([
      open(lab.behind[0], { viaRelays: 'on', bootstrap }),
      open(lab.behind[1], { viaRelays: 'on', bootstrap }),
    ])
    const isReady = ({ reachability, connections }: ReachState) =>
      reachability === 'relayed' && connections.length === 2
    const { addresses, peer } = await hidden.until({}, isReady)
    await caller.until({}, isReady)
    const relayed = addresses.find((one) => one.includes('/p2p-circuit'))
    assert.ok(to(peer, await caller.ask({ dial: relayed ?? '' })).length >= 1)
    // who is called may call back through the relay meanwhile, which then ends as well
    const state = await caller.until(
      {},
      (now) => isDirectOnly(to(peer, now)) && now.relaying.connections === 0,
    )
    assert.equal(state.reachability, 'relayed')
    // and it lasts
    const later = await caller.ask({ call: peer })
    assert.equal(later.relaying.connections, 0)
    const [direct] = to(peer, later)
    assert.ok(direct?.address.startsWith(`/ip4/${lab.routers[0].outside}/`), direct?.address)
  })

  test('a public address that nobody told the node counts as soon as others have called there, and it relays', async () => {
    const first = await openTold({ relay: 'off' })
    const bootstrap = first.ready.addresses
    const node = await open(lab.inPublic, { bootstrap })
    assert.equal(node.ready.reachability, 'unknown')
    const { addresses, peer } = await node.until(
      {},
      ({ reachability }) => reachability === 'direct',
    )
    const announced = addresses.find((one) => one.startsWith(`/ip4/${lab.publicIp}/`))
    assert.ok(announced)
    const hidden = await open(lab.behind[1], { bootstrap: [announced] })
    const { relaying } = await hidden.until({}, ({ reachability }) => reachability === 'relayed')
    assert.deepEqual(relaying.via, [peer])
  })

  test('a router is asked for a port, which others then call; it is given back when the node ends', async () => {
    const router = await openRouter(0, false)
    const { ready: known } = await openTold()
    const node = await open(lab.behind[0], { upnp: true, bootstrap: known.addresses })
    const { addresses, peer } = await node.until(
      {},
      ({ reachability }) => reachability === 'direct',
    )
    const [forwarded] = await router.ask({})
    const announced = `/ip4/${lab.routers[0].outside}/tcp/${forwarded?.port}/p2p/${peer}`
    assert.ok(addresses.includes(announced))
    const caller = await open(lab.behind[1], {})
    const [connection] = to(peer, await caller.ask({ dial: announced }))
    assert.equal(connection?.isRelayed, false)
    await node[Symbol.asyncDispose]()
    assert.deepEqual(await router.ask({}), [])
  })

  test('a port that the router only says it opened is told to nobody', async () => {
    const router = await openRouter(1, true)
    const { ready: known } = await openTold()
    const node = await open(lab.behind[1], { upnp: true, bootstrap: known.addresses })
    await router.until({}, ({ length }) => length === 1)
    const { addresses } = await node.until({}, ({ reachability }) => reachability !== 'unknown')
    const { outside } = lab.routers[1]
    assert.deepEqual(
      addresses.filter((one) => one.includes(outside)),
      [],
    )
    assert.ok(addresses.some((one) => one.includes('/p2p-circuit')))
  })
})
