import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visibilityFaults } from '../../../node/domain/visibility.ts'

const faults = (changes: Partial<Parameters<typeof visibilityFaults>[0]> = {}) =>
  visibilityFaults({ connected: 3, cutTopics: 0, relayed: false, sightings: [], ...changes })

test('a node that nobody is connected to is alone, and nothing else is said of it', () => {
  assert.deepEqual(faults({ connected: 0, cutTopics: 2, sightings: [{ listed: false }] }), [
    'NODE_ALONE',
  ])
})

test('what nobody who answered sees is a fault; one who does is enough', () => {
  assert.deepEqual(faults(), [])
  const blind = { listed: false, reached: false }
  assert.deepEqual(faults({ sightings: [blind, blind] }), ['NODE_UNLISTED', 'NODE_UNREACHABLE'])
  assert.deepEqual(faults({ sightings: [blind, { listed: true }] }), ['NODE_UNREACHABLE'])
  assert.deepEqual(faults({ sightings: [blind, { listed: true, reached: true }] }), [])
  assert.deepEqual(faults({ relayed: true, sightings: [blind] }), ['NODE_UNLISTED'])
  assert.deepEqual(faults({ sightings: [{ listed: true }] }), [], 'nobody could even try')
})

test('a topic on which others listen, but pass nothing on, is a fault of its own', () => {
  assert.deepEqual(faults({ cutTopics: 1 }), ['NODE_UNHEARD'])
})
