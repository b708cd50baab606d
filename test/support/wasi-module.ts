import { name, section, uleb, wasmModule } from './wasm-module.ts'

/** A call of WASI with numbers of 32 bits. */
export type WasiCall = readonly [name: string, ...args: readonly number[]]

const I32 = 0x7f
const FUNCTION = 0x60
const [LOOP, BRANCH, END, CALL, DROP, CONST, VOID] = [0x03, 0x0c, 0x0b, 0x10, 0x1a, 0x41, 0x40]
/** The types of `_start` and of `proc_exit`; those of the calls follow. */
const [START_TYPE, EXIT_TYPE, FIRST_TYPE] = [0, 1, 2]

/**
 * A module that makes these calls in this order, with `data` at the beginning of its memory, and exits with what the
 * last of them answered; or makes them for ever.
 */
export function wasiModule(
  calls: readonly WasiCall[],
  {
    data = [],
    isEndless = false,
  }: { readonly data?: readonly number[]; readonly isEndless?: boolean } = {},
): Uint8Array {
  const numbers = (count: number) => Array.from({ length: count }, () => I32)
  const types = calls.flatMap(([, ...args]) => [
    FUNCTION,
    args.length,
    ...numbers(args.length),
    1,
    I32,
  ])
  const wasi = (what: string, type: number) =>
    [name('wasi_snapshot_preview1'), name(what), [0, type]].flat()
  const imports = calls.flatMap(([what], at) => wasi(what, FIRST_TYPE + at))
  const made = calls.map(([, ...args], at) =>
    args.flatMap((value) => [CONST, ...sleb(value)]).concat(CALL, at),
  )
  const body = isEndless
    ? [0, LOOP, VOID, ...made.flatMap((call) => [...call, DROP]), BRANCH, 0, END, END]
    : [
        0,
        ...made.flatMap((call, at) => (at === 0 ? call : [DROP, ...call])),
        CALL,
        calls.length,
        END,
      ]
  const start = calls.length + 1
  return wasmModule(
    section(1, calls.length + FIRST_TYPE, FUNCTION, 0, 0, FUNCTION, 1, I32, 0, ...types),
    section(2, calls.length + 1, ...imports, ...wasi('proc_exit', EXIT_TYPE)),
    section(3, 1, START_TYPE),
    section(5, 1, 0, 1),
    section(7, 2, ...name('_start'), 0, start, ...name('memory'), 2, 0),
    section(10, 1, ...uleb(body.length), ...body),
    section(11, 1, 0, CONST, 0, END, ...uleb(data.length), ...data),
  )
}

/** A number of 32 bits in memory. */
export function word(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff)
}

/** A number as signed LEB128. */
function sleb(value: number): number[] {
  const low = value & 0x7f
  const rest = value >> 7
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return isLast ? [low] : [low | 0x80, ...sleb(rest)]
}
