import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_ADVERT_BYTES } from '../../node/protocol/limits.ts'
import { collect } from '../support/collect.ts'
import { nodeAt, type OpenNetwork } from '../support/test-network.ts'

const never = { signal: new AbortController().signal }
const advert = Buffer.from('a signed advert')
/** A peer id that belongs to nobody here. */
const STRANGER = '16Uiu2HAm1G7VSPBTXZQM2qhyuXu4arUdXFetbiXSKMXUz1Q939MG'

/** What every Directory promises. */
export function directoryKeepsItsPromises(name: string, open: OpenNetwork): void {
  test(`${name}: connected peers see each other`, async () => {
    await using network = await open({ nodes: 3 })
    for (const { peer, directory } of network.nodes) {
      const others = network.nodes.map((node) => node.peer).filter((other) => other !== peer)
      const connected = directory.connected().map((found) => found.peer)
      assert.deepEqual(connected.toSorted(), others.toSorted())
    }
  })

  test(`${name}: an own address can be dialled by others`, async () => {
    await using network = await open({ nodes: 2 })
    const [a, b] = [nodeAt(network, 0), nodeAt(network, 1)]
    const [address = ''] = b.directory.addresses()
    assert.ok(address.includes(b.peer))
    await network.cut(a, b)
    assert.equal(await a.directory.dial(address, never), b.peer)
    assert.deepEqual(
      a.directory.connected().map((found) => found.peer),
      [b.peer],
    )
  })

  test(`${name}: what is no address, or nobody's, is PEER_UNREACHABLE`, async () => {
    await using network = await open({ nodes: 1 })
    const { directory } = nodeAt(network, 0)
    await assert.rejects(directory.dial('next door', never), { code: 'PEER_UNREACHABLE' })
    const nobody = `/ip4/127.0.0.1/tcp/1/p2p/${STRANGER}`
    await assert.rejects(directory.dial(nobody, never), { code: 'PEER_UNREACHABLE' })
  })

  test(`${name}: an advert and its tags are found by others`, async () => {
    await using network = await open({ nodes: 3 })
    const [a, b, c] = [nodeAt(network, 0), nodeAt(network, 1), nodeAt(network, 2)]
    await a.directory.advertise(advert, ['kind=wasm', 'class=small'], never)
    for (const { directory } of [b, c]) {
      assert.deepEqual(await directory.advertOf(a.peer, never), new Uint8Array(advert))
      assert.deepEqual(await collect(directory.find('kind=wasm', never)), [a.peer])
      assert.deepEqual(await collect(directory.find('class=small', never)), [a.peer])
      assert.deepEqual(await collect(directory.find('kind=docker', never)), [])
    }
  })

  test(`${name}: nobody finds itself`, async () => {
    await using network = await open({ nodes: 2 })
    const { directory } = nodeAt(network, 0)
    await directory.advertise(advert, ['kind=wasm'], never)
    assert.deepEqual(await collect(directory.find('kind=wasm', never)), [])
  })

  test(`${name}: an advert that was never put is undefined`, async () => {
    await using network = await open({ nodes: 2 })
    assert.equal(await nodeAt(network, 0).directory.advertOf(STRANGER, never), undefined)
  })

  test(`${name}: a newer advert takes the place of the older`, async () => {
    await using network = await open({ nodes: 2 })
    const [a, b] = [nodeAt(network, 0), nodeAt(network, 1)]
    await a.directory.advertise(advert, [], never)
    await a.directory.advertise(Buffer.from('b newer advert'), [], never)
    assert.equal(
      Buffer.from((await b.directory.advertOf(a.peer, never)) ?? []).toString(),
      'b newer advert',
    )
  })

  test(`${name}: a node that is alone may advertise, and finds nobody`, async () => {
    await using network = await open({ nodes: 1 })
    const { directory } = nodeAt(network, 0)
    await directory.advertise(advert, ['kind=wasm'], never)
    assert.deepEqual(await collect(directory.find('kind=wasm', never)), [])
    assert.equal(await directory.advertOf(STRANGER, never), undefined)
  })

  test(`${name}: an advert beyond its limit is MESSAGE_TOO_LARGE`, async () => {
    await using network = await open({ nodes: 1 })
    const tooLarge = new Uint8Array(MAX_ADVERT_BYTES + 1)
    await assert.rejects(nodeAt(network, 0).directory.advertise(tooLarge, [], never), {
      code: 'MESSAGE_TOO_LARGE',
    })
  })

  test(`${name}: an aborted search ends as CANCELLED`, async () => {
    await using network = await open({ nodes: 2 })
    const { directory } = nodeAt(network, 0)
    const gone = { signal: AbortSignal.abort() }
    await assert.rejects(collect(directory.find('kind=wasm', gone)), { code: 'CANCELLED' })
    await assert.rejects(directory.advertOf(STRANGER, gone), { code: 'CANCELLED' })
  })
}
