import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  straightProgram,
  type StraightCall,
} from '../../../../node/adapters/image/straight-program.ts'
import { imageArchitecture } from '../../../../node/adapters/image/tiny-program.ts'
import { callNumbers } from '../../../../node/adapters/confinement/call-numbers.ts'

const architecture = imageArchitecture()
const isOurs = architecture === 'amd64' || architecture === 'arm64'
const skip =
  process.platform === 'linux' && isOurs ? false : `skipped: no tiny programs for ${architecture}`
const numbers = callNumbers(architecture === 'arm64' ? 'arm64' : 'amd64')

function call(name: string, ...args: StraightCall['args']): StraightCall {
  return { number: numbers.get(name) ?? -1, args }
}
const say = (word: string) => call('write', 1, Buffer.from(word), word.length)
const closed = call('close', 99)

/** What a program prints, and its exit code. */
function run(calls: readonly StraightCall[], last: readonly StraightCall[]) {
  const folder = mkdtempSync(join(tmpdir(), 'hive-straight-'))
  try {
    const path = join(folder, 'program')
    const machine = architecture === 'arm64' ? 'arm64' : 'amd64'
    writeFileSync(path, straightProgram(machine, calls, last), { mode: 0o700 })
    const { stdout, status } = spawnSync(path, { env: {} })
    return { said: stdout.toString(), status }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a program makes its calls in their order and the last ones after them', { skip }, () => {
  const end = [say('last'), call('exit_group', 5)]
  assert.deepEqual(run([say('one '), say('two ')], end), { said: 'one two last', status: 5 })
})

test('after a call that fails no other is made but the last ones', { skip }, () => {
  const end = [say('last'), closed, call('exit_group', 6)]
  assert.deepEqual(run([say('one '), closed, say('two ')], end), { said: 'one last', status: 6 })
})

test('a call that may fail does not end it', { skip }, () => {
  const calls = [{ ...closed, mayFail: true }, say('two ')]
  assert.deepEqual(run(calls, [call('exit_group', 7)]), { said: 'two ', status: 7 })
})

test('it becomes another program, with words and variables', { skip }, () => {
  const text = (words: string) => Buffer.from(`${words}\0`)
  const argv = { words: [text('sh'), text('-c'), text('echo "$A $0 $1"'), text('x'), text('y'), 0] }
  const become = call('execve', text('/bin/sh'), argv, { words: [text('A=b'), 0] })
  assert.deepEqual(run([become], [call('exit_group', 8)]), { said: 'b x y\n', status: 0 })
})

test('the code for arm64 stays what a disassembler read as the calls that are meant', () => {
  const program = straightProgram(
    'arm64',
    [
      { number: 57, args: [0x1234_5678_9abc] },
      { number: 57, args: [1], mayFail: true },
    ],
    [{ number: 94, args: [Buffer.from('ab')] }],
  )
  const first = '805793d200cfaaf28046c2f20000e0f2280780d20800a0f20800c0f20800e0f2'
  const call = '010000d4'
  // ahead to the last calls: 44 bytes; of the second, to the next instruction in any case
  const [ahead, next] = ['6001f8b7', '2000f8b7']
  const second = '200080d20000a0f20000c0f20000e0f2280780d20800a0f20800c0f20800e0f2'
  const last = '001e80d20008a0f20000c0f20000e0f2c80b80d20800a0f20800c0f20800e0f2'
  const whole = [first, call, ahead, second, call, next, last, call, '2000f8b7', '6162']
  assert.equal(Buffer.from(program).subarray(120).toString('hex'), whole.join(''))
})
