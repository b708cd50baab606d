import { name, section, uleb, wasmModule } from './wasm-module.ts'

const I32 = 0x7f
const [LOOP, BRANCH, END, CALL, DROP, CONST, VOID] = [0x03, 0x0c, 0x0b, 0x10, 0x1a, 0x41, 0x40]
/** Where the module's memory has the vectors of one byte for each stream, and where a call says how much it wrote. */
const [OUT_AT, ERR_AT, WRITTEN_AT] = [0, 8, 24]

/** A module that prints for ever, `o` on stdout and `e` on stderr in turn, each by itself. */
export function dripModule(): Uint8Array {
  const types = section(1, 2, 0x60, 0, 0, 0x60, 4, I32, I32, I32, I32, 1, I32)
  const imports = section(2, 1, ...name('wasi_snapshot_preview1'), ...name('fd_write'), 0, 1)
  const exports = section(7, 2, ...name('_start'), 0, 1, ...name('memory'), 2, 0)
  const write = (fd: number, at: number) =>
    [CONST, fd, CONST, at, CONST, 1, CONST, WRITTEN_AT].concat(CALL, 0, DROP)
  const body = [0, LOOP, VOID, ...write(1, OUT_AT), ...write(2, ERR_AT), BRANCH, 0, END, END]
  const code = section(10, 1, ...uleb(body.length), ...body)
  const word = (value: number) => [value, 0, 0, 0]
  const bytes = [...word(16), ...word(1), ...word(17), ...word(1), 0x6f, 0x65]
  const data = section(11, 1, 0, CONST, 0, END, ...uleb(bytes.length), ...bytes)
  return wasmModule(types, imports, section(3, 1, 0), section(5, 1, 0, 1), exports, code, data)
}
