import { readFile } from 'node:fs/promises'
import type { Program, Programs } from '../conformance/sandbox.ts'
import { dripModule } from './drip-module.ts'

/** A module among the fixtures, by its file name; `args` go before a test's own. */
export function wasmFixture(file: string, ...args: string[]): Program {
  const path = new URL(`../vectors/wasm/${file}`, import.meta.url)
  return { image: { id: file, load: () => readFile(path) }, args }
}

/** The programs of the conformance suite, all in one module. */
export const WASM_PROGRAMS: Programs = {
  echo: wasmFixture('programs.wasm', 'echo'),
  cat: wasmFixture('programs.wasm', 'cat'),
  copy: wasmFixture('programs.wasm', 'copy'),
  spin: wasmFixture('programs.wasm', 'spin'),
  flood: wasmFixture('programs.wasm', 'flood'),
  drip: { image: { id: 'drip', load: async () => dripModule() }, args: [] },
  hog: wasmFixture('programs.wasm', 'hog'),
  sleep: wasmFixture('programs.wasm', 'sleep'),
}
