import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_BYTES32 } from '../../../node/domain/ids.ts'
import { MiB, second } from '../../../node/domain/units.ts'
import { chained } from '../../../node/protocol/output-chain.ts'
import { MAX_PRINTED_BYTES, PrintedOutput } from '../../../node/services/provider/printed-output.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import { ShareLog } from '../../../node/services/provider/share-log.ts'
import { workOutput } from '../../../node/services/provider/work-output.ts'
import { collect } from '../../support/collect.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import {
  aRequest,
  finished,
  started,
  TestMarket,
  until,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Follows a log as `clock` goes; the output that was told. */
function follow(log: ShareLog, clock: ManualClock): string[] {
  const told: string[] = []
  void (async () => {
    for await (const event of log.read(0, clock, signal))
      if (event.type === 'log') told.push(`${event.stream} ${textOf(event.bytes)}`)
  })()
  return told
}

/** What is kept of the stdout of a task. */
const keptOf = (output: PrintedOutput, index: number, from = 0) =>
  [...output.since(index, 1, from)].map(({ at, bytes }) => [at, String(bytes)])

test('work logs: what tasks have printed is there to see, and looking does not count as following', async () => {
  const log = new ShareLog()
  log.output.add(0, 1, Buffer.from('o'))
  log.output.add(0, 1, Buffer.from('ut'))
  log.output.add(1, 2, Buffer.from('err'))
  let followed = false
  void log.followed.then(() => (followed = true))
  assert.deepEqual(keptOf(log.output, 0), [[0, 'out']])
  assert.deepEqual(keptOf(log.output, 0, 2), [[2, 't']])
  assert.deepEqual(
    [...log.output.since(1, 2, 0)].map(({ bytes }) => String(bytes)),
    ['err'],
  )
  await Promise.resolve()
  assert.equal(followed, false)
})

test('work logs: the first output is told at once, and what comes shortly after it as one piece', async () => {
  const log = new ShareLog()
  const clock = new ManualClock()
  const told = follow(log, clock)
  const print = (stream: number, text: string) => log.addOutput(0, stream, Buffer.from(text))
  print(1, 'a')
  await clock.advance(0)
  assert.deepEqual(told, ['1 a'])
  for (const text of ['b', 'c']) print(1, text)
  await clock.advance(20)
  print(1, 'd')
  assert.deepEqual(told, ['1 a'])
  await clock.advance(30)
  assert.deepEqual(told, ['1 a', '1 bcd'])
  // the order of the two streams stays as it was
  for (const stream of [1, 2, 1]) print(stream, 'x')
  await clock.advance(100)
  assert.deepEqual(told.slice(2), ['1 x', '2 x', '1 x'])
})

test('work logs: an event is told after the output before it, and the chain over the output is the follower’s', async () => {
  const log = new ShareLog()
  for (const text of ['a', 'b']) log.addOutput(0, 1, Buffer.from(text))
  const { digest } = log
  log.addOutput(0, 1, Buffer.from('c'))
  log.add({ type: 'failed', code: 'INTERNAL' })
  const events = await collect(log.read(0, new ManualClock(), signal))
  const said = events.map((event) => (event.type === 'log' ? textOf(event.bytes) : event.type))
  assert.deepEqual(said, ['ab', 'c', 'failed'])
  assert.equal(digest, chained(ZERO_BYTES32, Buffer.from('ab')))
  assert.equal(log.digest, chained(digest, Buffer.from('c')))
})

test('work logs: a task that prints by the byte fills its room with far fewer pieces than bytes', async () => {
  const log = new ShareLog()
  for (let turn = 0; turn < 200_000; turn++) log.addOutput(0, 1 + (turn % 2), Buffer.of(120))
  log.add({ type: 'failed', code: 'INTERNAL' })
  const told = await collect(log.read(0, new ManualClock(), signal))
  const pieces = told.filter(({ type }) => type === 'log').length
  assert.ok(pieces > 0 && pieces <= 65_536, `${pieces} pieces are kept`)
})

test('work logs: what is kept and not sent is no part of what heartbeats and followers tell', async () => {
  const log = new ShareLog()
  log.output.add(0, 1, Buffer.from('only here'))
  assert.equal(log.digest, ZERO_BYTES32)
  log.add({ type: 'failed', code: 'INTERRUPTED' })
  const told = await collect(log.read(0, new ManualClock(), signal))
  assert.deepEqual(told, [{ type: 'failed', code: 'INTERRUPTED' }])
})

test('work logs: the memory for what running tasks print is bounded; the oldest goes first, and is counted', () => {
  const output = new PrintedOutput()
  output.add(0, 1, Buffer.from('first'))
  for (let written = 0; written < MAX_PRINTED_BYTES; written += MiB)
    output.add(1, 1, Buffer.alloc(MiB, 'x'))
  assert.deepEqual(keptOf(output, 0), [])
  const kept = [...output.since(1, 1, 0)].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  assert.equal(kept, MAX_PRINTED_BYTES)
  output.add(1, 1, Buffer.from('last'))
  const parts = [...output.since(1, 1, 0)]
  assert.ok((parts[0]?.at ?? 0) > 0)
  assert.equal(String(parts.at(-1)?.bytes), 'last')
  output.add(0, 1, Buffer.from('second'))
  assert.deepEqual(keptOf(output, 0), [[5, 'second']])
})

test('work logs: what a task has printed is let go of when its result has it', () => {
  const output = new PrintedOutput()
  output.add(0, 1, Buffer.from('out'))
  const file = { path: '/stdout', cid: 'b', size: 3 }
  const usage = { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0, bytesIn: 0, bytesOut: 0 }
  const end = { index: 0, reason: 'exit', exitCode: 0, detail: '', files: [], usage } as const
  output.end({ ...end, stdout: file, stderr: file })
  assert.deepEqual(keptOf(output, 0), [])
  assert.deepEqual(output.ended(0)?.stdout, file)
})

/** All that is told of the only share of a provider, as text by task. */
async function toldBy(
  { works }: Provider,
  { blobs }: Member,
  query: { readonly task?: number; readonly follow?: boolean } = {},
): Promise<Record<string, string>> {
  const [work] = await works.all()
  assert.ok(work)
  const told: Record<string, string> = {}
  const { task, follow = false } = query
  const output = workOutput({ works, blobs }, work, { task, follow }, signal)
  for await (const { index, stream, bytes } of output) {
    const key = `${index}/${stream}`
    told[key] = (told[key] ?? '') + new TextDecoder().decode(bytes)
  }
  return told
}

/** A provider whose tasks do not send their output; tasks print `before`, sleep for a time, and print `after`. */
async function silent(sleepMs: number, tasks = 1) {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const requester = await market.requester(alice, { lostAfterMs: 10 * second })
  const provider = await market.provider(bob)
  const spec = { args: [String(sleepMs)], stream: false, tasks }
  const { id } = await requester.submit(
    await aRequest(alice, { sleepArgs: true }, { spec }),
    signal,
  )
  return { market, requester, provider, bob, id }
}

test('work logs: output that is not sent is told while its task runs, and followed to the end of the share', async () => {
  const it = await silent(300)
  await using requester = it.requester
  await using provider = it.provider
  await started(requester)
  const [work] = await provider.works.all()
  assert.ok(work)
  const { output } = provider.works.log(work)
  while (keptOf(output, 0).length === 0) await output.changedSince(output.version, signal)
  assert.deepEqual(await toldBy(provider, it.bob), { '0/1': 'before\n' })
  assert.deepEqual(await toldBy(provider, it.bob, { follow: true }), { '0/1': 'before\nafter\n' })
  await finished(requester, it.id)
})

test('work logs: of tasks that have ended they are told from the results, also after a restart', async () => {
  const it = await silent(0, 3)
  await using requester = it.requester
  await finished(requester, it.id)
  const all = { '0/1': 'before\nafter\n', '1/1': 'before\nafter\n', '2/1': 'before\nafter\n' }
  assert.deepEqual(await toldBy(it.provider, it.bob), all)
  await it.provider[Symbol.asyncDispose]()
  await using again = await it.market.provider(it.market.rejoin(it.bob))
  assert.deepEqual(await toldBy(again, it.bob, { follow: true }), all)
  assert.deepEqual(await toldBy(again, it.bob, { task: 1 }), { '1/1': 'before\nafter\n' })
  assert.deepEqual(await toldBy(again, it.bob, { task: 9 }), {})
})

test('work logs: results that were swept are not looked for elsewhere: they are CONTENT_NOT_FOUND', async () => {
  const it = await silent(0)
  await using requester = it.requester
  await using provider = it.provider
  await finished(requester, it.id)
  const keep = (async function* () {})()
  await it.bob.blobs.sweep({ keep, cacheBytes: 0, unusedSince: Infinity, signal })
  await assert.rejects(toldBy(provider, it.bob), { code: 'CONTENT_NOT_FOUND' })
})

test('work logs: a share is found by the start of its id', async () => {
  const it = await silent(0)
  await using requester = it.requester
  await using provider = it.provider
  await until(requester.book.updates, async () => (await provider.works.all()).length === 1)
  const [work] = await provider.works.all()
  assert.ok(work)
  assert.equal((await provider.works.find(work.id.slice(0, 10))).id, work.id)
  await assert.rejects(provider.works.find('0x'), { code: 'AGREEMENT_UNKNOWN' })
  const other = work.id.startsWith('0x00') ? '0x11' : '0x00'
  await assert.rejects(provider.works.find(other), { code: 'AGREEMENT_UNKNOWN' })
  await finished(requester, it.id)
})
