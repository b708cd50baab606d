import { concat, sha256 } from 'ethers'
import type { Address, Bytes32, Hex } from '../domain/ids.ts'
import { MAX_TASKS } from '../domain/offer.ts'
import { END_REASONS, type OutputFile, type TaskResult, type Usage } from '../domain/receipt.ts'
import { fromHex, toHex } from './bytes.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidText } from './cid.ts'
import { sandboxPath } from './job-spec-codec.ts'
import { MAX_MANIFEST_BYTES, MAX_OUTPUT_FILES } from './limits.ts'
import { list, text, uint32, uint64, type Shape } from './schema.ts'
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
})

const manifest = list(taskResult, MAX_TASKS)

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
