import { concat, sha256 } from 'ethers'
import type { Address, Bytes32, Hex } from '../domain/ids.ts'
import { MAX_TASKS } from '../domain/offer.ts'
import { END_REASONS, type OutputFile, type TaskResult, type Usage } from '../domain/receipt.ts'
import { fromHex, toHex } from './bytes.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidText } from './cid.ts'
import { sandboxPath } from './job-spec-codec.ts'
import { MAX_MANIFEST_BYTES, MAX_OUTPUT_FILES } from './limits.ts'
import { bool, list, text, uint32, uint64, type Shape } from './schema.ts'
import { oneOf, optional, record, wholeNumber } from './shapes.ts'
import { keccak } from './typed-data.ts'

const MAX_DETAIL_CHARS = 1000

const outputFile = record<OutputFile>({ path: sandboxPath, cid: cidText, size: uint64 })
const usage = record<Usage>({
  wallMs: uint64,
  cpuMs: uint64,
  peakMemoryBytes: uint64,
  bytesIn: uint64,
  bytesOut: uint64,
  fuel: optional(uint64),
})

/** One task's result, as it travels. */
export const taskResult: Shape<TaskResult> = record<TaskResult>({
  index: uint32,
  reason: oneOf(END_REASONS),
  exitCode: wholeNumber,
  detail: text(MAX_DETAIL_CHARS),
  stdout: outputFile,
  stderr: outputFile,
  files: list(outputFile, MAX_OUTPUT_FILES),
  usage,
  attached: optional(bool),
})

const manifest = list(taskResult, MAX_TASKS)

/** Beyond its entries, what a list takes in dag-cbor, bytes. */
const LIST_HEAD_BYTES = 8

/**
 * A result that fits its part of the manifest of a share of `tasks` tasks. One that names too many
 * files loses them and says so: it must not keep the others from being delivered, and paid.
 */
export function fitted(result: TaskResult, tasks: number): TaskResult {
  const room = Math.floor((MAX_MANIFEST_BYTES - LIST_HEAD_BYTES) / tasks)
  const bytes = encodeCbor(taskResult.toWire(result)).byteLength
  if (bytes <= room) return result
  const detail = `its list of ${result.files.length} output files takes ${bytes} bytes, and each task of this share has ${room}`
  const reason = result.reason === 'exit' ? 'output-limit' : result.reason
  return { ...result, reason, exitCode: -1, files: [], detail }
}

/** The results of a share, in task order. */
export function encodeManifest(results: readonly TaskResult[]): Uint8Array {
  return encodeCbor(manifest.toWire(results))
}

/** A stranger's manifest. Throws as {@link decodeCbor} does. */
export function decodeManifest(bytes: Uint8Array): readonly TaskResult[] {
  return manifest.fromWire(decodeCbor(bytes, MAX_MANIFEST_BYTES), 'manifest')
}

/** SHA-256 of a manifest: a receipt's `dataRoot`. */
export function manifestRoot(bytes: Uint8Array): Bytes32 {
  return sha256(toHex(bytes)) as Bytes32
}

/** A receipt's `resultCommit`: opens only for this agreement, provider and data. */
export function resultCommit(
  agreement: Bytes32,
  provider: Address,
  dataRoot: Bytes32,
  salt: Bytes32,
): Bytes32 {
  return keccak(fromHex(concat([agreement, provider, dataRoot, salt]) as Hex))
}
