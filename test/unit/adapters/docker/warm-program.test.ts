import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  encodeOrder,
  SECRET_BYTES,
  type LaunchOrder,
} from '../../../../node/adapters/docker/warm-order.ts'
import {
  launchProgram,
  ORDER_ADDRESS,
  ORDER_BYTES,
} from '../../../../node/adapters/docker/warm-program.ts'

const SECRET = Buffer.alloc(SECRET_BYTES, 's')
const HERE = process.arch === 'arm64' ? 'arm64' : 'amd64'
const skip = process.platform === 'linux' ? false : 'skipped: the program is one for Linux'

function encoded(order: Partial<LaunchOrder>): Buffer {
  const whole = { line: [], env: [], hasStdin: false, secret: SECRET, ...order }
  const bytes = encodeOrder(whole)
  assert.ok(bytes)
  return bytes
}

describe('the launching program', { skip }, () => {
  let folder: string
  let path: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hive-launch-'))
    path = join(folder, 'launch')
    await writeFile(path, launchProgram(HERE), { mode: 0o755 })
  })
  after(async () => {
    await rm(folder, { recursive: true })
  })
  /** Starts it, writes the pieces one after another, each when the one before is on its way, and waits for the end. */
  const launch = async (...pieces: readonly (Uint8Array | string)[]) => {
    const child = spawn(path, { env: { OWN: 'launcher' }, stdio: 'pipe' })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    // a program that reads nothing may end before it is told everything
    child.stdin.on('error', () => undefined)
    for (const piece of pieces) await new Promise((sent) => child.stdin.write(piece, sent))
    child.stdin.end()
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
  }

  test('becomes the program of its order, with that argument list and environment and no other', async () => {
    const line = ['/bin/sh', '-c', 'echo "$0|$1|$A"; env | grep OWN; exit 7', 'zero', 'one  two']
    const { code, out, err } = await launch(encoded({ line, env: ['A=å b'] }))
    assert.deepEqual([code, out, err], [7, 'zero|one  two|å b\n', ''])
  })

  test('leaves all that follows its order to the program, whatever the pieces it comes in', async () => {
    const order = encoded({ line: ['/bin/cat'], hasStdin: true })
    const pieces = [order.subarray(0, 3), order.subarray(3, 11), order.subarray(11), 'rest\n', 'x']
    assert.equal((await launch(...pieces)).out, 'rest\nx')
    assert.equal((await launch(Buffer.concat([order, Buffer.from('at once')]))).out, 'at once')
  })

  test('gives an empty stdin to a program that is to have none', async () => {
    const order = encoded({ line: ['/bin/cat'] })
    assert.deepEqual(await launch(order, 'not for it'), { code: 0, out: '', err: '' })
  })

  test('finds a program in the folders of PATH, in their turn', async () => {
    const env = ['PATH=/no/such:relative:/bin']
    assert.equal((await launch(encoded({ line: ['echo', 'x'], env }))).out, 'x\n')
  })

  test('says its secret and ends when there is no such program', async () => {
    const line = ['/no/such/program']
    assert.deepEqual(await launch(encoded({ line })), { code: 1, out: '', err: SECRET.toString() })
  })

  test('ends without a word when stdin does, before an order or in the middle of one', async () => {
    const nothing = { code: 1, out: '', err: '' }
    assert.deepEqual(await launch(), nothing)
    assert.deepEqual(await launch(encoded({ line: ['/bin/echo'] }).subarray(0, 50)), nothing)
  })
})

test('an order with a zero in a text, or longer than its room, has no form', () => {
  const order = { line: ['/x'], env: [], hasStdin: false, secret: SECRET }
  assert.equal(encodeOrder({ ...order, env: ['A=\0'] }), undefined)
  assert.equal(encodeOrder({ ...order, line: ['/x', 'a'.repeat(ORDER_BYTES)] }), undefined)
  const left = ORDER_BYTES - encoded({ line: ['/x', ''] }).length
  const most = encoded({ line: ['/x', 'a'.repeat(left)] })
  assert.equal(most.length, ORDER_BYTES)
  assert.equal(most.readBigUInt64LE(0), BigInt(ORDER_ADDRESS + ORDER_BYTES))
})

test('both architectures have the program, each instruction whole', () => {
  assert.equal(launchProgram('arm64').length % 4, 0)
  for (const name of ['amd64', 'arm64'] as const) assert.ok(launchProgram(name).length < 400)
})
