import type { Bytes32 } from '../domain/ids.ts'
import { KiB } from '../domain/units.ts'
import { codec } from './requests.ts'
import { bytes32, list, malformed, text, uint32 } from './schema.ts'
import { optional, record, textMap } from './shapes.ts'

/** Largest piece of input or output in one frame, bytes: a terminal stays lively and a frame is well filled. */
export const ATTACH_PIECE_BYTES: number = 64 * KiB
/** Most words of a command, and most variables. */
const MAX_WORDS = 256
const MAX_WORD_CHARS = 8192
/** Widest and highest terminal, characters. */
const MAX_TERMINAL = 0xffff
const MAX_PORT = 65_535

/** A program to run inside a task of a share. */
export interface ExecRequest {
  readonly agreement: Bytes32
  readonly index: number
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Left out: no terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** A connection to a port inside a task of a share. Its frames are the bytes of each direction; the first one back is empty. */
export interface ForwardRequest {
  readonly agreement: Bytes32
  readonly index: number
  readonly port: number
}

const terminal = record<{ readonly columns: number; readonly rows: number }>({
  columns: uint32,
  rows: uint32,
})

export const execRequest = codec<ExecRequest>('exec', {
  agreement: bytes32,
  index: uint32,
  command: list(text(MAX_WORD_CHARS), MAX_WORDS),
  env: textMap(MAX_WORDS, MAX_WORD_CHARS),
  terminal: optional(terminal),
})
export const forwardRequest = codec<ForwardRequest>('forward', {
  agreement: bytes32,
  index: uint32,
  port: uint32,
})

/** What goes to a program. */
export type ExecInput =
  | { readonly type: 'input'; readonly bytes: Uint8Array }
  | { readonly type: 'input-end' }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }

/** What comes from it. */
export type ExecOutput =
  | { readonly type: 'started' }
  | { readonly type: 'output'; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly type: 'exit'; readonly code: number }

/** First byte of a frame to a program. */
const INPUT = { bytes: 0, end: 1, resize: 2 } as const
/** First byte of a frame from it; 1 and 2 are its streams. */
const OUTPUT = { started: 0, exit: 3 } as const

export function encodeExecInput(input: ExecInput): Uint8Array {
  if (input.type === 'input') return tagged(INPUT.bytes, input.bytes)
  if (input.type === 'input-end') return Uint8Array.of(INPUT.end)
  const frame = new DataView(new ArrayBuffer(5))
  frame.setUint8(0, INPUT.resize)
  frame.setUint16(1, Math.min(input.columns, MAX_TERMINAL))
  frame.setUint16(3, Math.min(input.rows, MAX_TERMINAL))
  return new Uint8Array(frame.buffer)
}

/** A stranger's frame. Throws MESSAGE_MALFORMED. */
export function decodeExecInput(frame: Uint8Array): ExecInput {
  const body = frame.subarray(1)
  const kind: number = frame[0] ?? NaN
  if (kind === INPUT.bytes) return { type: 'input', bytes: body }
  if (kind === INPUT.end && body.length === 0) return { type: 'input-end' }
  if (kind !== INPUT.resize || body.length !== 4) return malformed('exec', 'input or a size')
  const view = new DataView(body.buffer, body.byteOffset)
  return { type: 'resize', columns: view.getUint16(0), rows: view.getUint16(2) }
}

export function encodeExecOutput(output: ExecOutput): Uint8Array {
  if (output.type === 'started') return Uint8Array.of(OUTPUT.started)
  if (output.type === 'output') return tagged(output.stream, output.bytes)
  const frame = new DataView(new ArrayBuffer(5))
  frame.setUint8(0, OUTPUT.exit)
  frame.setInt32(1, output.code)
  return new Uint8Array(frame.buffer)
}

/** A stranger's frame. Throws MESSAGE_MALFORMED. */
export function decodeExecOutput(frame: Uint8Array): ExecOutput {
  const body = frame.subarray(1)
  const kind: number = frame[0] ?? NaN
  if (kind === OUTPUT.started && body.length === 0) return { type: 'started' }
  if (kind === 1 || kind === 2) return { type: 'output', stream: kind, bytes: body }
  if (kind !== OUTPUT.exit || body.length !== 4) return malformed('exec', 'output or an end')
  return { type: 'exit', code: new DataView(body.buffer, body.byteOffset).getInt32(0) }
}

/** Whether `port` can be connected to. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= MAX_PORT
}

/** Bytes in pieces that fit a frame. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += ATTACH_PIECE_BYTES)
    yield bytes.subarray(at, at + ATTACH_PIECE_BYTES)
}

function tagged(kind: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(1 + bytes.byteLength)
  frame[0] = kind
  frame.set(bytes, 1)
  return frame
}
