import assert from 'node:assert/strict'
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { emptyFolder, type TreeNode } from '../../../../node/adapters/image/layer-tree.ts'
import { unpackTree } from '../../../../node/adapters/native/image-unpacking.ts'

function file(text: string, mode = 0o644): TreeNode {
  return { kind: 'file', mode, bytes: Buffer.from(text) }
}

function folder(nodes: Readonly<Record<string, TreeNode>>, mode?: number): TreeNode {
  return { ...emptyFolder(), mode, nodes: new Map(Object.entries(nodes)) }
}

async function unpacked(t: TestContext, nodes: Readonly<Record<string, TreeNode>>) {
  const above = await mkdtemp(join(tmpdir(), 'hive-unpack-'))
  t.after(() => rm(above, { recursive: true }))
  const tree = folder(nodes)
  assert.ok(tree.kind === 'directory')
  await unpackTree(tree, join(above, 'image'))
  return { above, at: (path: string) => join(above, 'image', path) }
}

test('links are written as they are and nothing is written through them', async (t) => {
  const { above, at } = await unpacked(t, {
    up: { kind: 'symlink', link: '..' },
    root: { kind: 'symlink', link: '/' },
    d: folder({ x: file('inside') }),
  })
  assert.equal(await readlink(at('up')), '..')
  assert.equal(await readlink(at('root')), '/')
  assert.deepEqual(await readdir(above), ['image'])
})

test('rights are kept, except those that lend a user’s or a group’s', async (t) => {
  const { at } = await unpacked(t, {
    su: file('', 0o6755),
    secret: file('', 0o600),
    tmp: folder({}, 0o1777),
    closed: folder({ x: file('') }, 0o0000),
    plain: folder({}),
  })
  const mode = async (path: string) => (await lstat(at(path))).mode & 0o7777
  assert.deepEqual(
    await Promise.all(['su', 'secret', 'tmp', 'closed', 'plain'].map(mode)),
    [0o755, 0o600, 0o1777, 0, 0o755],
  )
})

test('a file with several names stays one file, also across folders', async (t) => {
  const one = file('shared')
  const { at } = await unpacked(t, { a: one, b: one, d: folder({ c: one }), e: one })
  const numbers = await Promise.all(
    ['a', 'b', 'e'].map(async (path) => (await lstat(at(path))).ino),
  )
  assert.equal(new Set(numbers).size, 1)
  assert.equal(await readFile(at('d/c'), 'utf8'), 'shared')
})

test('a target that is there already is not written into', async (t) => {
  const { above } = await unpacked(t, {})
  await assert.rejects(unpackTree(emptyFolder(), join(above, 'image')), { code: 'EEXIST' })
})
