import { HiveError } from '../../domain/errors.ts'
import type { Cid } from '../../domain/ids.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import { MAX_MANIFEST_BYTES, MAX_OUTPUT_BYTES } from '../../protocol/limits.ts'
import { decodeManifest } from '../../protocol/results.ts'
import type { EndedTask } from './printed-output.ts'
import type { WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface WorkOutputParts {
  readonly works: WorkBook
  readonly blobs: Blobs
}

/** Which output to tell. */
export interface WorkOutputQuery {
  /** One task only. */
  readonly task: number | undefined
  /** Whether to go on with what is printed, until the share has ended. */
  readonly follow: boolean
}

/** Part of what a task printed. */
export interface Printed {
  readonly index: number
  readonly stream: 1 | 2
  /** Where it begins in its stream. */
  readonly at: number
  readonly bytes: Uint8Array
}

const STREAMS = [1, 2] as const

/**
 * What the tasks of a share have printed: of those that have ended from their results, as long as these are kept; of the
 * others from memory, as it comes. Throws CONTENT_NOT_FOUND where results are gone.
 */
export async function* workOutput(
  parts: WorkOutputParts,
  work: WorkRecord,
  { task: only, follow }: WorkOutputQuery,
  signal: AbortSignal,
): AsyncGenerator<Printed> {
  const { output } = parts.works.log(work)
  const wanted = work.tasks.filter((index) => only === undefined || only === index)
  const known = new Map<number, EndedTask>()
  for (const each of await recorded(parts, work, signal)) known.set(each.index, each)
  const told = new Map<string, number>()
  const ended = new Set<number>()
  while (!signal.aborted) {
    const { version, closed } = output
    for (const index of wanted) {
      if (ended.has(index)) continue
      for (const stream of STREAMS) {
        const key = `${index}/${stream}`
        for (const { at, bytes } of output.since(index, stream, told.get(key) ?? 0)) {
          told.set(key, at + bytes.byteLength)
          yield { index, stream, at, bytes }
        }
      }
      const end = output.ended(index) ?? known.get(index)
      if (end === undefined) continue
      ended.add(index)
      for (const stream of STREAMS) {
        const { cid, size } = stream === 1 ? end.stdout : end.stderr
        const from = told.get(`${index}/${stream}`) ?? 0
        if (size > from)
          yield {
            index,
            stream,
            at: from,
            bytes: (await kept(parts, cid, MAX_OUTPUT_BYTES, signal)).subarray(from),
          }
      }
    }
    if (!follow || closed) return
    await output.changedSince(version, signal)
  }
}

/** How tasks of a share went, as far as it is on record. */
async function recorded(
  parts: WorkOutputParts,
  { id, manifest }: WorkRecord,
  signal: AbortSignal,
): Promise<readonly TaskResult[]> {
  if (manifest === undefined) return [...(await parts.works.endedTasks(id)).values()]
  return decodeManifest(await kept(parts, manifest, MAX_MANIFEST_BYTES, signal))
}

/** Content of this node's own: what it has swept is not looked for elsewhere. */
async function kept(
  { blobs }: WorkOutputParts,
  cid: Cid,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!(await blobs.has(cid))) throw new HiveError('CONTENT_NOT_FOUND', { cid })
  return blobs.get(cid, { maxBytes, signal })
}
