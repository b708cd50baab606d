import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RUNNER_CALLS } from '../../../../node/adapters/wasm/runner-calls.ts'
import { ALLOWED_CALLS } from '../../../../node/adapters/confinement/system-calls.ts'
import { callNumbers } from '../../../../node/adapters/confinement/call-numbers.ts'
import { seccompProgram } from '../../../../node/adapters/confinement/seccomp-program.ts'

const ALLOW = 0x7fff0000
const KILL = 0x80000000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const AUDIT = { amd64: 0xc000003e, arm64: 0xc00000b7 } as const
/** More than the kernel takes is refused at loading. Source: BPF_MAXINSNS. */
const MAX_INSTRUCTIONS = 4096

/** What the kernel would answer: the few instructions of its filter machine that the program uses. */
function answer(program: Buffer, number: number, audit: number, first = 0): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number >>> 0, 0)
  data.writeUInt32LE(audit, 4)
  data.writeUInt32LE(first >>> 0, 16)
  let held = 0
  for (let at = 0; at < program.length / 8; at++) {
    const [code, operand] = [program.readUInt16LE(at * 8), program.readUInt32LE(at * 8 + 4)]
    const jump = (isTrue: boolean) => program[at * 8 + (isTrue ? 2 : 3)] ?? 0
    if (code === 0x06) return operand
    else if (code === 0x20) held = data.readUInt32LE(operand)
    else if (code === 0x05) at += operand
    else if (code === 0x15) at += jump(held === operand)
    else if (code === 0x25) at += jump(held > operand)
    else if (code === 0x35) at += jump(held >= operand)
    else if (code === 0x45) at += jump((held & operand) !== 0)
    else assert.fail(`instruction ${code}`)
  }
  return assert.fail('the program ends without an answer')
}

for (const architecture of ['amd64', 'arm64'] as const) {
  const program = seccompProgram(architecture)
  const numbers = callNumbers(architecture)
  const ask = (number: number, first?: number) =>
    answer(program, number, AUDIT[architecture], first)
  const at = (name: string) => numbers.get(name) ?? assert.fail(`${name} has no number`)

  test(`${architecture}: exactly the calls by name are admitted, of all there could be`, () => {
    assert.ok(program.length / 8 < MAX_INSTRUCTIONS)
    const allowed = new Set(ALLOWED_CALLS.flatMap((name) => numbers.get(name) ?? []))
    const special = new Set(['socket', 'personality', 'clone', 'clone3'].map(at))
    for (let number = 0; number < 1000; number++) {
      if (special.has(number)) continue
      assert.equal(ask(number), allowed.has(number) ? ALLOW : EPERM, String(number))
    }
    for (const number of [0x40000000, 0x40000001, 0x7fffffff, -1]) {
      assert.equal(ask(number), EPERM, String(number))
    }
  })

  test(`${architecture}: sockets by family, clone without namespaces, clone3 as if unknown`, () => {
    const families = [0, 1, 2, 3, 10, 16, 17, 38, 40].filter(
      (family) => ask(at('socket'), family) === ALLOW,
    )
    assert.deepEqual(families, [1, 2, 10])
    assert.equal(ask(at('clone'), 0x003d0f00), ALLOW) // what a C library makes threads with
    for (const flag of [0x20000, 0x02000000, 0x10000000, 0x20000000, 0x40000000]) {
      assert.equal(ask(at('clone'), flag | 0x11), EPERM, flag.toString(16))
    }
    assert.equal(ask(at('clone3')), ENOSYS)
    assert.equal(ask(at('personality'), 0xffffffff), ALLOW)
    assert.equal(ask(at('personality'), 0x0040000), EPERM)
  })

  test(`${architecture}: a runner of modules makes threads and nothing else, and no socket of any family`, () => {
    const filter = seccompProgram(architecture, RUNNER_CALLS)
    const answers = (name: string, first?: number) =>
      answer(filter, at(name), AUDIT[architecture], first)
    for (let family = 0; family < 64; family++) assert.equal(answers('socket', family), EPERM)
    assert.equal(answers('clone', 0x003d0f00), ALLOW)
    assert.equal(answers('clone', 0x11), EPERM)
    for (const flag of [0x20000, 0x02000000, 0x10000000, 0x20000000, 0x40000000]) {
      assert.equal(answers('clone', flag | 0x003d0f00), EPERM, flag.toString(16))
    }
    for (const name of ['socketpair', 'connect', 'bind', 'shmget', 'mknodat', 'setuid'])
      assert.equal(answers(name), EPERM, name)
    for (const name of [
      'mmap',
      'mprotect',
      'futex',
      'epoll_pwait',
      'eventfd2',
      'sendmsg',
      'execve',
    ])
      assert.equal(answers(name), ALLOW, name)
    const jobs = new Set(ALLOWED_CALLS)
    assert.deepEqual(
      RUNNER_CALLS.allowed.filter((name) => !jobs.has(name)),
      [],
    )
  })

  test(`${architecture}: code of another processor family is ended`, () => {
    for (const audit of [0x40000003, 0, ...Object.values(AUDIT)]) {
      if (audit === AUDIT[architecture]) continue
      assert.equal(answer(program, 0, audit), KILL)
    }
  })

  test(`${architecture}: no two calls have one number`, () => {
    assert.equal(new Set(numbers.values()).size, numbers.size)
  })
}
