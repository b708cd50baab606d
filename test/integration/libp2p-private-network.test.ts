import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { readSharedKey } from '../../node/shared-key.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { testCli } from '../support/test-cli.ts'

const PATIENCE_MS = 10_000

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-key-'))
  t.after(async () => rm(dir, { recursive: true }))
  return dir
}

async function newKey(path: string): Promise<Uint8Array | undefined> {
  assert.equal(await testCli().run('network-key', path), 0)
  return readSharedKey(path)
}

const open = (sharedKey?: Uint8Array) =>
  openLibp2pNet(
    { logger: quietLogger(), privateKey: randomBytes(32) },
    { network: 'test', allowPrivateAddresses: true, wantedPeers: 0, sharedKey },
  )

test('private network: those who have the key talk; one with another, or with none, reaches nobody', async (t) => {
  const dir = await folder(t)
  const key = await newKey(join(dir, 'key'))
  const other = await newKey(join(dir, 'other'))
  await using stack = new AsyncDisposableStack()
  const [first, second, stranger, keyless] = await Promise.all(
    [key, key, other, undefined].map(async (one) => stack.use(await open(one))),
  )
  assert.ok(first && second && stranger && keyless)
  first.requests.answer('bid', async (_from, request) => request)
  const [address = ''] = first.directory.addresses()
  const dial = async (from: typeof first) =>
    from.directory.dial(address, { signal: AbortSignal.timeout(PATIENCE_MS) })
  assert.equal(await dial(second), first.peer)
  const { signal } = new AbortController()
  const answer = await second.requests.call(first.peer, 'bid', Buffer.from('x'), { signal })
  assert.equal(Buffer.from(answer).toString(), 'x')
  for (const outsider of [stranger, keyless]) await assert.rejects(dial(outsider))
  assert.deepEqual(first.libp2p.getPeers().map(String), [second.peer])
})

test('network-key: for its owner’s eyes, never over a file that exists; what is no key is refused', async (t) => {
  const dir = await folder(t)
  const path = join(dir, 'key')
  await newKey(path)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const before = await readFile(path, 'utf8')
  assert.notEqual(await testCli().run('network-key', path), 0)
  assert.equal(await readFile(path, 'utf8'), before)
  await writeFile(path, 'a password')
  await assert.rejects(readSharedKey(path), { code: 'CONFIG_INVALID' })
  await assert.rejects(readSharedKey(join(dir, 'none')), { code: 'CONFIG_INVALID' })
})
