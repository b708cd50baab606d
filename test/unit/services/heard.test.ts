import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Heard } from '../../../node/services/requester/heard.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (heard: Heard, said: string, stream = 1) =>
  new TextDecoder().decode(heard.unheard(0, stream, bytes(said)))

test('what a new life tells again is passed over to the byte, however it is cut, and the rest is heard', () => {
  const heard = new Heard(0)
  assert.deepEqual(
    [text(heard, 'abc'), text(heard, 'def'), text(heard, 'E', 2)],
    ['abc', 'def', 'E'],
  )
  heard.next = 9
  heard.restarted(1)
  assert.deepEqual([heard.life, heard.next], [1, 0])
  heard.began(0, true)
  assert.deepEqual([text(heard, 'ab'), text(heard, 'cdefgh'), text(heard, 'i')], ['', 'gh', 'i'])
  assert.equal(text(heard, 'EF', 2), 'F')
})

test('a task that is begun again is heard from its start; one life more loses nothing', () => {
  const heard = new Heard(0)
  text(heard, 'abc')
  heard.restarted(1)
  heard.began(0, false)
  assert.equal(text(heard, 'ax'), 'ax')
  heard.restarted(2)
  heard.began(0, true)
  assert.deepEqual([text(heard, 'a'), text(heard, 'xy')], ['', 'y'])
})
