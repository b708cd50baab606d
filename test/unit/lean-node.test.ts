import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LEAN_ENV, LEAN_FLAGS } from '../../scripts/devnet/child.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Packages that no node needs before it has something to do with them; together 100 MiB of memory. */
const HEAVY = ['helia', 'dockerode', '@grpc/grpc-js', 'ssh2', '@libp2p/webrtc', 'axios', 'undici']

/** Prints the packages that a node's code loads. */
const LIST = `
import { registerHooks } from 'node:module'
const packages = new Set()
registerHooks({
  load(url, context, next) {
    const name = url.split('node_modules/').at(-1).split('/')
    if (url.includes('node_modules/')) packages.add(name[0].startsWith('@') ? name[0] + '/' + name[1] : name[0])
    return next(url, context)
  },
})
await import('./node/peer.ts')
process.stdout.write(JSON.stringify([...packages]))
process.exit()
`

test('a node’s code: loads nothing heavy before it is needed', async () => {
  const args = ['--input-type=module', '--eval', LIST]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT })
  const loaded = JSON.parse(stdout) as string[]
  assert.ok(loaded.includes('libp2p'), 'the list is that of a node')
  assert.deepEqual(
    HEAVY.filter((name) => loaded.includes(name)),
    [],
  )
})

test('lean flags: the command line and the local network run nodes with the same', () => {
  const script = readFileSync(`${ROOT}/scripts/run.sh`, 'utf8')
  assert.ok(script.includes(`lean='${LEAN_FLAGS.join(' ')}'`))
  for (const [name, value] of Object.entries(LEAN_ENV))
    assert.ok(script.includes(`export ${name}=${value}\n`))
})
