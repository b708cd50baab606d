import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModuleShelf } from '../../../../node/adapters/wasm/module-shelf.ts'

test('module shelf: the least recently used goes first, and what is in use stays', () => {
  const shelf = new ModuleShelf(100)
  assert.deepEqual(shelf.put('a', 'image a', 40), [])
  assert.deepEqual(shelf.put('b', 'image b', 40), [])
  assert.equal(shelf.acquire('a'), true)
  shelf.release('a')
  assert.deepEqual(shelf.put('c', 'image c', 40), ['b'])
  assert.equal(shelf.acquire('b'), false)
  assert.equal(shelf.acquire('a'), true)
  assert.deepEqual(shelf.put('d', 'image d', 60), ['c'])
  assert.equal(shelf.holdsImage('image a'), true)
  assert.equal(shelf.holdsImage('image c'), false)
})

test('module shelf: one larger than the room is held until the next comes', () => {
  const shelf = new ModuleShelf(100)
  assert.deepEqual(shelf.put('huge', 'huge', 500), [])
  assert.equal(shelf.acquire('huge'), true)
  shelf.release('huge')
  assert.deepEqual(shelf.put('a', 'a', 1), ['huge'])
})
