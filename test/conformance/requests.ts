import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { HiveError } from '../../node/domain/errors.ts'
import { PROTOCOLS } from '../../node/protocol/protocols.ts'
import { collect } from '../support/collect.ts'
import { nodeAt, type OpenNetwork, type TestNetwork } from '../support/test-network.ts'

const never = new AbortController().signal
const hello = Buffer.from('hello')
/** A peer id that belongs to nobody here. */
const STRANGER = '16Uiu2HAm1G7VSPBTXZQM2qhyuXu4arUdXFetbiXSKMXUz1Q939MG'

/** Resolves when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** Two connected nodes: who asks, and who answers. */
function pair(network: TestNetwork) {
  const caller = nodeAt(network, 0)
  const server = nodeAt(network, 1)
  return { caller, server }
}

/** What every Requests promises. */
export function requestsKeepTheirPromises(name: string, open: OpenNetwork): void {
  test(`${name}: a call brings the handler's answer, and the handler knows who asked`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answer('bid', async (from, request) =>
      Buffer.concat([Buffer.from(from), request]),
    )
    const answer = await caller.requests.call(server.peer, 'bid', hello, { signal: never })
    assert.equal(Buffer.from(answer).toString(), `${caller.peer}hello`)
  })

  test(`${name}: empty and largest messages pass, both ways`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const { maxRequestBytes, maxResponseBytes } = PROTOCOLS.award
    server.requests.answer('award', async (_from, request) =>
      request.byteLength === 0 ? new Uint8Array(maxResponseBytes) : new Uint8Array(),
    )
    const call = (request: Uint8Array): Promise<Uint8Array> =>
      caller.requests.call(server.peer, 'award', request, { signal: never })
    assert.equal((await call(new Uint8Array())).byteLength, maxResponseBytes)
    assert.equal((await call(new Uint8Array(maxRequestBytes))).byteLength, 0)
  })

  test(`${name}: one byte more than the row allows is MESSAGE_TOO_LARGE, both ways`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answer('bid', async () => new Uint8Array(PROTOCOLS.bid.maxResponseBytes + 1))
    const call = (request: Uint8Array): Promise<Uint8Array> =>
      caller.requests.call(server.peer, 'bid', request, { signal: never })
    const tooLong = new Uint8Array(PROTOCOLS.bid.maxRequestBytes + 1)
    await assert.rejects(call(tooLong), { code: 'MESSAGE_TOO_LARGE' })
    await assert.rejects(call(hello), { code: 'MESSAGE_TOO_LARGE' })
  })

  test(`${name}: a handler's error arrives with its code and data`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const data = { price: 5n, tasks: 2, exact: true, missing: ['gpu'], who: 'me' }
    server.requests.answer('bid', async () => {
      throw new HiveError('DECLINED_PRICE', data)
    })
    await assert.rejects(
      caller.requests.call(server.peer, 'bid', hello, { signal: never }),
      (error) => {
        assert.ok(error instanceof HiveError)
        assert.equal(error.code, 'DECLINED_PRICE')
        // integers come back in the one form that the encoding has for them
        assert.deepEqual({ ...error.data, price: BigInt(String(error.data['price'])) }, data)
        return true
      },
    )
  })

  test(`${name}: any other error arrives as INTERNAL and tells nothing`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answer('bid', async () => {
      throw new TypeError('secret path /home/me')
    })
    await assert.rejects(caller.requests.call(server.peer, 'bid', hello, { signal: never }), {
      code: 'INTERNAL',
      data: {},
    })
  })

  test(`${name}: a protocol without a handler is PEER_PROTOCOL`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    await assert.rejects(caller.requests.call(server.peer, 'bid', hello, { signal: never }), {
      code: 'PEER_PROTOCOL',
    })
  })

  test(`${name}: a peer that nobody knows is PEER_UNREACHABLE`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller } = pair(network)
    await assert.rejects(caller.requests.call(STRANGER, 'bid', hello, { signal: never }), {
      code: 'PEER_UNREACHABLE',
    })
    await assert.rejects(caller.requests.call('not a peer id', 'bid', hello, { signal: never }), {
      code: 'PEER_UNREACHABLE',
    })
  })

  test(`${name}: more calls than a minute's quota are PEER_QUOTA`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answer('advert', async () => hello)
    server.requests.answer('cancel', async () => hello)
    const call = (): Promise<Uint8Array> =>
      caller.requests.call(server.peer, 'advert', hello, { signal: never })
    for (let made = 0; made < PROTOCOLS.advert.perPeerPerMinute; made += 1) await call()
    await assert.rejects(call(), { code: 'PEER_QUOTA' })
    // a quota belongs to one protocol
    await caller.requests.call(server.peer, 'cancel', hello, { signal: never })
  })

  test(`${name}: a caller that gives up gets CANCELLED, and the handler learns of it`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const started = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    server.requests.answer('bid', async (_from, request, { signal }) => {
      started.resolve()
      await aborted(signal)
      left.resolve()
      return request
    })
    const stop = new AbortController()
    const call = caller.requests.call(server.peer, 'bid', hello, { signal: stop.signal })
    const refused = assert.rejects(call, { code: 'CANCELLED' })
    await started.promise
    stop.abort()
    await refused
    await left.promise
  })

  test(`${name}: a handler that never answers ends as PEER_UNREACHABLE`, async () => {
    await using network = await open({ nodes: 2, timeoutMs: 300 })
    const { caller, server } = pair(network)
    server.requests.answer('bid', async (_from, request, { signal }) => {
      await aborted(signal)
      return request
    })
    await assert.rejects(caller.requests.call(server.peer, 'bid', hello, { signal: never }), {
      code: 'PEER_UNREACHABLE',
    })
  })

  test(`${name}: a connection cut during a call is STREAM_CUT`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const started = Promise.withResolvers<void>()
    server.requests.answer('bid', async (_from, request, { signal }) => {
      started.resolve()
      await aborted(signal)
      return request
    })
    const call = caller.requests.call(server.peer, 'bid', hello, { signal: never })
    const refused = assert.rejects(call, { code: 'STREAM_CUT' })
    await started.promise
    await network.cut(caller, server)
    await refused
  })

  test(`${name}: a protocol has one handler, of its own kind`, async () => {
    await using network = await open({ nodes: 1 })
    const { requests } = nodeAt(network, 0)
    requests.answer('bid', async () => hello)
    assert.throws(() => requests.answer('bid', async () => hello), { code: 'INTERNAL' })
    assert.throws(() => requests.answer('follow', async () => hello), { code: 'INTERNAL' })
    assert.throws(() => requests.answerStream('cancel', async function* () {}), {
      code: 'INTERNAL',
    })
  })

  test(`${name}: a stream brings its frames in order and ends`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* (from, request) {
      yield Buffer.from(from)
      yield request
      yield new Uint8Array()
      yield new Uint8Array(PROTOCOLS.follow.maxResponseBytes).fill(7)
    })
    const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: never })
    const frames = await collect(stream)
    assert.equal(Buffer.from(frames[0] ?? []).toString(), caller.peer)
    assert.equal(Buffer.from(frames[1] ?? []).toString(), 'hello')
    assert.deepEqual(
      frames.map((frame) => frame.byteLength),
      [caller.peer.length, 5, 0, PROTOCOLS.follow.maxResponseBytes],
    )
  })

  test(`${name}: a stream's error comes after the frames before it`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* (_from, request) {
      yield request
      throw new HiveError('JOB_UNKNOWN', { id: 'x' })
    })
    const frames: Uint8Array[] = []
    const read = async (): Promise<void> => {
      const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: never })
      for await (const frame of stream) frames.push(frame)
    }
    await assert.rejects(read(), { code: 'JOB_UNKNOWN', data: { id: 'x' } })
    assert.equal(frames.length, 1)
  })

  test(`${name}: a frame beyond its limit ends the stream with MESSAGE_TOO_LARGE`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* () {
      yield new Uint8Array(PROTOCOLS.follow.maxResponseBytes + 1)
    })
    const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: never })
    await assert.rejects(collect(stream), { code: 'MESSAGE_TOO_LARGE' })
  })

  test(`${name}: a connection lost before the end frame is STREAM_CUT, not an end`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* (_from, request, { signal }) {
      yield request
      await aborted(signal)
    })
    const read = async (): Promise<void> => {
      const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: never })
      for await (const _frame of stream) await network.cut(caller, server)
    }
    await assert.rejects(read(), { code: 'STREAM_CUT' })
  })

  test(`${name}: silence longer than the time between frames is STREAM_CUT`, async () => {
    await using network = await open({ nodes: 2, timeoutMs: 300 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* (_from, request, { signal }) {
      yield request
      await aborted(signal)
    })
    const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: never })
    await assert.rejects(collect(stream), { code: 'STREAM_CUT' })
  })

  test(`${name}: leaving the loop stops the handler and runs its cleanup`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const cleaned = Promise.withResolvers<boolean>()
    server.requests.answerStream('follow', async function* (_from, request, { signal }) {
      try {
        yield request
        await aborted(signal)
      } finally {
        cleaned.resolve(signal.aborted)
      }
    })
    for await (const _frame of caller.requests.stream(server.peer, 'follow', hello, {
      signal: never,
    })) {
      break
    }
    assert.equal(await cleaned.promise, true)
  })

  test(`${name}: a reader that gives up on a stream gets CANCELLED`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    server.requests.answerStream('follow', async function* (_from, request, { signal }) {
      yield request
      await aborted(signal)
    })
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      const stream = caller.requests.stream(server.peer, 'follow', hello, { signal: stop.signal })
      for await (const _frame of stream) stop.abort()
    }
    await assert.rejects(read(), { code: 'CANCELLED' })
  })

  test(`${name}: a slow reader holds the handler back`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, server } = pair(network)
    const total = 100
    /** Frames of 128 KiB that windows and buffers of both ends may hold together. */
    const mostAhead = 40
    let made = 0
    server.requests.answerStream('follow', async function* () {
      for (; made < total; made += 1) yield new Uint8Array(PROTOCOLS.follow.maxResponseBytes)
    })
    let read = 0
    for await (const _frame of caller.requests.stream(server.peer, 'follow', hello, {
      signal: never,
    })) {
      read += 1
      await delay(5)
      assert.ok(made - read <= mostAhead, `${made - read} frames ahead`)
    }
    assert.equal(read, total)
  })
}
