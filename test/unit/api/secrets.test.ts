import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { aRequest } from '../../support/test-market.ts'

const VALUE = 'zq-swordfish-4711'

/** Submits a job with these slots and values; what the node answers. */
async function submit(it: TestApi, slots: unknown, secrets: unknown) {
  await it.call('/v1/blobs', { bytes: fakeImage({}) })
  const request = await aRequest(it.member, {})
  const body = {
    ...request,
    maxPrice: request.maxPrice.toString(),
    spec: { ...request.spec, secrets: slots },
    secrets,
  }
  const answer = await it.call('/v1/jobs', { body })
  const text = await answer.text()
  for (const each of [VALUE, base64(VALUE)]) assert.equal(text.includes(each), false)
  const { code, data } = JSON.parse(text) as { code?: string; data?: { problems?: string[] } }
  return { status: answer.status, code, paths: data?.problems?.map((line) => line.split(':')[0]) }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

test('secrets in a job request: apart from the spec, checked, and in no answer or log', async () => {
  await using it = await openTestApi()
  const slot = { name: 'token', env: 'TOKEN' }
  const value = { token: base64(VALUE) }
  assert.equal((await submit(it, [slot], value)).status, 201)
  const invalid = (...paths: string[]) => ({ status: 400, code: 'INPUT_INVALID', paths })
  assert.deepEqual(await submit(it, [slot], undefined), invalid('token'))
  assert.deepEqual(await submit(it, [slot], { ...value, stray: 'eA==' }), invalid('stray'))
  assert.deepEqual(await submit(it, [slot], { token: VALUE }), invalid('body.secrets.token'))
  assert.deepEqual(await submit(it, undefined, value), invalid('token'))
  const long = { token: 'A'.repeat(100_000) }
  assert.deepEqual(await submit(it, [slot], long), invalid('body.secrets.token'))
  const both = { ...slot, path: '/k/token' }
  assert.deepEqual(await submit(it, [both], value), invalid('body.spec.secrets.0'))
  const inOutputs = { name: 'token', path: '/out/token' }
  assert.deepEqual(await submit(it, [inOutputs], value), invalid('body.spec.secrets'))
  const logged = JSON.stringify(it.market.log)
  for (const each of [VALUE, base64(VALUE)]) assert.equal(logged.includes(each), false)
})

test('a request that is no JSON: refused, and nothing of it repeated', async () => {
  await using it = await openTestApi({ providers: 0 })
  const answer = await fetch(`http://127.0.0.1:${it.api.port}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${it.token}`, 'content-type': 'application/json' },
    body: `{"secrets":{"token":${VALUE}}}`,
  })
  assert.equal(answer.status, 400)
  const text = await answer.text()
  for (const part of [VALUE, VALUE.slice(0, 6), VALUE.slice(-4)])
    assert.equal(text.includes(part), false, text)
  assert.equal(JSON.stringify(it.market.log).includes(VALUE), false)
})
