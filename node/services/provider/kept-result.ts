import type { Cid } from '../../domain/ids.ts'
import type { OutputFile, TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { SandboxFile, SandboxResult } from '../../ports/sandbox.ts'
import { mapLimited } from '../limited.ts'

const MAX_DETAIL_CHARS = 1000
/** Output files that are hashed at the same time: each is whole in memory, and once more as blocks. */
const LANES = 4

/** Turns result bytes into content of this node. */
export async function keptResult(
  blobs: Pick<Blobs, 'add'>,
  index: number,
  result: SandboxResult,
): Promise<TaskResult> {
  // a file may have many names, which all have the same bytes
  const cids = new Map<Uint8Array, Promise<Cid>>()
  const cidOf = async (bytes: Uint8Array): Promise<Cid> => {
    const known = cids.get(bytes) ?? blobs.add(bytes)
    cids.set(bytes, known)
    return known
  }
  const add = async ({ path, bytes }: SandboxFile): Promise<OutputFile> => ({
    path,
    cid: await cidOf(bytes),
    size: bytes.byteLength,
  })
  const { reason, exitCode, usage } = result
  const round = (value: number) => Math.max(0, Math.round(value))
  return {
    index,
    reason,
    exitCode,
    detail: result.detail.slice(0, MAX_DETAIL_CHARS).toWellFormed(),
    stdout: await add({ path: '/stdout', bytes: result.stdout }),
    stderr: await add({ path: '/stderr', bytes: result.stderr }),
    files: await mapLimited(result.files, LANES, add),
    usage: {
      wallMs: round(usage.wallMs),
      cpuMs: round(usage.cpuMs),
      peakMemoryBytes: round(usage.peakMemoryBytes),
      bytesIn: round(usage.bytesIn),
      bytesOut: round(usage.bytesOut),
      ...(usage.fuel !== undefined && { fuel: usage.fuel }),
    },
  }
}
