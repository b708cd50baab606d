import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BUCKETS,
  hasBucket,
  RETIRED_PREFIXES,
  SCHEMA_KEY,
} from '../../../../node/adapters/store/buckets.ts'

test('buckets: no prefix begins another, so that no bucket lists another’s keys', () => {
  const prefixes = BUCKETS.map(({ prefix }) => prefix)
  for (const [at, prefix] of prefixes.entries()) {
    assert.match(prefix, /^[a-z]+\/$/)
    assert.equal(
      prefixes.findIndex((other) => prefix.startsWith(other)),
      at,
    )
  }
})

test('buckets: a retired prefix never comes back', () => {
  const used = BUCKETS.filter(({ prefix }) => RETIRED_PREFIXES.includes(prefix))
  assert.deepEqual(used, [])
})

test('buckets: a bare prefix is no key', () => {
  assert.equal(hasBucket('job/'), false)
  assert.equal(hasBucket('job/1'), true)
  assert.equal(hasBucket('jobs/1'), false)
  assert.equal(hasBucket(SCHEMA_KEY), true)
})
