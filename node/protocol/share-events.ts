import type { ErrorCode } from '../domain/error-codes.ts'
import type { Bytes32, Cid } from '../domain/ids.ts'
import { JOB_STATES, type JobState } from '../domain/job-state.ts'
import type { TaskResult } from '../domain/receipt.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidText } from './cid.ts'
import { MAX_FRAME_BYTES, MAX_SMALL_BYTES } from './limits.ts'
import { taskResult } from './results.ts'
import { asMap, bool, bytes32, malformed, uint32, uint8, type Shape } from './schema.ts'
import { errorCode, bytesUpTo, oneOf, optional, record } from './shapes.ts'

/** What a provider tells the requester while it works on a share. */
export type ShareEvent =
  | { readonly type: 'state'; readonly state: JobState }
  /** `resumed`: it has run on since an earlier life, and its output is told from the first byte again. */
  | { readonly type: 'started'; readonly index: number; readonly resumed?: boolean }
  /** How far a running task says that it is, 0 to 100. */
  | { readonly type: 'progress'; readonly index: number; readonly percent: number }
  | { readonly type: 'done'; readonly result: TaskResult }
  | {
      readonly type: 'log'
      readonly index: number
      readonly stream: number
      readonly bytes: Uint8Array
    }
  | {
      readonly type: 'receipt'
      readonly receipt: Uint8Array
      readonly salt: Bytes32
      readonly manifest: Cid
    }
  | { readonly type: 'failed'; readonly code: ErrorCode }
  /** Of a share that is paid by the second: a sealed Heartbeat. */
  | { readonly type: 'heartbeat'; readonly heartbeat: Uint8Array }
  /**
   * The provider was gone and has taken the share up again in a new life, whose events follow from the first on. Not
   * counted as an event.
   */
  | { readonly type: 'restarted'; readonly life: number }
  /**
   * Nothing new; the provider is alive, and says so by a sealed Heartbeat where the share is not paid by the second. Not
   * counted as an event.
   */
  | { readonly type: 'beat'; readonly heartbeat?: Uint8Array }

/** Largest piece of a task's output in one event, bytes; leaves room for the rest of a frame. */
export const MAX_LOG_BYTES: number = MAX_FRAME_BYTES / 2

const percent: Shape<number> = {
  toWire: (value) => value,
  fromWire(raw, path) {
    const value = uint8.fromWire(raw, path)
    return value <= 100 ? value : malformed(path, 'at most 100')
  },
}

type EventShapes = {
  readonly [T in ShareEvent['type']]: Shape<Omit<Extract<ShareEvent, { type: T }>, 'type'>>
}

const EVENTS: EventShapes = {
  state: record({ state: oneOf(JOB_STATES) }),
  started: record<{ readonly index: number; readonly resumed?: boolean }>({
    index: uint32,
    resumed: optional(bool),
  }),
  progress: record({ index: uint32, percent }),
  done: record({ result: taskResult }),
  log: record({ index: uint32, stream: uint32, bytes: bytesUpTo(MAX_LOG_BYTES) }),
  receipt: record({ receipt: bytesUpTo(MAX_SMALL_BYTES), salt: bytes32, manifest: cidText }),
  failed: record({ code: errorCode }),
  heartbeat: record({ heartbeat: bytesUpTo(MAX_SMALL_BYTES) }),
  restarted: record({ life: uint32 }),
  beat: record<{ readonly heartbeat?: Uint8Array }>({
    heartbeat: optional(bytesUpTo(MAX_SMALL_BYTES)),
  }),
}

/** An event as a frame. */
export function encodeShareEvent(event: ShareEvent): Uint8Array {
  const { type, ...body } = event
  return encodeCbor({ type, body: (EVENTS[type] as Shape<object>).toWire(body) })
}

/** A stranger's frame. Throws as {@link decodeCbor} does. */
export function decodeShareEvent(frame: Uint8Array): ShareEvent {
  const raw = asMap(decodeCbor(frame, MAX_FRAME_BYTES), 'event')
  const type = raw['type']
  if (typeof type !== 'string' || !Object.hasOwn(EVENTS, type))
    return malformed('event.type', 'a known event')
  if (Object.keys(raw).length !== 2) return malformed('event', 'an event {type, body}')
  const shape = EVENTS[type as ShareEvent['type']] as Shape<object>
  return { type, ...shape.fromWire(raw['body'], `event.${type}`) } as ShareEvent
}

/** Whether no further event follows. */
export function isLastEvent(event: ShareEvent): boolean {
  return event.type === 'receipt' || event.type === 'failed'
}
