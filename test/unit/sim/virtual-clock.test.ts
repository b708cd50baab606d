import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Randomness, seededSource } from '../../../scripts/sim/time/randomness.ts'
import { VirtualClock } from '../../../scripts/sim/time/virtual-clock.ts'
import { clockKeepsItsPromises } from '../../conformance/clock.ts'

clockKeepsItsPromises('virtual clock', () => {
  const clock = new VirtualClock()
  return { clock, pass: async (ms) => clock.run(() => false, clock.now() + ms) }
})

test('what an event sets going has waited for its next event before another one happens', async () => {
  const clock = new VirtualClock()
  const seen: string[] = []
  const work = async (name: string, ms: number): Promise<void> => {
    await clock.pass(ms)
    for (let step = 0; step < 3; step++) await Promise.resolve()
    seen.push(`${name} at ${clock.elapsed}`)
    await clock.pass(ms)
    seen.push(`${name} at ${clock.elapsed}`)
  }
  const all = Promise.all([work('a', 10), work('b', 15)])
  await clock.run(() => false)
  await all
  assert.deepEqual(seen, ['a at 10', 'b at 15', 'a at 20', 'b at 30'])
})

test('many events happen in the order of their times, and those of one time as they were asked for', async () => {
  const clock = new VirtualClock()
  const random = new Randomness(7, 'times')
  const wanted = Array.from({ length: 500 }, (_, at) => [random.below(50), at] as const)
  const seen: (readonly [number, number])[] = []
  for (const [ms, at] of wanted) clock.after(ms, () => seen.push([ms, at]))
  await clock.run(() => false)
  assert.deepEqual(
    seen,
    wanted.toSorted(([a, i], [b, j]) => a - b || i - j),
  )
})

test('a seed gives the same numbers again, and another seed or name gives others', () => {
  const draw = (seed: number, name: string) => {
    const random = new Randomness(seed, name)
    return Array.from({ length: 8 }, () => random.word())
  }
  assert.deepEqual(draw(1, 'a'), draw(1, 'a'))
  assert.notDeepEqual(draw(1, 'a'), draw(2, 'a'))
  assert.notDeepEqual(draw(1, 'a'), draw(1, 'b'))
})

test('the secure source is seeded only until that is disposed', () => {
  const draw = () => globalThis.crypto.getRandomValues(new Uint8Array(16)).toString()
  const seeded = () => {
    using _source = seededSource(3)
    return draw()
  }
  assert.equal(seeded(), seeded())
  assert.notEqual(draw(), draw())
})
