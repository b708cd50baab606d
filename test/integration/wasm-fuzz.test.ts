import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { admitModule } from '../../node/adapters/wasm/module/admit.ts'
import { meterModule } from '../../node/adapters/wasm/module/meter.ts'
import { HiveError } from '../../node/domain/errors.ts'

/** So that a failure can be seen again. */
const SEED = 20_261_123
const MAX_PAGES = 256
/** Far above what any module of this size takes, on a busy machine too. */
const MAX_MS = 5000

const fixture = async (name: string) =>
  new Uint8Array(await readFile(new URL(`../vectors/wasm/${name}`, import.meta.url)))

describe('hostile modules', () => {
  // Without the check that the runner makes before: the rewriter itself must bear anything.
  test('3000 changed modules: the rewriter ends with IMAGE_INVALID or bytes, soon', async () => {
    const modules = [await fixture('programs.wasm'), await fixture('kernels.wasm')]
    const random = mulberry(SEED)
    const outcomes = { refused: 0, rewritten: 0 }
    for (let n = 0; n < 3000; n++) {
      const mutant = mutate(modules[n % 2] as Uint8Array, random)
      const began = performance.now()
      outcomes[rewritten(mutant, n % 3 === 0) === undefined ? 'refused' : 'rewritten'] += 1
      assert.ok(performance.now() - began < MAX_MS, `mutant ${n}`)
    }
    // Both must happen, or the changes are of one kind only.
    assert.ok(outcomes.refused > 300 && outcomes.rewritten > 300, JSON.stringify(outcomes))
  })

  test('1200 with one other byte: what was valid and is rewritten is valid', async () => {
    const module = await fixture('oracle.wasm')
    const random = mulberry(SEED + 1)
    let valid = 0
    for (let n = 0; n < 1200; n++) {
      const mutant = module.slice()
      mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256)
      const admitted = attempt(() => admitModule(mutant, MAX_PAGES))
      if (admitted === undefined || !WebAssembly.validate(admitted)) continue
      valid += 1
      const metered = attempt(() => meterModule(admitted, n % 2 === 0))
      if (metered !== undefined) assert.equal(WebAssembly.validate(metered), true, `mutant ${n}`)
    }
    assert.ok(valid > 100, `only ${valid} were valid`)
  })
})

function rewritten(bytes: Uint8Array, deterministic: boolean): Uint8Array | undefined {
  return attempt(() => meterModule(admitModule(bytes, MAX_PAGES), deterministic))
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    assert.ok(error instanceof HiveError, String(error instanceof Error ? error.stack : error))
    assert.equal(error.code, 'IMAGE_INVALID')
    return undefined
  }
}

/** A few bytes changed, or a stretch cut out, doubled or filled. */
function mutate(module: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const kind = below(8)
  if (kind < 5) {
    const mutant = module.slice()
    for (let changes = 1 + below(3); changes > 0; changes--)
      mutant[below(mutant.length)] = below(256)
    return mutant
  }
  const from = below(module.length)
  const to = Math.min(module.length, from + 1 + below(40))
  if (kind === 5) return Uint8Array.from([...module.subarray(0, from), ...module.subarray(to)])
  if (kind === 6) return Uint8Array.from([...module.subarray(0, to), ...module.subarray(from)])
  return module.slice().fill(below(256), from, to)
}

/** Mulberry32: the same numbers from the same seed, below 1. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
