import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Directory } from '../../../node/ports/directory.ts'
import { Presence } from '../../../node/services/presence.ts'
import { TEST_HARDWARE, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('peers whose key cannot be an account are left out, and do not hide the others', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  // libp2p's usual kind of key, which any stranger may connect with
  const stranger = '12D3KooWHHzSeKaY8xuZVzkLbKFfvNgPPeKhFBGrMbNzbm5akpqu'
  const peers = [stranger, bob.signing.peer]
  const directory: Directory = {
    addresses: () => [],
    connected: () => peers.map((peer) => ({ peer, addresses: [], latencyMs: undefined })),
    dial: async () => stranger,
    advertise: async () => {},
    withdraw: async () => {},
    async *find() {
      yield* peers
    },
    advertOf: async () => undefined,
  }
  await using presence = new Presence(
    { ...market.parts(alice), directory },
    { network: 'test', kinds: [], hardware: TEST_HARDWARE },
  )
  const only = [bob.signing.address]
  assert.deepEqual(
    (await presence.peers(signal)).map(({ address }) => address),
    only,
  )
  assert.deepEqual(
    (await presence.find({ tags: [['kind=wasm']], accepts: () => true }, signal)).map(
      ({ address }) => address,
    ),
    only,
  )
})
