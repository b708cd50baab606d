import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ERRNO, OFLAG } from '../../../../node/adapters/wasm/wasi/abi.ts'
import { DiskQuota, ENTRY_BYTES } from '../../../../node/adapters/wasm/wasi/disk-quota.ts'
import { changedFiles, FileTree } from '../../../../node/adapters/wasm/wasi/file-tree.ts'
import { locate } from '../../../../node/adapters/wasm/wasi/paths.ts'
import {
  readAt,
  releaseIfGone,
  resize,
  writeAt,
  type DirNode,
  type FileNode,
} from '../../../../node/adapters/wasm/wasi/tree-node.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function aTree(limit = 1_000_000): FileTree {
  const tree = new FileTree(new DiskQuota(limit), () => 0n)
  assert.ok(tree.plant('/in/a.txt', bytes('input')))
  assert.ok(tree.plantDir('/out'))
  return tree
}

function create(tree: FileTree, path: string): FileNode {
  const node = tree.open(tree.root, path, OFLAG.creat)
  if (typeof node === 'number' || node.kind !== 'file') throw new Error(`no file ${path}`)
  return node
}

function dirAt(tree: FileTree, path: string): DirNode {
  const node = tree.open(tree.root, path, OFLAG.directory)
  if (typeof node === 'number' || node.kind !== 'dir') throw new Error(`no folder ${path}`)
  return node
}

describe('the file tree of a guest', () => {
  test('a path never rises above where it starts', () => {
    const tree = aTree()
    const out = dirAt(tree, 'out')
    for (const path of ['..', '../in/a.txt', './../in', 'x/../../in', '../out', '/in/a.txt', '/'])
      assert.equal(tree.open(out, path, 0), path.startsWith('x') ? ERRNO.noent : ERRNO.notcapable)
    for (const path of ['..', 'in/../..', 'out/../../out', '/', '//in', '/etc/passwd'])
      assert.equal(tree.open(tree.root, path, 0), ERRNO.notcapable, path)
  })

  test('`..` inside stays inside, and only through folders that exist', () => {
    const tree = aTree()
    const input = tree.open(tree.root, 'in/a.txt', 0)
    for (const path of ['out/../in/a.txt', './in/./a.txt', 'in//a.txt', 'in/../out/../in/a.txt'])
      assert.equal(tree.open(tree.root, path, 0), input, path)
    assert.equal(tree.open(tree.root, 'in/a.txt/../a.txt', 0), ERRNO.notdir)
    assert.equal(tree.open(tree.root, 'none/../in/a.txt', 0), ERRNO.noent)
  })

  test('hostile paths: whatever the names, the walk ends in the tree or in an error number', () => {
    const tree = aTree()
    const inside = new Set<unknown>([tree.root, ...tree.root.entries.values()])
    const names = fc.constantFrom('..', '.', '', 'in', 'out', 'a.txt', '\0', '...', '~', 'in\\..')
    fc.assert(
      fc.property(fc.array(names, { maxLength: 12 }), fc.boolean(), (parts, absolute) => {
        const place = locate(tree.root, (absolute ? '/' : '') + parts.join('/'))
        if (typeof place === 'number') assert.notEqual(place, ERRNO.success)
        else assert.ok(inside.has(place.dir))
      }),
      { numRuns: 2000 },
    )
  })

  test('names have a length, and folders a depth', () => {
    const tree = aTree()
    assert.equal(tree.open(tree.root, 'n'.repeat(256), OFLAG.creat), ERRNO.nametoolong)
    create(tree, 'n'.repeat(255))
    assert.equal(tree.open(tree.root, 'é'.repeat(128), OFLAG.creat), ERRNO.nametoolong)
    let path = 'd'
    for (let depth = 0; depth < 128; depth++, path += '/d') tree.makeDir(tree.root, path)
    assert.equal(tree.makeDir(tree.root, path), ERRNO.nametoolong)
    assert.equal(tree.open(tree.root, 'bad\0name', OFLAG.creat), ERRNO.inval)
  })

  test('an input path that is not plain and absolute is not planted', () => {
    const tree = aTree()
    for (const path of ['relative', '/', '/a/../b', '/./a', '/in', '/in/a.txt', '/in/a.txt/b', ''])
      assert.equal(tree.plant(path, bytes('x')), false, path)
  })

  test('a file grows, keeps zeros in its gaps and gives disk back when cut', () => {
    const tree = aTree(1000 + ENTRY_BYTES)
    const file = create(tree, 'out/f')
    writeAt(file, 500, bytes('end'), tree.quota)
    const got = new Uint8Array(10)
    assert.equal(readAt(file, 497, got), 6)
    assert.deepEqual([...got.subarray(0, 6)], [0, 0, 0, 101, 110, 100])
    resize(file, 501, tree.quota)
    resize(file, 503, tree.quota)
    assert.equal(readAt(file, 500, got), 3)
    assert.deepEqual([...got.subarray(0, 3)], [101, 0, 0])
    resize(file, 0, tree.quota)
    resize(file, 1000, tree.quota)
    assert.throws(() => resize(file, 1001, tree.quota), { reason: 'disk-limit' })
    assert.throws(() => writeAt(file, 2 ** 50, bytes('x'), tree.quota), { reason: 'disk-limit' })
  })

  test('disk counts what is held: overwriting is free, deleting gives back, open files still count', () => {
    const tree = aTree(1000 + ENTRY_BYTES)
    for (let n = 0; n < 50; n++) {
      const file = create(tree, 'out/f')
      writeAt(file, 0, new Uint8Array(900), tree.quota)
      writeAt(file, 0, new Uint8Array(900), tree.quota)
      assert.equal(tree.unlink(tree.root, 'out/f'), ERRNO.success)
    }
    const held = create(tree, 'out/held')
    writeAt(held, 0, new Uint8Array(900), tree.quota)
    held.opens = 1
    tree.unlink(tree.root, 'out/held')
    assert.throws(() => create(tree, 'out/next'), { reason: 'disk-limit' })
    held.opens = 0
    releaseIfGone(held, tree.quota)
    create(tree, 'out/next')
  })

  test('names cost disk too', () => {
    const tree = aTree(10 * ENTRY_BYTES)
    for (let n = 0; n < 5; n++) {
      create(tree, `out/${n}`)
      tree.makeDir(tree.root, `out/d${n}`)
    }
    assert.throws(() => create(tree, 'out/more'), { reason: 'disk-limit' })
    assert.equal(tree.removeDir(tree.root, 'out/d0'), ERRNO.success)
    create(tree, 'out/more')
  })

  test('an input that is deleted does not make room for more', () => {
    const tree = aTree(ENTRY_BYTES)
    assert.equal(tree.unlink(tree.root, 'in/a.txt'), ERRNO.success)
    create(tree, 'out/1')
    assert.throws(() => create(tree, 'out/2'), { reason: 'disk-limit' })
  })

  test('a folder cannot be moved into itself, over a full one, or out of a removed one', () => {
    const tree = aTree()
    tree.makeDir(tree.root, 'a')
    tree.makeDir(tree.root, 'a/b')
    const { root } = tree
    assert.equal(tree.rename(root, 'a', root, 'a/b/c'), ERRNO.inval)
    assert.equal(tree.rename(root, 'a', root, 'a/b'), ERRNO.inval)
    assert.equal(tree.rename(root, 'out', root, 'a'), ERRNO.notempty)
    assert.equal(tree.rename(root, 'in/a.txt', root, 'out'), ERRNO.isdir)
    assert.equal(tree.rename(root, 'out', root, 'in/a.txt'), ERRNO.notdir)
    assert.equal(tree.rename(root, '.', root, 'x'), ERRNO.busy)
    const gone = dirAt(tree, 'a/b')
    assert.equal(tree.rename(root, 'out', root, 'a/b'), ERRNO.success)
    assert.equal(tree.open(gone, 'lost', OFLAG.creat), ERRNO.noent)
    assert.equal(tree.makeDir(gone, 'lost'), ERRNO.noent)
    assert.equal(tree.rename(root, 'in/a.txt', gone, 'lost'), ERRNO.noent)
    assert.equal(tree.open(gone, '../..', 0), ERRNO.notcapable)
  })

  test('opening keeps the rules of its flags', () => {
    const tree = aTree()
    const open = (path: string, flags: number) => tree.open(tree.root, path, flags)
    assert.equal(open('none', 0), ERRNO.noent)
    assert.equal(open('in/a.txt', OFLAG.creat | OFLAG.excl), ERRNO.exist)
    assert.equal(open('in/a.txt', OFLAG.directory), ERRNO.notdir)
    assert.equal(open('in/a.txt/', 0), ERRNO.notdir)
    assert.equal(open('new/', OFLAG.creat), ERRNO.inval)
    assert.equal(open('out', OFLAG.trunc), ERRNO.isdir)
    const cut = open('in/a.txt', OFLAG.trunc)
    assert.ok(typeof cut !== 'number' && cut.kind === 'file' && cut.size === 0)
  })

  test('what comes back is what was made, changed or moved, at any depth', () => {
    const tree = aTree()
    tree.plant('/out/kept.txt', bytes('as given'))
    tree.plant('/out/changed.txt', bytes('as given'))
    writeAt(create(tree, 'out/changed.txt'), 0, bytes('b'), tree.quota)
    tree.makeDir(tree.root, 'out/deep')
    create(tree, 'out/deep/made')
    create(tree, 'elsewhere')
    tree.rename(tree.root, 'in/a.txt', tree.root, 'out/moved.txt')
    const found = [...changedFiles(dirAt(tree, 'out'), '/out')].map(({ path }) => path)
    assert.deepEqual(found.toSorted(), ['/out/changed.txt', '/out/deep/made', '/out/moved.txt'])
  })
})
