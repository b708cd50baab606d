import assert from 'node:assert/strict'
import { test } from 'node:test'
import { through, type EventChange } from '../../support/through.ts'
import { aRequest, finished, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
/** Longer than the time between two signs of life. */
const SLEEP_MS = 2300

/** A job that prints and then is silent, at a provider whose events are changed; resolves with its share. */
async function quietJob(change: (bob: Member, heard: Uint8Array[]) => EventChange) {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const heard: Uint8Array[] = []
  const requests = through(bob.node.requests, change(bob, heard))
  await using _provider = await market.provider(bob, {}, { requests })
  await using requester = await market.requester(alice)
  const request = await aRequest(alice, { stdout: 'up\n', sleepMs: SLEEP_MS }, { attempts: 1 })
  const job = await finished(requester, (await requester.submit(request, signal)).id)
  const [share] = await requester.book.sharesOf(job)
  return {
    share,
    beats: heard.map(
      (bytes) => bob.signing.openFrom('Heartbeat', bytes, [bob.signing.address]).message,
    ),
  }
}

test('the provider of a job that is not paid by the second signs that it works on it, and what it has told', async () => {
  const { share, beats } = await quietJob((_, heard) => (event) => {
    if (event.type === 'beat' && event.heartbeat !== undefined) heard.push(event.heartbeat)
    return [event]
  })
  assert.equal(share?.state, 'settled')
  const [beat] = beats
  assert.ok(beat)
  assert.deepEqual([beat.agreement, beat.seq, beat.closing], [share.id, 1, false])
  assert.ok(beat.elapsedMs >= 2000 && beat.elapsedMs <= 2 * SLEEP_MS, `${beat.elapsedMs} ms`)
})

test('a sign of life without a signature, of another key, or about other output ends the share with its code', async () => {
  const stranger = new TestMarket()
  const others = [stranger.member(), stranger.member(), stranger.member()]
  const resealed = (by: Member | undefined, changes: object) => (bob: Member) => {
    const change: EventChange = (event) => {
      if (event.type !== 'beat' || event.heartbeat === undefined) return [event]
      const { message } = bob.signing.open('Heartbeat', event.heartbeat)
      const { signing } = by ?? bob
      return [
        { type: 'beat', heartbeat: signing.seal('Heartbeat', { ...message, ...changes }).bytes },
      ]
    }
    return change
  }
  const unsigned = (): EventChange => (event) => [event.type === 'beat' ? { type: 'beat' } : event]
  const digest = `0x${'d1'.repeat(32)}`
  const shares = await Promise.all([
    quietJob(unsigned),
    quietJob(resealed(others.at(-1), {})),
    quietJob(resealed(undefined, { digest })),
  ])
  assert.deepEqual(
    shares.map(({ share }) => [share?.state, share?.error, share?.amount]),
    [
      ['failed', 'HEARTBEAT_INVALID', undefined],
      ['failed', 'SIGNATURE_INVALID', undefined],
      ['failed', 'HEARTBEAT_INVALID', undefined],
    ],
  )
})
