import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isFinal,
  JOB_STATES,
  nextState,
  step,
  stepIfAllowed,
  TRANSITIONS,
  type JobEvent,
  type JobState,
} from '../../../node/domain/job-state.ts'
import vector from '../../vectors/job-state.json' with { type: 'json' }

const states = vector.states as JobState[]
const events = vector.events as JobEvent[]
const allowed = new Map(vector.transitions.map(([from, by, to]) => [`${from} ${by}`, to]))

test('every state and event of the table is in the vector, and the reverse', () => {
  assert.deepEqual([...states].sort(), [...JOB_STATES].sort())
  const used = Object.values(TRANSITIONS).flatMap((row) => Object.keys(row))
  assert.deepEqual([...new Set(used)].sort(), [...events].sort())
})

test('every state and every event: the step of the vector, or JOB_TRANSITION and no change', () => {
  assert.equal(allowed.size, vector.transitions.length)
  let checked = 0
  for (const state of states) {
    for (const event of events) {
      const record = { state, other: 1 }
      const to = allowed.get(`${state} ${event}`)
      if (to === undefined) {
        assert.throws(() => nextState(state, event), { code: 'JOB_TRANSITION' })
        assert.throws(() => step(record, event), { code: 'JOB_TRANSITION' })
        assert.equal(stepIfAllowed(record, event), record)
      } else {
        assert.equal(nextState(state, event), to)
        assert.deepEqual(step(record, event), { state: to, other: 1 })
        assert.deepEqual(stepIfAllowed(record, event), { state: to, other: 1 })
      }
      checked++
    }
  }
  assert.equal(checked, 13 * 13)
})

test('the final states are those of the vector, and each other state can still end', () => {
  assert.deepEqual(states.filter(isFinal).sort(), [...vector.final].sort())
  const open = states.filter((state) => !isFinal(state))
  assert.deepEqual(
    open.map((state) => nextState(state, 'cancel')),
    open.map(() => 'cancelled'),
  )
})

test('every state can be reached from a draft', () => {
  const reached = new Set<string>(['draft'])
  for (const state of reached)
    for (const [from, , to] of vector.transitions) if (from === state && to) reached.add(to)
  assert.deepEqual([...reached].sort(), [...states].sort())
})
