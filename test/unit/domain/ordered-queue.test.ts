import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OrderedQueue } from '../../../node/domain/ordered-queue.ts'

test('an ordered queue gives back what was put in, in order, also when it is filled in between', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (first, second) => {
      const queue = new OrderedQueue<number>((a, b) => a < b)
      for (const each of first) queue.push(each)
      const taken = first.length > 0 ? [queue.pop()] : []
      for (const each of second) queue.push(each)
      const rest = [...first.toSorted((a, b) => a - b).slice(1), ...second].toSorted(
        (a, b) => a - b,
      )
      assert.deepEqual(taken, first.length > 0 ? [Math.min(...first)] : [])
      assert.deepEqual(
        rest.map(() => queue.pop()),
        rest,
      )
      assert.equal(queue.pop(), undefined)
    }),
  )
})
