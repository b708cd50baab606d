import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobBody } from '../../../node/api/schemas/jobs.ts'
import { exitCodeOf } from '../../../node/cli/job/exit-code.ts'
import { END_REASONS } from '../../../node/domain/receipt.ts'

const ended = (reason: string, exitCode: number) => ({ reason, exitCode })
const job = (state: string, ...results: unknown[]) => ({ state, results }) as unknown as JobBody

test('exit code: the first task that did not end well decides', () => {
  assert.equal(exitCodeOf(job('settled', ended('exit', 0), ended('exit', 0))), 0)
  assert.equal(exitCodeOf(job('settled', ended('exit', 0), ended('exit', 7), ended('oom', -1))), 7)
  assert.equal(exitCodeOf(job('settled', ended('timeout', -1), ended('exit', 7))), 124)
})

test('exit code: a failure never becomes success in eight bits', () => {
  assert.equal(exitCodeOf(job('settled', ended('exit', 256))), 1)
  assert.equal(exitCodeOf(job('settled', ended('exit', -1))), 255)
})

test('exit code: only exit 0 of every task of a settled job is success, and a service that was stopped', () => {
  assert.equal(exitCodeOf(job('settled', ended('stopped', -1))), 0)
  for (const reason of END_REASONS.filter((each) => each !== 'exit' && each !== 'stopped'))
    assert.notEqual(exitCodeOf(job('settled', ended(reason, 0))), 0, reason)
  assert.equal(exitCodeOf(job('failed', null)), 125)
  assert.equal(exitCodeOf(job('cancelled', ended('exit', 0), null)), 130)
})
