import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectProgram, loopbackProgram } from '../../../../node/adapters/image/call-chain.ts'
import { ARCHITECTURES, pauseProgram } from '../../../../node/adapters/image/tiny-program.ts'

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
const architecture = ARCHITECTURES[MACHINES[process.arch] ?? '']
const skip =
  process.platform === 'linux' && architecture !== undefined
    ? false
    : `skipped: no tiny programs for ${process.platform} on ${process.arch}`

/** Exit code of `program`; its signal if it was ended. */
async function run(program: Uint8Array, timeout = 10_000): Promise<number | string> {
  const folder = await mkdtemp(join(tmpdir(), 'hive-tiny-'))
  try {
    const path = join(folder, 'program')
    await writeFile(path, program, { mode: 0o755 })
    return await new Promise((resolve) => {
      execFile(path, { timeout }, (error) => {
        resolve(error === null ? 0 : (error.signal ?? Number(error.code)))
      })
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

test(
  'the connecting program tells a byte that came from a closed door and from silence',
  { skip },
  async () => {
    const answer = { byte: true }
    const server = createServer((socket: Socket) => {
      if (answer.byte) setTimeout(() => socket.end('.'), 50)
      else socket.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const program = connectProgram(architecture ?? 'amd64', port, 42)
    assert.equal(await run(program), 42)
    answer.byte = false
    assert.notEqual(await run(program), 42)
    server.close()
    await once(server, 'close')
    assert.notEqual(await run(program), 42)
  },
)

test('the pausing program does not end by itself', { skip }, async () => {
  assert.equal(await run(pauseProgram(architecture ?? 'amd64'), 100), 'SIGTERM')
})

test('the code for arm64 stays what a disassembler read as the calls that are meant', () => {
  const code = (program: Uint8Array) => Buffer.from(program).subarray(120).toString('hex')
  const open = '400080d2210080d2020080d2c81880d2010000d4'
  const connect = '81010010020280d2681980d2010000d4'
  const read = '600080d261010010220080d2e80780d2010000d4'
  const end = '00a40091a80b80d2010000d4'
  const address = '02000c387f0000010000000000000000'
  const buffer = '0000000000000000'
  const whole = [open, connect, read, end, address, buffer].join('')
  assert.equal(code(connectProgram('arm64', 3128, 42)), whole)
  const raise = '812291d2c2000010a80380d2010000d400000091a80b80d2010000d46c6f'
  assert.ok(code(loopbackProgram('arm64')).startsWith(open.replace('210080d2', '410080d2') + raise))
  const pause = '000080d2010080d2020080d2030080d2280980d2010000d4faffff17'
  assert.equal(code(pauseProgram('arm64')), pause)
})
