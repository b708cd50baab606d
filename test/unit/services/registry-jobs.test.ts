import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RegistryImage } from '../../../node/domain/registry-image.ts'
import type { Registries } from '../../../node/ports/registries.ts'
import { rawCid } from '../../../node/protocol/cid.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { aRequest, finished, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
const SHA256 = 'ab'.repeat(32)
const IMAGE = { path: '/image', cid: rawCid(`0x${SHA256}`), size: 0 }

/** Registries that note what is pulled from them. */
function registries(...names: string[]): Registries & { readonly pulled: RegistryImage[] } {
  const pulled: RegistryImage[] = []
  return {
    names,
    pulled,
    allows: (registry) => names.includes(registry),
    pull: async (image) => {
      pulled.push(image)
      const layer = fakeImage({ stdout: `of ${image.name}` })
      return { config: new Uint8Array(), layers: [async () => layer] }
    },
  }
}

async function request(member: Member, repository: string, tasks = 1) {
  const spec = { kind: 'docker', image: IMAGE, repository, tasks } as const
  return aRequest(member, {}, { spec, bidWindowMs: 500, attempts: 1 })
}

test('a job of a registry’s image is heard by those alone that pull from there, and pulled once', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const [own, other] = [registries('registry.example'), registries('other.example')]
  const sandboxes = () => [createFakeSandbox('docker')]
  await using requester = await market.requester(alice)
  await using _none = await market.provider(market.member(), {}, { sandboxes: sandboxes() })
  await using _other = await market.provider(
    market.member(),
    {},
    { sandboxes: sandboxes(), registries: other },
  )
  const bob = market.member()
  await using _bob = await market.provider(bob, {}, { sandboxes: sandboxes(), registries: own })
  const { id } = await requester.submit(
    await request(alice, 'registry.example/team/app', 6),
    signal,
  )
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(
    new Set((await requester.book.sharesOf(done)).map(({ provider }) => provider)),
    new Set([bob.signing.address]),
  )
  assert.deepEqual(own.pulled, [{ registry: 'registry.example', name: 'team/app', sha256: SHA256 }])
  assert.deepEqual(other.pulled, [])
})

test('nobody pulls from a registry that no provider has', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const some = registries('other.example')
  const sandboxes = [createFakeSandbox('docker')]
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member(), {}, { sandboxes, registries: some })
  const { id } = await requester.submit(await request(alice, 'registry.example/app'), signal)
  const done = await finished(requester, id)
  assert.equal(done.state, 'failed')
  assert.deepEqual(some.pulled, [])
})
