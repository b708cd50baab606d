import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { admitModule } from '../../../../node/adapters/wasm/module/admit.ts'
import { HiveError } from '../../../../node/domain/errors.ts'
import {
  CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  name,
  section,
  TYPES,
  uleb,
  wasmModule,
} from '../../../support/wasm-module.ts'

const PLAIN = wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE)

function imported(from: string, what: string, ...kind: number[]): number[] {
  return [...name(from), ...name(what), ...kind]
}

function refused(module: Uint8Array, why: RegExp, maxPages = 16): void {
  assert.throws(
    () => admitModule(module, maxPages),
    (error) => {
      assert.ok(error instanceof HiveError)
      assert.equal(error.code, 'IMAGE_INVALID')
      assert.match(String(error.data['why']), why)
      return true
    },
  )
}

async function memoryOf(module: Uint8Array, maxPages: number) {
  const compiled = await WebAssembly.compile(admitModule(module, maxPages))
  const { exports } = new WebAssembly.Instance(compiled, {})
  return exports['memory'] as { readonly buffer: ArrayBuffer; grow(pages: number): number }
}

describe('admission of a module', () => {
  test('a memory without a maximum gets the limit, to the page', async () => {
    const memory = await memoryOf(PLAIN, 16)
    assert.equal(memory.grow(15), 1)
    assert.equal(memory.buffer.byteLength, 16 * 65_536)
    assert.throws(() => memory.grow(1))
  })

  test('a maximum above the limit comes down to it, one below stays', async () => {
    const withMaximum = (maximum: number) =>
      wasmModule(TYPES, FUNCTIONS, section(5, 1, 1, 1, ...uleb(maximum)), EXPORTS, CODE)
    const high = await memoryOf(withMaximum(65_536), 300)
    assert.equal(high.grow(299), 1)
    assert.throws(() => high.grow(1))
    const low = await memoryOf(withMaximum(3), 300)
    assert.equal(low.grow(2), 1)
    assert.throws(() => low.grow(1))
  })

  test('memory: a minimum at the limit is admitted, one page above is refused', () => {
    const needs = (pages: number) =>
      wasmModule(TYPES, FUNCTIONS, section(5, 1, 0, ...uleb(pages)), EXPORTS, CODE)
    admitModule(needs(16), 16)
    refused(needs(17), /starts at 17 pages/)
  })

  test('shared, 64-bit and second memories are refused', () => {
    const memories = (...content: number[]) =>
      wasmModule(TYPES, FUNCTIONS, section(5, ...content), EXPORTS, CODE)
    refused(memories(1, 3, 1, 2), /shared/)
    refused(memories(1, 2, 1), /shared/)
    refused(memories(1, 4, 1), /64-bit/)
    refused(memories(1, 8, 1), /flags/)
    refused(memories(2, 0, 1, 0, 1), /more than one/)
    refused(memories(1, 1, 5, 4), /maximum below/)
  })

  test('every import that is not WASI preview 1 is named', () => {
    const imports = section(
      2,
      5,
      ...imported('wasi_snapshot_preview1', 'fd_write', 0, 0),
      ...imported('wasi_snapshot_preview1', 'fd_teleport', 0, 0),
      ...imported('env', 'memory', 2, 0, 1),
      ...imported('env', 'table', 1, 0x70, 0, 1),
      ...imported('wasi_unstable', 'fd_write\n\u{1f41d}', 0, 0),
    )
    const module = wasmModule(TYPES, imports, FUNCTIONS, EXPORTS, CODE)
    refused(
      module,
      /: wasi_snapshot_preview1\.fd_teleport, env\.memory \(memory\), env\.table \(table\), wasi_unstable\.fd_write\?+$/,
    )
  })

  test('what is no command is refused: no entry, no memory', () => {
    const exporting = (...content: number[]) =>
      wasmModule(TYPES, FUNCTIONS, MEMORY, section(7, ...content), CODE)
    refused(wasmModule(TYPES, FUNCTIONS, MEMORY, CODE), /_start/)
    refused(exporting(1, ...name('memory'), 2, 0), /_start/)
    refused(exporting(1, ...name('_start'), 0, 0), /memory/)
    refused(exporting(2, ...name('_start'), 2, 0, ...name('memory'), 0, 0), /_start/)
  })

  test('components and other things are told apart', () => {
    refused(Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 13, 0, 1, 0]), /component/)
    refused(Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), /version/)
    refused(new TextEncoder().encode('#!/bin/sh\n'), /not a WebAssembly module/)
    refused(new Uint8Array(), /ends too early/)
  })

  test('sections must be known, complete, in order and there once', () => {
    refused(wasmModule(TYPES, MEMORY, FUNCTIONS, EXPORTS, CODE), /out of order/)
    refused(wasmModule(TYPES, TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE), /twice/)
    refused(wasmModule(section(14)), /section 14 is unknown/)
    refused(PLAIN.slice(0, -1), /ends too early/)
    refused(wasmModule([5, 0xff, 0xff, 0xff, 0xff, 0x7f]), /32 bits/)
    refused(wasmModule([5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), /5 bytes/)
  })

  test('tables are counted together and kept from growing without end', async () => {
    const tables = (...content: number[]) =>
      wasmModule(TYPES, FUNCTIONS, section(4, ...content), MEMORY, EXPORTS, CODE)
    await WebAssembly.compile(admitModule(tables(1, 0x70, 0, 10), 16))
    refused(tables(1, 0x70, 0, ...uleb(1_000_001)), /too large/)
    const half = [0x70, 0, ...uleb(600_000)]
    refused(tables(2, ...half, ...half), /too large/)
    refused(tables(17, ...Array.from({ length: 17 }, () => [0x70, 0, 1]).flat()), /16 tables/)
  })

  test('a function too large to compile in time, and types outside plain functions, are refused', () => {
    const size = 1024 * 1024 + 1
    const head = [10, ...uleb(4 + size), 1, ...uleb(size)]
    const large = Buffer.concat([
      wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, head),
      Buffer.alloc(size),
    ])
    refused(large, /a function of 1048577 bytes/)
    const struct = section(1, 1, 0x5f, 0)
    refused(wasmModule(struct, FUNCTIONS, MEMORY, EXPORTS, CODE), /not a plain function/)
  })

  test('functions that would take minutes to compile are refused, to the loop', () => {
    const withLoops = (count: number) => {
      const loops = Array.from({ length: count }, () => [0x03, 0x40, 0x0b]).flat()
      const body = [0, ...loops, 0x0b]
      return wasmModule(
        TYPES,
        FUNCTIONS,
        MEMORY,
        EXPORTS,
        section(10, 1, ...uleb(body.length), ...body),
      )
    }
    admitModule(withLoops(5000), 16)
    refused(withLoops(5001), /too complex to compile: 5001 loops/)
  })

  test('hostile bytes: whatever is changed, it is admitted or IMAGE_INVALID', async () => {
    const file = new URL('../../../vectors/wasm/programs.wasm', import.meta.url)
    const original = new Uint8Array(await readFile(file))
    // Most changes hit function bodies, which are not ours to judge; half are aimed at the front.
    const change = fc.tuple(
      fc.oneof(fc.nat(600), fc.nat(original.length - 1)),
      fc.integer({ min: 0, max: 255 }),
    )
    const changes = fc.array(change, { minLength: 1, maxLength: 8 })
    const cut = fc.option(fc.nat(original.length))
    fc.assert(
      fc.property(changes, cut, (bytes, length) => {
        const module = original.slice(0, length ?? undefined)
        for (const [at, byte] of bytes) module[at] = byte
        try {
          admitModule(module, 64)
        } catch (error) {
          assert.ok(error instanceof HiveError, String(error))
          assert.equal(error.code, 'IMAGE_INVALID')
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('hostile bytes: no bytes at all are well behaved by chance', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (tail) => {
        const module = Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...tail])
        assert.throws(() => admitModule(module, 64), { code: 'IMAGE_INVALID' })
      }),
    )
  })
})
