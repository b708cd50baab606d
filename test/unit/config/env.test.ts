import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEnvironment, readPassphraseSetting } from '../../../node/config/env.ts'
import { loadConfig } from '../../../node/config/config-file.ts'

test('environment: the passphrase is never among the overrides', () => {
  const { overrides } = readEnvironment({
    HIVE_PASSPHRASE: 'sesame',
    HIVE_PASSPHRASE_FILE: '/f',
    HIVE_API_PORT: '1',
    PATH: '/bin',
  })
  assert.deepEqual(overrides, { HIVE_API_PORT: '1' })
})

test('environment: HIVE_DATA names the data folder, and empty values count as unset', () => {
  assert.equal(readEnvironment({ HIVE_DATA: '/d' }).dataDir, '/d')
  assert.match(readEnvironment({ HIVE_DATA: '' }).dataDir, /\.hive$/)
  assert.equal(readEnvironment({ NO_COLOR: '' }).noColor, false)
  assert.equal(readEnvironment({ NO_COLOR: '1' }).noColor, true)
})

test('environment: a passphrase file loses its last line break and nothing else', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-env-'))
  t.after(() => rm(dir, { recursive: true }))
  const file = join(dir, 'passphrase')
  await writeFile(file, ' open sesame \n\n')
  assert.equal(await readPassphraseSetting({ HIVE_PASSPHRASE_FILE: file }), ' open sesame \n')
  assert.equal(await readPassphraseSetting({ HIVE_PASSPHRASE: 'a' }), 'a')
  assert.equal(await readPassphraseSetting({}), undefined)
  await assert.rejects(readPassphraseSetting({ HIVE_PASSPHRASE_FILE: join(dir, 'none') }), {
    code: 'PASSPHRASE_MISSING',
  })
})

test('config file: a folder without one has no node', async () => {
  await assert.rejects(loadConfig(join(tmpdir(), 'no', 'such'), {}), { code: 'CONFIG_MISSING' })
})
