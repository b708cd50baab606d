import { isDestination, MAX_DESTINATION_CHARS, MAX_EGRESS } from '../domain/egress.ts'
import { HiveError } from '../domain/errors.ts'
import { GPU_VENDORS, MAX_GPUS, type GpuNeed } from '../domain/gpu-need.ts'
import {
  inputBytesOf,
  JOB_KINDS,
  type InputFile,
  type JobSpec,
  type ServiceTerms,
  type TaskInput,
} from '../domain/job-spec.ts'
import { isPayInterval } from '../domain/metering.ts'
import { MAX_TASKS } from '../domain/offer.ts'
import { USE_UNITS } from '../domain/paid-use.ts'
import { MAX_REPOSITORY_CHARS, parseRepository } from '../domain/registry-image.ts'
import type { Resources } from '../domain/resources.ts'
import { isPlainPath } from '../domain/sandbox-path.ts'
import { MAX_SECRETS, secretSlotFault, type SecretSlot } from '../domain/secret-slot.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidDigest, cidText, rawCid } from './cid.ts'
import { MAX_PATH_CHARS, MAX_SPEC_BYTES, MAX_TASK_INPUT_BYTES } from './limits.ts'
import { bool, list, malformed, text, uint32, uint64, type Shape } from './schema.ts'
import { oneOf, optional, record, textMap } from './shapes.ts'

const MAX_FILES = 1000
const MAX_ARGS = 256
const MAX_ARG_CHARS = 4096

/** An absolute path inside the sandbox, without `.` or `..` and without control characters. */
export const sandboxPath: Shape<string> = {
  toWire: (value) => value,
  fromWire: (raw, path) =>
    typeof raw === 'string' && isSandboxPath(raw)
      ? raw
      : malformed(path, 'an absolute, plain path'),
}

/** Whether a task may be given, or may leave, a file at this path. */
export function isSandboxPath(path: string): boolean {
  return path.length <= MAX_PATH_CHARS && isPlainPath(path)
}

const inputFile: Shape<InputFile> = record<InputFile>({
  path: sandboxPath,
  cid: cidText,
  size: uint64,
})
/** GPUs are asked for apart from these: a need says more of them than how many. */
const resources: Shape<Resources> = record<Omit<Resources, 'gpus'>>({
  cpuMillis: uint32,
  memoryBytes: uint64,
  diskBytes: uint64,
})
const gpuNeed: Shape<GpuNeed> = record<GpuNeed>({
  count: uint32,
  vendor: optional(oneOf(GPU_VENDORS)),
  memoryBytes: optional(uint64),
})
const MAX_NAME_CHARS = 128
const secretFields = record<{ name: string; env?: string; path?: string }>({
  name: text(MAX_NAME_CHARS),
  env: optional(text(MAX_NAME_CHARS)),
  path: optional(sandboxPath),
})
const secretSlot: Shape<SecretSlot> = {
  toWire: secretFields.toWire,
  fromWire(raw, path) {
    const { name, env, path: file } = secretFields.fromWire(raw, path)
    if (env !== undefined && file === undefined && isVariableName(env)) return { name, env }
    if (file !== undefined && env === undefined) return { name, path: file }
    return malformed(path, 'a variable or a path for each secret')
  },
}
const taskInput = record<TaskInput>({
  name: text(MAX_PATH_CHARS),
  files: list(inputFile, MAX_FILES),
  stdin: optional(inputFile),
})

const jobSpec = record<JobSpec>({
  kind: oneOf(JOB_KINDS),
  image: inputFile,
  repository: optional(text(MAX_REPOSITORY_CHARS)),
  args: list(text(MAX_ARG_CHARS), MAX_ARGS),
  env: textMap(MAX_ARGS, MAX_ARG_CHARS),
  files: list(inputFile, MAX_FILES),
  stdin: optional(inputFile),
  outputs: sandboxPath,
  resources,
  gpus: optional(gpuNeed),
  egress: optional(list(text(MAX_DESTINATION_CHARS), MAX_EGRESS)),
  secrets: optional(list(secretSlot, MAX_SECRETS)),
  timeoutMs: uint64,
  service: optional(record<ServiceTerms>({ payEveryMs: uint32 })),
  pay: optional(oneOf(USE_UNITS)),
  fuel: optional(uint64),
  deterministic: optional(bool),
  stream: bool,
  tasks: uint32,
  inputs: list(taskInput, MAX_TASKS),
})

function isPinned({ repository = '', image }: JobSpec): boolean {
  return parseRepository(repository) !== undefined && image.cid === rawCid(cidDigest(image.cid))
}

/** Whether a program may find a variable of this name. */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)
}

/** The spec as its content block. Throws `MESSAGE_TOO_LARGE`. */
export function encodeJobSpec(spec: JobSpec): Uint8Array {
  const bytes = encodeCbor(jobSpec.toWire(spec))
  if (bytes.byteLength > MAX_SPEC_BYTES) {
    throw new HiveError('MESSAGE_TOO_LARGE', { bytes: bytes.byteLength, maxBytes: MAX_SPEC_BYTES })
  }
  return bytes
}

/** A stranger's spec block. Throws as {@link decodeCbor} does. */
export function decodeJobSpec(bytes: Uint8Array): JobSpec {
  const spec = jobSpec.fromWire(decodeCbor(bytes, MAX_SPEC_BYTES), 'spec')
  const arrayFits = spec.inputs.length === 0 || spec.inputs.length === spec.tasks
  if (!arrayFits || spec.tasks < 1 || spec.tasks > MAX_TASKS)
    return malformed('spec.tasks', 'one input a task')
  const { service } = spec
  if (service !== undefined && (service.payEveryMs === 0 || !isPayInterval(service.payEveryMs)))
    return malformed('spec.service.payEveryMs', 'whole seconds, up to MAX_PAY_EVERY_MS')
  if (service !== undefined && spec.tasks !== 1) return malformed('spec.tasks', '1 of a service')
  if (spec.fuel === 0) return malformed('spec.fuel', 'at least 1')
  if (spec.kind !== 'wasm' && (spec.fuel !== undefined || spec.deterministic === true))
    return malformed('spec.kind', 'wasm, for what counts instructions or is deterministic')
  const { gpus, egress, pay } = spec
  if (pay !== undefined && (service !== undefined || gpus !== undefined))
    return malformed('spec.pay', 'only of tasks without GPUs that are no service')
  if (pay === 'fuel' && spec.fuel === undefined)
    return malformed('spec.fuel', 'a limit to be paid by')
  if (spec.kind !== 'docker' && (gpus !== undefined || egress !== undefined))
    return malformed('spec.kind', 'docker, for what needs a GPU or a network')
  if (spec.repository !== undefined && (spec.kind !== 'docker' || !isPinned(spec)))
    return malformed('spec.repository', 'registry/name of a docker image, whose digest is its CID')
  if (gpus !== undefined && (gpus.count < 1 || gpus.count > MAX_GPUS))
    return malformed('spec.gpus.count', `1 to ${MAX_GPUS}`)
  if (egress?.every(isDestination) === false)
    return malformed('spec.egress', 'host:port, in its one spelling')
  const slotFault = secretSlotFault(spec)
  if (slotFault !== undefined) return malformed('spec.secrets', slotFault)
  const largest = inputBytesOf(spec).reduce((most, bytes) => Math.max(most, bytes), 0)
  return largest <= MAX_TASK_INPUT_BYTES
    ? spec
    : malformed('spec.files', `at most ${MAX_TASK_INPUT_BYTES} bytes of input for a task`)
}
