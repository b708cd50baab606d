import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { HiveError } from '../../node/domain/errors.ts'
import type { Duplex, DuplexHandler } from '../../node/ports/conversations.ts'
import { PROTOCOLS } from '../../node/protocol/protocols.ts'
import { nodeAt, type OpenNetwork, type TestNetwork } from '../support/test-network.ts'

const never = new AbortController().signal
const hello = Buffer.from('hello')

/** Opens a two-way stream from the first node to a handler on the second. */
async function converse(network: TestNetwork, handler: DuplexHandler, signal = never) {
  const caller = nodeAt(network, 0)
  const server = nodeAt(network, 1)
  server.requests.answerDuplex('exec', handler)
  const line = await caller.requests.open(server.peer, 'exec', hello, { signal })
  return { caller, server, line }
}

/** Everything until the other end's end frame. */
async function readAll(line: Duplex): Promise<string[]> {
  const said: string[] = []
  for (;;) {
    const frame = await line.read()
    if (frame === undefined) return said
    said.push(Buffer.from(frame).toString())
  }
}

/** What the two-way streams of every Requests promise. */
export function duplexKeepsItsPromises(name: string, open: OpenNetwork): void {
  test(`${name}: both ends say frames in order, know each other, and end for themselves`, async () => {
    await using network = await open({ nodes: 2 })
    const { caller, line: opened } = await converse(network, async (from, request, line) => {
      await line.write(Buffer.concat([Buffer.from(from), request]))
      const said = await readAll(line)
      // the caller has ended, this end has not
      for (const each of said.toReversed()) await line.write(Buffer.from(each))
    })
    using line = opened
    for (const each of ['one', '', 'three']) await line.write(Buffer.from(each))
    await line.end()
    assert.deepEqual(await readAll(line), [`${caller.peer}hello`, 'three', '', 'one'])
    assert.equal(await line.read(), undefined)
  })

  test(`${name}: a handler that returns ends the conversation though its caller would go on`, async () => {
    await using network = await open({ nodes: 2 })
    const { line: opened } = await converse(network, async (_from, _request, line) => {
      await line.write(hello)
    })
    using line = opened
    assert.deepEqual(await readAll(line), ['hello'])
  })

  test(`${name}: a handler's error arrives with its code, after the frames before it`, async () => {
    await using network = await open({ nodes: 2 })
    const { line: opened } = await converse(network, async (_from, _request, line) => {
      await line.write(hello)
      throw new HiveError('DECLINED_PRICE', { price: 'none' })
    })
    using line = opened
    assert.equal(Buffer.from((await line.read()) ?? []).toString(), 'hello')
    await assert.rejects(line.read(), { code: 'DECLINED_PRICE', data: { price: 'none' } })
  })

  test(`${name}: the largest frame passes both ways, and one byte more is MESSAGE_TOO_LARGE`, async () => {
    await using network = await open({ nodes: 2 })
    const { maxResponseBytes: most } = PROTOCOLS.exec
    const { line: opened } = await converse(network, async (_from, _request, line) => {
      const frame = await line.read()
      if (frame !== undefined) await line.write(frame)
      await line.write(new Uint8Array(most + 1))
    })
    using line = opened
    await assert.rejects(line.write(new Uint8Array(most + 1)), { code: 'MESSAGE_TOO_LARGE' })
    await line.write(new Uint8Array(most).fill(7))
    assert.equal((await line.read())?.byteLength, most)
    await assert.rejects(line.read(), { code: 'MESSAGE_TOO_LARGE' })
  })

  test(`${name}: a connection cut is STREAM_CUT at both ends, never a clean end`, async () => {
    await using network = await open({ nodes: 2 })
    const heard = Promise.withResolvers<unknown>()
    const {
      caller,
      server,
      line: opened,
    } = await converse(network, async (_f, _r, line) => {
      await line.write(hello)
      await line.read().then(heard.resolve, heard.resolve)
    })
    using line = opened
    await line.read()
    const lost = assert.rejects(line.read(), { code: 'STREAM_CUT' })
    await network.cut(caller, server)
    await lost
    assert.equal((await heard.promise) instanceof HiveError, true)
    assert.equal(((await heard.promise) as HiveError).code, 'STREAM_CUT')
    await assert.rejects(line.write(hello), { code: 'STREAM_CUT' })
  })

  test(`${name}: a caller that leaves is STREAM_CUT for the handler, whose signal aborts`, async () => {
    await using network = await open({ nodes: 2 })
    const left = Promise.withResolvers<[unknown, boolean]>()
    const { line } = await converse(network, async (_from, _request, end, { signal }) => {
      await end.write(hello)
      const fault = await end.read().catch((error: unknown) => error)
      left.resolve([fault, signal.aborted])
    })
    await line.read()
    line[Symbol.dispose]()
    const [fault, isAborted] = await left.promise
    assert.equal((fault as HiveError).code, 'STREAM_CUT')
    assert.equal(isAborted, true)
  })

  test(`${name}: a caller that gives up gets CANCELLED from what it waits for`, async () => {
    await using network = await open({ nodes: 2 })
    const stop = new AbortController()
    const { line: opened } = await converse(
      network,
      async (_from, _request, line) => void (await line.read()),
      stop.signal,
    )
    using line = opened
    const read = assert.rejects(line.read(), { code: 'CANCELLED' })
    stop.abort()
    await read
    await assert.rejects(line.write(hello), { code: 'CANCELLED' })
  })

  test(`${name}: a conversation may be silent for longer than its protocol's time: both ends live`, async () => {
    await using network = await open({ nodes: 2, timeoutMs: 300 })
    const { line: opened } = await converse(network, async (_from, _request, line) => {
      for (let said = await line.read(); said !== undefined; said = await line.read())
        await line.write(said)
    })
    using line = opened
    const answer = line.read()
    await delay(1000)
    await line.write(hello)
    assert.equal(Buffer.from((await answer) ?? []).toString(), 'hello')
  })

  for (const [slow, sender] of [
    ['caller', 'handler'],
    ['handler', 'caller'],
  ]) {
    test(`${name}: a slow ${slow} holds the ${sender} back, also past its protocol's time`, async () => {
      await using network = await open({ nodes: 2, timeoutMs: 500 })
      const total = 100
      /** Frames that windows and buffers of both ends may hold together. */
      const mostAhead = 40
      let made = 0
      const send = async (line: Duplex): Promise<void> => {
        for (; made < total; made += 1)
          await line.write(new Uint8Array(PROTOCOLS.exec.maxResponseBytes))
        await line.end()
      }
      const receive = async (line: Duplex): Promise<void> => {
        let read = 0
        await delay(1000)
        while ((await line.read()) !== undefined) {
          read += 1
          assert.ok(made - read <= mostAhead, `${made - read} frames ahead`)
        }
        assert.equal(read, total)
      }
      const [atCaller, atHandler] = slow === 'caller' ? [receive, send] : [send, receive]
      const { line: opened } = await converse(network, async (_from, _request, line) =>
        atHandler(line),
      )
      using line = opened
      await atCaller(line)
      await line.end()
      assert.equal(await line.read(), undefined)
    })
  }

  test(`${name}: a two-way protocol has one handler, of its own kind`, async () => {
    await using network = await open({ nodes: 1 })
    const { requests } = nodeAt(network, 0)
    const nothing: DuplexHandler = async () => undefined
    requests.answerDuplex('exec', nothing)
    assert.throws(() => requests.answerDuplex('exec', nothing), { code: 'INTERNAL' })
    assert.throws(() => requests.answerDuplex('follow', nothing), { code: 'INTERNAL' })
    assert.throws(() => requests.answer('forward', async () => hello), { code: 'INTERNAL' })
  })
}
