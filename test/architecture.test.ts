import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** A source file as this test sees it: where it is and what it imports. */
interface Source {
  readonly path: string
  readonly imports: readonly string[]
  readonly lines: number
  readonly text: string
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Which layers each layer may import; `adapters/x` is one folder of adapters/. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  protocol: ['domain'],
  ports: ['domain', 'protocol'],
  adapters: ['domain', 'protocol', 'ports'],
  services: ['domain', 'protocol', 'ports'],
  config: ['domain'],
  api: ['domain', 'protocol', 'ports', 'services', 'config'],
  cli: ['domain', 'protocol', 'ports', 'services', 'config', 'api'],
  root: ['domain', 'protocol', 'ports', 'services', 'config', 'api', 'cli', 'adapters', 'scripts'],
}

/** Folders of adapters/ that others of them may import, and why they are no port: they have no outside thing of their own. */
const SHARED: Readonly<Record<string, string>> = {
  'adapters/image': 'reads and writes image archives, for every sandbox that runs images',
  'adapters/egress': 'lets a job reach what it may, the same whichever sandbox holds it',
  'adapters/confinement': 'bounds of a job and its measuring, the same whichever sandbox holds it',
}

/** Packages that each layer may use; a layer that is missing here may use none. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  protocol: [/^@ipld\/dag-cbor$/, /^multiformats\//, /^secp256k1$/, /^ethers$/],
  config: [/^yaml$/],
  api: [/^fastify$/, /^@fastify\//, /^typebox(\/|$)/],
  cli: [/^commander$/, /^yaml$/, /^typebox(\/|$)/],
  'adapters/libp2p': [
    /^libp2p$/,
    /^@libp2p\//,
    /^@multiformats\//,
    /^multiformats\//,
    /^datastore-level$/,
    /^uint8arraylist$/,
    /^@ipld\/dag-cbor$/,
  ],
  'adapters/ipfs': [
    /^@helia\//,
    /^@libp2p\/interface$/,
    /^@libp2p\/peer-id$/,
    /^multiformats\//,
    /^blockstore-fs(\/|$)/,
    /^@multiformats\//,
  ],
  'adapters/docker': [/^dockerode$/],
  'adapters/chain': [/^ethers$/],
  'adapters/store': [/^level$/],
}

/** Where Node's own modules are allowed; domain and protocol are free of I/O. */
const MAY_USE_NODE = ['adapters', 'config', 'api', 'cli', 'root']

const MAX_LINES = 300
const MAX_TEST_LINES = 400

test('imports point down: no layer imports one above it, no adapter imports another', () => {
  const sources = read('node')
  assert.deepEqual(sources.flatMap(upwardImports), [])
})

test('each folder that adapters share is there', () => {
  const layers = new Set(read('node').map(({ path }) => layerOf(path)))
  for (const [layer, why] of Object.entries(SHARED))
    assert.ok(layers.has(layer), `${layer}: ${why}`)
})

test('a planted upward import, sibling import or cycle is found', () => {
  const planted = (path: string, ...imports: string[]): Source => ({
    path,
    imports,
    lines: 1,
    text: '',
  })
  assert.equal(upwardImports(planted('node/domain/a.ts', '../services/b.ts')).length, 1)
  assert.equal(upwardImports(planted('node/services/a.ts', '../adapters/chain/b.ts')).length, 1)
  assert.equal(upwardImports(planted('node/adapters/ipfs/a.ts', '../libp2p/b.ts')).length, 1)
  assert.equal(upwardImports(planted('node/adapters/docker/a.ts', '../image/b.ts')).length, 0)
  assert.equal(upwardImports(planted('node/adapters/image/a.ts', '../docker/b.ts')).length, 1)
  assert.equal(foreignPackages(planted('node/services/a.ts', 'ethers')).length, 1)
  assert.equal(foreignPackages(planted('node/domain/a.ts', 'node:fs')).length, 1)
  const circle = [planted('node/domain/a.ts', './b.ts'), planted('node/domain/b.ts', './a.ts')]
  assert.equal(cycles(circle).length, 1)
})

test('each outside library is used in its own folder only', () => {
  assert.deepEqual(read('node').flatMap(foreignPackages), [])
})

test('there are no import cycles, type imports included', () => {
  assert.deepEqual(cycles(read('node')), [])
})

test('the walk saw every layer, so that an empty one cannot pass', () => {
  const layers = new Set(read('node').map(({ path }) => layerOf(path).split('/')[0]))
  for (const layer of Object.keys(MAY_IMPORT))
    assert.ok(layers.has(layer), `no file seen in ${layer}`)
})

test('no source file is longer than 300 lines, no test longer than 400', () => {
  const long = (sources: readonly Source[], max: number) =>
    sources.filter(({ lines }) => lines > max).map(({ path, lines }) => `${path}: ${lines}`)
  assert.deepEqual(long([...read('node'), ...read('scripts')], MAX_LINES), [])
  assert.deepEqual(long([...read('test'), ...read('contracts', '.sol')], MAX_TEST_LINES), [])
})

test('the pure layers name no clock, no randomness of their own and no process', () => {
  const impure = /\b(Date\.now|Math\.random|new Date\(\)|process\.|setTimeout|setInterval)\b/
  const found = read('node').filter(
    ({ path, text }) => /^node\/(domain|protocol)\//.test(path) && impure.test(text),
  )
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})

function read(folder: string, extension = '.ts'): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => {
      const path = join(folder, name).split(sep).join('/')
      const text = readFileSync(join(ROOT, path), 'utf8')
      const imports = [
        ...text.matchAll(
          /(?:^import\s[^'"]*?|^export\s[^'"]*?\sfrom\s+|\bimport\()['"]([^'"]+)['"]/gms,
        ),
      ]
      return {
        path,
        text,
        lines: text.split('\n').length - 1,
        imports: imports.map(([, to]) => to ?? ''),
      }
    })
}

/** `domain`, `adapters/libp2p`, … or `root` for the files beside the layers. */
function layerOf(path: string): string {
  const [top, layer, folder, file] = path.split('/')
  if (top !== 'node') return top ?? ''
  if (folder === undefined) return 'root'
  return layer === 'adapters' && file !== undefined ? `adapters/${folder}` : (layer ?? '')
}

function targetOf(from: string, to: string): string {
  return normalize(join(dirname(from), to))
    .split(sep)
    .join('/')
}

function upwardImports({ path, imports }: Source): string[] {
  const layer = layerOf(path)
  const kind = layer.split('/')[0] ?? ''
  return imports
    .filter((to) => to.startsWith('.'))
    .map((to) => targetOf(path, to))
    .filter((target) => {
      const other = layerOf(target)
      if (other === layer || (kind === 'adapters' && other in SHARED)) return false
      return !(MAY_IMPORT[kind] ?? []).includes(other.split('/')[0] ?? '')
    })
    .map((target) => `${path} → ${target}`)
}

function foreignPackages({ path, imports }: Source): string[] {
  const layer = layerOf(path)
  const kind = layer.split('/')[0] ?? ''
  return imports
    .filter((to) => !to.startsWith('.'))
    .filter((to) =>
      to.startsWith('node:')
        ? !MAY_USE_NODE.includes(kind)
        : !(PACKAGES[layer] ?? []).some((allowed) => allowed.test(to)),
    )
    .map((to) => `${path} → ${to}`)
}

function cycles(sources: readonly Source[]): string[] {
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((to) => to.startsWith('.')).map((to) => targetOf(path, to)),
    ]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else if (!done.has(path)) {
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}
