import { readFile } from 'node:fs/promises'
import type { Program, Programs } from '../conformance/sandbox.ts'
import { wasiModule, word } from './wasi-module.ts'

/** A module among the fixtures, by its file name; `args` go before a test's own. */
export function wasmFixture(file: string, ...args: string[]): Program {
  const path = new URL(`../vectors/wasm/${file}`, import.meta.url)
  return { image: { id: file, load: () => readFile(path) }, args }
}

/** Two vectors of one byte each, and the bytes. */
const DRIPS = [...word(16), ...word(1), ...word(17), ...word(1), ...Buffer.from('oe')]
const DRIP = wasiModule(
  [
    ['fd_write', 1, 0, 1, 24],
    ['fd_write', 2, 8, 1, 24],
  ],
  { data: DRIPS, isEndless: true },
)

/** The programs of the conformance suite, all in one module. */
export const WASM_PROGRAMS: Programs = {
  echo: wasmFixture('programs.wasm', 'echo'),
  cat: wasmFixture('programs.wasm', 'cat'),
  copy: wasmFixture('programs.wasm', 'copy'),
  spin: wasmFixture('programs.wasm', 'spin'),
  flood: wasmFixture('programs.wasm', 'flood'),
  drip: { image: { id: 'drip', load: async () => DRIP }, args: [] },
  hog: wasmFixture('programs.wasm', 'hog'),
  sleep: wasmFixture('programs.wasm', 'sleep'),
}
