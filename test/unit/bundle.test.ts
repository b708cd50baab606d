import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundled } from '../../scripts/bundle/bundle.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('bundle: a source that is newer, new, gone or renamed makes it stale', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hive-bundle-'))
  t.after(async () => rm(root, { recursive: true }))
  const script = join(root, 'scripts/bundle/fresh.sh')
  const source = join(root, 'node/domain/one.ts')
  const stamp = join(root, '.cache/node/stamp')
  for (const path of [script, source, stamp, join(root, 'scripts/devnet/two.ts')]) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, '')
  }
  await writeFile(join(root, 'package-lock.json'), '')
  await copyFile(join(ROOT, 'scripts/bundle/fresh.sh'), script)
  const isFresh = () => spawnSync('sh', [script]).status === 0
  const later = new Date(Date.now() + 60_000)
  const makeFresh = async () => utimes(stamp, later, later)
  const touch = async (path: string) => {
    const evenLater = new Date(later.getTime() + 60_000)
    await utimes(path, evenLater, evenLater)
  }

  await makeFresh()
  assert.equal(isFresh(), true)
  await touch(source)
  assert.equal(isFresh(), false, 'newer')
  await utimes(source, new Date(0), new Date(0))
  assert.equal(isFresh(), true)
  await rename(source, join(dirname(source), 'three.ts'))
  await touch(dirname(source))
  assert.equal(isFresh(), false, 'renamed')
  await utimes(dirname(source), new Date(0), new Date(0))
  await touch(join(root, 'package-lock.json'))
  assert.equal(isFresh(), false, 'another lock')
  await rm(stamp)
  assert.equal(isFresh(), false, 'never made')
})

test('bundle: the command line runs from it, and what lies beside a source is found there', async () => {
  const main = join(ROOT, await bundled('main'))
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--version'])
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    version: string
  }
  assert.equal(stdout.trim(), version)
  const places = new Set<string>()
  for (const name of await readdir(dirname(main))) {
    if (!name.endsWith('.js')) continue
    const text = await readFile(join(dirname(main), name), 'utf8')
    for (const [, path = ''] of text.matchAll(/new URL\("([./]+(?:node|scripts)\/[^"]*)"/g))
      places.add(join(dirname(main), path))
  }
  assert.ok(places.size > 0)
  for (const place of places) assert.ok((await readFile(place)).length > 0, place)
})
