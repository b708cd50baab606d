import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ChannelPartiesBook } from '../../../../node/adapters/chain/channel-parties.ts'
import { ContractReads } from '../../../../node/adapters/chain/contract-reads.ts'
import { openedFrom } from '../../../../node/adapters/chain/escrow-reads.ts'
import { connectRpc } from '../../../../node/adapters/chain/rpc-endpoint.ts'
import { codeOf } from '../../../../node/domain/errors.ts'

const LATEST = 10_000
const ESCROW = `0x${'e5'.repeat(20)}` as const

test('an endpoint that refuses long ranges is asked for halves, and no block is asked twice or left out', async () => {
  const asked: [number, number][] = []
  await using endpoint = await openEndpoint(500, asked)
  await endpoint.reads.logs(7, [], { signal: AbortSignal.timeout(20_000) })
  const answered = asked.filter(([from, to]) => to - from <= 500).sort(([a], [b]) => a - b)
  assert.equal(answered[0]?.[0], 7)
  assert.equal(answered.at(-1)?.[1], LATEST)
  for (const [at, [from]] of answered.entries()) {
    const before = answered[at - 1]
    if (before !== undefined) assert.equal(from, before[1] + 1)
  }
})

test('an endpoint that refuses every range is given up', async () => {
  await using endpoint = await openEndpoint(0, [])
  const reading = endpoint.reads.logs(0, [], { signal: AbortSignal.timeout(20_000) })
  await assert.rejects(reading, (error) => codeOf(error) === 'CHAIN_UNREACHABLE')
})

test('a block that the chain has not reached yet has no events', async () => {
  await using endpoint = await openEndpoint(0, [])
  const signal = AbortSignal.timeout(20_000)
  assert.deepEqual(await endpoint.reads.logs(LATEST + 1, [], { signal }), [])
})

test('one answer about openings covers 50,000 blocks, and says how many more there are', async () => {
  const asked: [number, number][] = []
  const newest = 120_000
  await using endpoint = await openEndpoint(Infinity, asked, newest)
  const parties = new ChannelPartiesBook(endpoint.reads, { chainId: 31337, fromBlock: 0 })
  const account = `0x${'a1'.repeat(20)}` as const
  const openings = async (fromBlock: number) =>
    openedFrom(
      endpoint.reads,
      parties,
      { account, fromBlock },
      { signal: AbortSignal.timeout(20_000) },
    )
  assert.deepEqual(await openings(7), { channels: [], upTo: 50_006, newest })
  assert.ok(asked.every(([from, to]) => from === 7 && to === 50_006))
  assert.equal((await openings(100_000)).upTo, newest)
  assert.equal((await openings(newest + 1)).upTo, newest)
})

/** An endpoint that knows its height and serves logs of at most `longest` blocks at a time. */
async function openEndpoint(longest: number, asked: [number, number][], latest = LATEST) {
  const answer = (method: string, params: readonly unknown[]): object => {
    if (method === 'eth_chainId') return { result: '0x7a69' }
    if (method === 'eth_blockNumber') return { result: `0x${latest.toString(16)}` }
    const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }]
    const range: [number, number] = [Number(fromBlock), Number(toBlock)]
    asked.push(range)
    return range[1] - range[0] <= longest
      ? { result: [] }
      : { error: { code: -32005, message: 'range too long' } }
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { id, method, params } = JSON.parse(body) as {
        id: number
        method: string
        params: unknown[]
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params) }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rpc = await connectRpc(url, 31337, AbortSignal.timeout(5000))
  return {
    reads: new ContractReads(rpc, ESCROW),
    async [Symbol.asyncDispose]() {
      rpc.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
