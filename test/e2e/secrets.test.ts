import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { test } from 'node:test'
import type { PeerBody } from '../../node/api/schemas/node.ts'
import { brokenProgram } from '../support/broken-program.ts'
import { filesWith } from '../support/found-in.ts'
import { allResults, ended, printedSomewhere, stdoutOf, submit } from './support/jobs.ts'
import { patience, SharedNetwork } from './support/shared-network.ts'

/** How long a task takes in the middle of which nodes are killed, ms: on a busy machine that takes seconds. */
const LONG_MS = '10000'
const PRICES = ['0.002', '0.003']

const broken = brokenProgram('bwrap')

const network = new SharedNetwork({
  requesters: 1,
  providers: 2,
  provider: (number) => ({
    kinds: ['wasm'],
    prices: { perTask: PRICES[number] ?? '' },
    resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
  }),
  // what is searched for secrets is all that a node can be made to say
  change: async (_name, initial) => ({ ...initial, log: { level: 'debug' } }),
  through: (name) => (name === 'provider-2' ? broken.through : []),
})
const requester = () => network.client('requester-1')

/** The files of all nodes, logs included, that hold a text as it is, in hex or in base64. */
async function everywhere(text: string): Promise<string[]> {
  const bytes = Buffer.from(text)
  // from each of three places on, base64 of the same bytes looks different
  const base64 = [0, 1, 2].map((at) => bytes.subarray(at).toString('base64').slice(0, -4))
  const folder = dirname(network.node('requester-1').dir)
  return filesWith([text, bytes.toString('hex'), ...base64], folder)
}

test('secrets cross to the provider that won, and no file, log or answer of any node holds them', async () => {
  const client = await requester()
  const [marker, variable, file] = [randomUUID(), randomUUID(), randomUUID()]
  const secrets = { TOKEN: variable, '/run/secrets/key': file }
  const env = { MARKER: marker }
  const id = await submit(client, { args: ['sleep', '3000'], env, secrets })
  const first = network.nodeAt(await printedSomewhere(client, id))
  assert.equal(first.name, 'provider-1', 'the cheaper one is asked first')
  // what is not secret is found by the same search: by the requester, and by its provider
  assert.ok((await everywhere(marker)).length >= 2)
  const logs = network.nodes.map(({ dir }) => `${dir}.log`)
  assert.ok((await filesWith(['Z debug '], ...logs)).length > 0)
  for (const value of [variable, file]) assert.deepEqual(await everywhere(value), [])
  const bodies = []
  for (const node of network.nodes) {
    const there = await network.client(node.name)
    for (const path of ['/v1/jobs', '/v1/work', '/v1/status'])
      bodies.push(await there.get<unknown>(path, { signal: patience() }))
  }
  bodies.push(await client.get<unknown>(`/v1/jobs/${id}`), await ended(client, id))
  bodies.push(await client.get<unknown>(`/v1/jobs/${id}/bundle`))
  const told = JSON.stringify(bodies)
  assert.ok(told.includes(marker))
  for (const value of [variable, file]) assert.equal(told.includes(value), false)
  assert.equal((await ended(client, id)).state, 'settled')
  for (const value of [variable, file]) assert.deepEqual(await everywhere(value), [])
})

test('the task finds them: the variable, and the file with any bytes', async () => {
  const client = await requester()
  const secrets = { GREETING: 'hei på deg', '/run/secrets/key': 'a\u0000b\n' }
  const echo = await ended(client, await submit(client, { args: ['echo', '0', 'x'], secrets }))
  const [result] = allResults(echo)
  const stderr = await client.download(result?.stderr.cid ?? '', { signal: patience() })
  assert.equal(Buffer.from(stderr).toString(), 'hei på deg\n')
  const args = ['copy', '/run/secrets/key', '/out/copy']
  const copy = await ended(client, await submit(client, { args, secrets }))
  const [file] = allResults(copy)[0]?.files ?? []
  const bytes = await client.download(file?.cid ?? '', { signal: patience() })
  assert.equal(Buffer.from(bytes).toString(), secrets['/run/secrets/key'])
})

test('requester and provider killed in the middle: the secrets reach the next provider after the restart', async () => {
  const client = await requester()
  const secrets = { GREETING: randomUUID() }
  const id = await submit(client, { args: ['sleep', LONG_MS], secrets, attempts: 3 })
  const victim = network.nodeAt(await printedSomewhere(client, id))
  await network.kill('requester-1')
  await network.kill(victim.name)
  await network.restart('requester-1')
  const again = await requester()
  const job = await ended(again, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.equal(await stdoutOf(again, job), 'before\nafter\n')
  const other = network.nodes.find(
    ({ name }) => name.startsWith('provider') && name !== victim.name,
  )
  assert.equal(job.shares.at(-1)?.provider, other?.address)
})

test(
  'a provider whose bubblewrap does not work serves without it, and its advert says so',
  { skip: broken.missing },
  async () => {
    const { address } = network.node('provider-2')
    const { peers } = await (await requester()).get<{ peers: PeerBody[] }>('/v1/peers')
    const advert = peers.find((peer) => peer.address === address)
    assert.deepEqual(advert?.hardware?.sandboxes, { wasm: 'node permission model' })
  },
)
