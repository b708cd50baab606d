import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { meterModule } from '../../../../node/adapters/wasm/module/meter.ts'
import { runMetered } from '../../../support/metered-module.ts'
import {
  EXPORTS,
  MEMORY,
  name,
  section,
  TYPES,
  uleb,
  wasmModule,
} from '../../../support/wasm-module.ts'

const I32 = 0x7f
const I64 = 0x7e
const F32 = 0x7d
const F64 = 0x7c
const END = 0x0b
const EMPTY = 0x40

/** A command whose functions, of no parameters and results, have these bodies; the first is `_start`. */
function command(...functions: { locals?: number[]; code: number[] }[]): Uint8Array {
  const bodies = functions.map(({ locals = [], code }) => {
    const groups = [locals.length, ...locals.flatMap((type) => [1, type])]
    const body = [...groups, ...code, END]
    return [...uleb(body.length), ...body]
  })
  return wasmModule(
    TYPES,
    section(3, functions.length, ...functions.map(() => 0)),
    section(4, 1, 0x70, 0, 4),
    MEMORY,
    EXPORTS,
    section(10, functions.length, ...bodies.flat()),
  )
}

const start = (...code: number[]) => command({ locals: [I32, I64, F32, F64], code })

/** Goes round once: 2. */
const oneRound = [0x03, EMPTY, 0x41, 0, 0x1a, END]

/** Counts local 0 down from `from`: 5 a round. */
const countdown = (from: number) => [
  65,
  ...uleb(from),
  33,
  0,
  3,
  EMPTY,
  32,
  0,
  65,
  1,
  107,
  34,
  0,
  13,
  0,
  END,
]

async function cost(module: Uint8Array): Promise<number> {
  const { used, thrown } = await runMetered(module)
  assert.equal(thrown, '')
  return used
}

describe('what instructions cost', () => {
  test('one each; blocks, their ends and nop are free', async () => {
    assert.equal(await cost(start()), 0)
    assert.equal(await cost(start(0x01, 0x01)), 0)
    assert.equal(await cost(start(0x41, 1, 0x1a)), 2)
    assert.equal(await cost(start(0x02, EMPTY, 0x41, 1, 0x1a, END, 0x41, 1, 0x1a)), 4)
  })

  test('a loop costs each of its rounds, and nothing else', async () => {
    assert.equal(await cost(start(...countdown(1))), 2 + 5)
    assert.equal(await cost(start(...countdown(60))), 2 + 5 * 60)
    assert.equal(await cost(start(...countdown(10), ...countdown(3))), 2 + 50 + 2 + 15)
  })

  test('of two branches only the one that is taken costs', async () => {
    const branch = (condition: number) =>
      start(0x41, condition, 0x04, EMPTY, 0x41, 1, 0x1a, 0x05, ...countdown(2), END, 0x41, 1, 0x1a)
    assert.equal(await cost(branch(1)), 2 + 2 + 2)
    assert.equal(await cost(branch(0)), 2 + 12 + 2)
    const alone = (condition: number) => start(0x41, condition, 0x04, EMPTY, 0x41, 1, 0x1a, END)
    assert.equal(await cost(alone(1)), 4)
    assert.equal(await cost(alone(0)), 2)
  })

  test('what a branch, a return or a table of branches jumps over costs nothing', async () => {
    const skipped = [0x41, 1, 0x1a]
    assert.equal(await cost(start(0x02, EMPTY, 0x0c, 0, ...skipped, END)), 1)
    assert.equal(await cost(start(0x41, 1, 0x0d, 0, ...skipped)), 2)
    assert.equal(await cost(start(0x41, 0, 0x0d, 0, ...skipped)), 4)
    assert.equal(await cost(start(0x0f, ...skipped, ...countdown(5))), 1)
    const table = (which: number) =>
      start(
        0x02,
        EMPTY,
        0x02,
        EMPTY,
        0x41,
        which,
        0x0e,
        1,
        0,
        1,
        END,
        0x41,
        1,
        0x1a,
        END,
        ...skipped,
      )
    assert.equal(await cost(table(0)), 2 + 2 + 2)
    assert.equal(await cost(table(9)), 2 + 2)
  })

  test('calls cost what is called, through loops on both sides', async () => {
    const inner = { locals: [I32], code: countdown(4) }
    assert.equal(await cost(command({ code: [0x10, 1, 0x10, 1] }, inner)), 2 + 2 * 22)
    const often = [0x41, 3, 0x21, 0, 0x03, EMPTY, 0x10, 1, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0]
    assert.equal(
      await cost(command({ locals: [I32], code: [...often, END] }, inner)),
      2 + 3 * (6 + 22),
    )
  })

  test('a function that leaves in the middle of its loop has told what it used', async () => {
    const leave = [0x03, EMPTY, 0x41, 1, 0x0d, 1, 0x0c, 0, END]
    assert.equal(await cost(command({ code: [0x10, 1] }, { code: leave })), 1 + 2)
    const returning = [0x03, EMPTY, 0x0f, END]
    assert.equal(await cost(command({ code: [0x10, 1] }, { code: returning })), 1 + 1)
    const table = [0x03, EMPTY, 0x41, 0, 0x0e, 0, 1, END]
    assert.equal(await cost(command({ code: [0x10, 1] }, { code: table })), 1 + 2)
    const tail = [0x03, EMPTY, 0x12, 2, END]
    const called = { code: [0x41, 1, 0x1a] }
    assert.equal(await cost(command({ code: [0x10, 1] }, { code: tail }, called)), 1 + 1 + 2)
  })

  test('exceptions: what was used is told, caught or not', async () => {
    // `(tag (type 0))`
    const tags = section(13, 1, 0, 0)
    const withTags = (...bodies: number[][]) =>
      wasmModule(
        TYPES,
        section(3, bodies.length, ...bodies.map(() => 0)),
        MEMORY,
        tags,
        EXPORTS,
        section(10, bodies.length, ...bodies.flatMap((code) => [code.length + 2, 0, ...code, END])),
      )
    const throwing = [0x41, 1, 0x1a, 0x08, 0]
    const caught = [0x06, EMPTY, 0x10, 1, 0x07, 0, 0x41, 1, 0x1a, END, 0x41, 1, 0x1a]
    assert.equal(await cost(withTags(caught, throwing)), 1 + 3 + 2 + 2)
    const any = [0x06, EMPTY, 0x10, 1, 0x19, 0x41, 1, 0x1a, END]
    assert.equal(await cost(withTags(any, [...oneRound, ...throwing])), 1 + 2 + 3 + 2)
    // A loop that goes on from where it catches.
    const looping = [0x03, EMPTY, 0x06, EMPTY, 0x10, 1, 0x07, 0, 0x0c, 1, END, END]
    const run = await runMetered(withTags(looping, throwing), { fuel: 1000 })
    assert.match(run.thrown, /unreachable/)
    assert.ok(run.used > 1000 && run.used < 1010, String(run.used))
    const uncaught = await runMetered(withTags(throwing))
    assert.equal(uncaught.used, 3)
    assert.notEqual(uncaught.thrown, '')
  })

  test('filling and copying memory costs by the bytes', async () => {
    const fill = (bytes: number) => start(0x41, 0, 0x41, 7, 0x41, ...sleb(bytes), 0xfc, 11, 0)
    assert.equal(await cost(fill(0)), 4)
    assert.equal(await cost(fill(1600)), 4 + 100)
    const copy = start(0x41, 0, 0x41, 0, 0x41, ...sleb(4096), 0xfc, 10, 0, 0)
    assert.equal(await cost(copy), 4 + 256)
    const table = start(0x41, 0, 0x41, 1, 0x41, 3, 0xfc, 14, 0, 0)
    assert.equal(await cost(table), 4 + 3)
  })

  test('a start function is counted too, and before the entry', async () => {
    const module = wasmModule(
      TYPES,
      section(3, 2, 0, 0),
      MEMORY,
      EXPORTS,
      section(8, 1),
      section(10, 2, 5, 0, 0x41, 1, 0x1a, END, 2, 0, END),
    )
    assert.equal(await cost(module), 2)
  })
})

describe('when fuel is used up', () => {
  test('exactly enough is enough, and one less is not', async () => {
    const module = start(...countdown(10))
    assert.equal((await runMetered(module, { fuel: 52 })).thrown, '')
    const short = await runMetered(module, { fuel: 51 })
    assert.match(short.thrown, /unreachable/)
    assert.ok(short.used > 51)
  })

  test('endless loops, recursion and memory fills come to an end', async () => {
    const endless = [
      start(0x03, EMPTY, 0x0c, 0, END),
      start(0x03, EMPTY, 0x41, 1, 0x0d, 0, END),
      command({ code: [0x10, 1] }, { code: [0x12, 2] }, { code: [0x12, 1] }),
      start(0x03, EMPTY, 0x41, 0, 0x41, 0, 0x41, ...sleb(60_000), 0xfc, 11, 0, 0x0c, 0, END),
    ]
    for (const [at, module] of endless.entries()) {
      const run = await runMetered(module, { fuel: 100_000 })
      assert.match(run.thrown, /unreachable/, String(at))
      assert.ok(run.used > 100_000 && run.used < 110_000, `${at}: ${run.used}`)
    }
    const module = wasmModule(
      TYPES,
      section(3, 2, 0, 0),
      MEMORY,
      EXPORTS,
      section(8, 1),
      section(10, 2, 2, 0, END, 7, 0, 0x03, EMPTY, 0x0c, 0, END, END),
    )
    assert.match((await runMetered(module)).thrown, /unreachable/)
  })

  test('a trap of the guest is told with what it had used', async () => {
    const explicit = await runMetered(start(...countdown(7), 0x00))
    assert.deepEqual([explicit.used, explicit.thrown.length > 0], [2 + 35 + 1, true])
    // The ninth round traps, and each is paid for at its start.
    const load = [0x20, 0, 0x41, ...sleb(9_000), 0x6c, 0x28, 2, 0, 0x1a]
    const loop = [0x03, EMPTY, ...load, 0x20, 0, 0x41, 1, 0x6a, 0x21, 0, 0x0c, 0, END]
    const implicit = await runMetered(start(...loop))
    assert.match(implicit.thrown, /out of bounds/)
    assert.equal(implicit.used, 9 * 10)
  })
})

describe('what only a rewritten module shows', () => {
  test('whether the last growth of the memory was refused', async () => {
    const grow = (pages: number) => [0x41, pages, 0x40, 0, 0x1a]
    assert.equal((await runMetered(start(...grow(15)))).refused, false)
    assert.equal((await runMetered(start(...grow(16)))).refused, true)
    assert.equal((await runMetered(start(...grow(16), ...grow(1)))).refused, false)
  })

  test('deterministic: NaNs have one bit pattern, and what only moves floats keeps theirs', async () => {
    const store = (at: number, ...value: number[]) => [0x41, at, ...value, 0x39, 3, 0]
    const zero = [0x44, 0, 0, 0, 0, 0, 0, 0, 0]
    const odd = [0x44, 1, 2, 3, 4, 5, 6, 0xf8, 0xff]
    const f32 = [0x43, 0, 0, 0, 0]
    const run = await runMetered(
      start(
        ...store(0, ...zero, ...zero, 0xa3),
        ...store(8, ...odd, ...zero, 0xa0),
        ...store(16, ...odd),
        ...store(24, ...zero, ...zero, 0xa3, ...zero, 0xa0),
        ...store(32, ...zero, ...zero, 0xa3, 0x9a),
        0x41,
        40,
        ...f32,
        ...f32,
        0x95,
        0x38,
        2,
        0,
        ...store(48, ...odd, 0xb6, 0xbb),
      ),
      { deterministic: true },
    )
    assert.equal(run.thrown, '')
    const canonical = 0x7ff8_0000_0000_0000n
    const at = (place: number) => run.memory.getBigUint64(place, true)
    assert.deepEqual([at(0), at(8), at(24), at(48)], [canonical, canonical, canonical, canonical])
    assert.equal(at(16), 0xfff8_0605_0403_0201n)
    assert.equal(at(32), canonical | (1n << 63n))
    assert.equal(run.memory.getUint32(40, true), 0x7fc0_0000)
  })

  test('deterministic: vectors of floats, too', async () => {
    const zeros = [0xfd, 12, ...Array.from({ length: 16 }, () => 0)]
    const divide = (at: number, op: number[]) => [
      65,
      at,
      ...zeros,
      ...zeros,
      253,
      ...op,
      253,
      11,
      4,
      0,
    ]
    const run = await runMetered(start(...divide(0, [0xe7, 1]), ...divide(16, [0xf3, 1])), {
      deterministic: true,
    })
    assert.equal(run.thrown, '')
    for (const at of [0, 4, 8, 12]) assert.equal(run.memory.getUint32(at, true), 0x7fc0_0000)
    for (const at of [16, 24])
      assert.equal(run.memory.getBigUint64(at, true), 0x7ff8_0000_0000_0000n)
  })
})

describe('modules that cannot be metered', () => {
  test('are refused by the name of what they use', () => {
    const refused = (why: RegExp, deterministic: boolean, ...code: number[]) => {
      assert.throws(
        () => meterModule(start(...code), deterministic),
        (error: { code?: string; data?: { why?: string } }) =>
          error.code === 'IMAGE_INVALID' && why.test(error.data?.why ?? ''),
      )
    }
    refused(/threads/, false, 0xfe, 0x03, 0)
    refused(/garbage collection/, false, 0xfb, 0x00, 0)
    refused(/typed function references/, false, 0x14, 0)
    refused(/an unknown instruction/, false, 0xfc, 99)
    refused(/relaxed SIMD/, true, 0xfd, 0x80, 2)
  })

  test('names that the meter needs are not the guest’s to take', async () => {
    const exports = section(
      7,
      3,
      ...name('_start'),
      0,
      0,
      ...name('memory'),
      2,
      0,
      ...name('hive:fuel'),
      0,
      0,
    )
    const module = wasmModule(TYPES, section(3, 1, 0), MEMORY, exports, section(10, 1, 2, 0, END))
    assert.equal(WebAssembly.validate(module), true)
    assert.equal(WebAssembly.validate(meterModule(module, false)), false)
  })
})

function sleb(value: number): number[] {
  return value < 64 ? [value] : [(value & 0x7f) | 0x80, ...sleb(value >> 7)]
}
