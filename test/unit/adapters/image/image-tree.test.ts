import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageOf } from '../../../../node/adapters/image/image-archive.ts'
import { imageTree } from '../../../../node/adapters/image/image-tree.ts'
import { layerTree, type TreeFolder } from '../../../../node/adapters/image/layer-tree.ts'
import { packTar, type TarMember } from '../../../../node/adapters/image/tar-writer.ts'

const NOTHING = new Uint8Array()

/** `path` or `path=content`, `path/` for a folder, `path>target` for a link. */
function members(text: string): readonly TarMember[] {
  return text.split(' ').map((word): TarMember => {
    const [, path = '', mark, rest = ''] = /^([^=>]*[^=>/])(?:([=>])(.*)|\/)?$/.exec(word) ?? []
    if (mark === '>') return { path, link: rest }
    return word.endsWith('/') ? { path } : { path, bytes: mark ? Buffer.from(rest) : NOTHING }
  })
}

async function tree(...layers: readonly string[]): Promise<readonly string[]> {
  const config = { architecture: 'amd64', env: [], entrypoint: [], cmd: [], workingDir: '' }
  const bytes = layers.map((layer) => packTar(members(layer)))
  const diffIds = layers.map((_, at) => `sha256:${String(at).padStart(64, '0')}`)
  return listing(await imageTree(imageOf({ ...config, diffIds }, bytes)))
}

function listing(folder: TreeFolder, above = ''): readonly string[] {
  return [...folder.nodes].flatMap(([name, node]) => {
    const path = `${above}${name}`
    if (node.kind === 'directory') return [`${path}/`, ...listing(node, `${path}/`)]
    return [
      node.kind === 'file'
        ? `${path}=${Buffer.from(node.bytes).toString()}`
        : `${path}>${node.link}`,
    ]
  })
}

test('an upper layer’s file, link or folder takes the place of a lower one’s', async () => {
  assert.deepEqual(await tree('a=1 b=1', 'a=2'), ['a=2', 'b=1'])
  assert.deepEqual(await tree('lib>usr/lib', 'lib/x=1'), ['lib/', 'lib/x=1'])
  assert.deepEqual(await tree('d/x=1', 'd>/etc'), ['d>/etc'])
})

test('a folder upon a folder leaves what is in both, unless it is opaque', async () => {
  assert.deepEqual(await tree('d/x=1', 'd/y=2'), ['d/', 'd/x=1', 'd/y=2'])
  assert.deepEqual(await tree('d/x=1', 'd/y=2 d/.wh..wh..opq'), ['d/', 'd/y=2'])
})

test('a deletion takes lower layers’ names and is no file itself', async () => {
  assert.deepEqual(await tree('d/x=1 d/y=1', 'd/.wh.x'), ['d/', 'd/y=1'])
  assert.deepEqual(await tree('d/x=1', '.wh.d'), [])
  assert.deepEqual(await tree('a=1', '.wh..wh.plnk'), ['a=1'])
})

const REFUSED: Readonly<Record<string, string>> = {
  'a name behind a link of its layer': 'd>/etc d/passwd=x',
  'a name behind a file of its layer': 'd=x d/y=x',
  'a file where a folder is': 'd/x=1 d=2',
  'a folder where a link is': 'd>/etc d/',
  'a deletion of the folder itself': 'd/.wh.',
  'a deletion of the folder above': 'd/.wh...',
  'a deletion of this folder by its dot': 'd/.wh..',
  'a name and its deletion': 'd/x=1 d/.wh.x',
  'a deletion and its name': 'd/.wh.x d/x=1',
  'a name below a deletion': '.wh.d/x=1',
}

for (const [what, layer] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => {
    assert.throws(() => layerTree(packTar(members(layer))), { code: 'IMAGE_INVALID' })
  })
}
