import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Preparation } from '../../../../node/adapters/wasm/runner/preparation.ts'
import {
  CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  section,
  TYPES,
  uleb,
  wasmModule,
} from '../../../support/wasm-module.ts'

const METERED = { maxPages: 16, mode: 'metered' } as const
const SMALL = wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE)

/** A module of so many functions, each as full of loops as one may be: what takes longest to rewrite. */
function loops(functions: number): Uint8Array {
  const empty = [0x03, 0x40, 0x0b]
  const body = [0, ...Array.from({ length: 4900 }, () => empty).flat(), 0x0b]
  const one = Buffer.from([...uleb(body.length), ...body])
  const code = Buffer.concat([
    Buffer.from(uleb(functions)),
    ...Array.from({ length: functions }, () => one),
  ])
  return Buffer.concat([
    wasmModule(TYPES, [3, ...uleb(functions + uleb(functions).length), ...uleb(functions)]),
    Buffer.alloc(functions),
    Buffer.from([...MEMORY, ...EXPORTS, 10, ...uleb(code.length)]),
    code,
  ])
}

test('preparation: a module that takes too long is refused, and those behind it get their turn', async () => {
  const preparation = new Preparation({ timeoutMs: 1000 })
  const began = performance.now()
  const slow = preparation.of(loops(2000), METERED)
  const next = preparation.of(SMALL, METERED)
  await assert.rejects(slow, ({ code, data }) => {
    assert.equal(code, 'IMAGE_INVALID')
    assert.match(String(data.why), /more than 1 s/)
    return true
  })
  assert.ok(WebAssembly.validate(await next))
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`)
  await preparation.close()
})

test('preparation: each answer is its own module’s, a refusal among them', async () => {
  const preparation = new Preparation()
  const garbage = new Uint8Array(100)
  const form = { ...METERED, mode: 'deterministic' } as const
  const [first, second, third] = await Promise.allSettled([
    preparation.of(SMALL, METERED),
    preparation.of(garbage, form),
    preparation.of(wasmModule(TYPES, FUNCTIONS, section(5, 1, 0, 9), EXPORTS, CODE), form),
  ])
  assert.deepEqual(
    [first.status, second.status, third.status],
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await preparation.close()
})

test('preparation: a large module is not looked through on the runner’s own thread, also when it stays as it is', async () => {
  const preparation = new Preparation()
  const bytes = loops(400)
  let turns = 0
  const counting = setInterval(() => turns++, 1)
  const admitted = await preparation.of(bytes, { maxPages: 16, mode: 'plain' })
  clearInterval(counting)
  assert.ok(turns > 0)
  assert.equal(WebAssembly.validate(admitted), true)
  await preparation.close()
})
