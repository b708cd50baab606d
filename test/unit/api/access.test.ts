import assert from 'node:assert/strict'
import { access, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { API_FILE, readApiFile } from '../../../node/api/api-file.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'

async function codeOf(answer: Response): Promise<readonly [number, string]> {
  const { code, what, remedy } = (await answer.json()) as Record<string, string>
  assert.ok(what !== '' && remedy !== '')
  return [answer.status, code ?? '']
}

/** `fetch` cannot send a foreign host. */
async function statusWithHost({ api, token }: TestApi, host: string): Promise<number> {
  const headers = { host, authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    request({ port: api.port, host: '127.0.0.1', path: '/v1/status', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test('api: nothing is answered without the token, not even whether a route exists', async () => {
  await using it = await openTestApi()
  for (const path of ['/v1/status', '/v1/openapi.json', '/nowhere'])
    assert.deepEqual(await codeOf(await it.call(path, { token: null })), [401, 'API_UNAUTHORISED'])
  assert.deepEqual(await codeOf(await it.call('/v1/status', { token: `${it.token}x` })), [
    401,
    'API_UNAUTHORISED',
  ])
})

test('api: a browser led here under another name is refused', async () => {
  await using it = await openTestApi()
  assert.equal(await statusWithHost(it, 'evil.example:80'), 403)
  assert.equal(await statusWithHost(it, `localhost:${it.api.port}`), 200)
})

test('api: the token file is for its owner only, and goes with the node', async () => {
  let file: string
  {
    await using it = await openTestApi()
    file = join(it.dataDir, API_FILE)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal((await readApiFile(it.dataDir))?.pid, process.pid)
  }
  await assert.rejects(access(file))
})

test('api: every run has a token of its own', async () => {
  await using one = await openTestApi()
  await using two = await openTestApi()
  assert.notEqual(one.token, two.token)
})

test('api: an unknown route names itself', async () => {
  await using it = await openTestApi()
  assert.deepEqual(await codeOf(await it.call('/v1/none')), [404, 'API_ROUTE_UNKNOWN'])
})

test('api: a body that is no JSON is bad input', async () => {
  await using it = await openTestApi()
  const headers = { 'content-type': 'application/json' }
  const answer = await it.call('/v1/jobs', { bytes: new TextEncoder().encode('{'), headers })
  assert.deepEqual(await codeOf(answer), [400, 'INPUT_INVALID'])
})
