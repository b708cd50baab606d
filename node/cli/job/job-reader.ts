import {
  INVALID,
  list,
  map,
  optional,
  reader,
  withDefault,
  type Reader,
} from '../../config/reading.ts'
import { amount, bool, cores, duration, integer, size, text, word } from '../../config/values.ts'
import { destinationText, parseDestination } from '../../domain/egress.ts'
import { GPU_VENDORS, MAX_GPUS } from '../../domain/gpu-need.ts'
import { MAX_ATTEMPTS } from '../../domain/job-handling.ts'
import { JOB_KINDS } from '../../domain/job-spec.ts'
import { MAX_BID_WINDOW_MS, MAX_TASK_TIMEOUT_MS, MAX_TASKS } from '../../domain/offer.ts'
import { PAY_UNITS } from '../../domain/paid-use.ts'
import { isSandboxPath, isVariableName } from '../../protocol/job-spec-codec.ts'
import { HANDLING_FIELDS } from './handling-fields.ts'
import { JOB_DEFAULTS as D } from './job-defaults.ts'
import { SECRET_ENTRIES } from './secret-fields.ts'
import { SERVICE_FIELDS } from './service-fields.ts'

const MAX_LOCAL_PATH_CHARS = 4096
const MAX_ARG_CHARS = 4096
const MAX_ENTRIES = 256

const localPath = text('the path of a file', /^[^\0]+$/, MAX_LOCAL_PATH_CHARS)
const sandboxFolder = reader('an absolute, plain path inside the sandbox', (raw) =>
  typeof raw === 'string' && isSandboxPath(raw) ? raw : undefined,
)
/** Numbers are welcome where a program gets text anyway. */
const words = reader(`text of at most ${MAX_ARG_CHARS} characters`, (raw) => {
  const value = typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw
  return typeof value === 'string' && value.length <= MAX_ARG_CHARS ? value : undefined
})
/** Somewhere that a task may reach, in the one spelling that providers compare. */
const destination = reader('host:port, such as example.org:443', (raw) => {
  const read = typeof raw === 'string' ? parseDestination(raw) : undefined
  return read === undefined ? undefined : destinationText(read)
})
const globs: Reader<readonly string[]> = {
  read: (raw, path, problems) =>
    list(localPath, { min: 1 }).read(typeof raw === 'string' ? [raw] : raw, path, problems),
}

/** A spec file as it is written. docs/job-spec.md describes every field. */
export const JOB_READER = map({
  kind: optional(word(...JOB_KINDS)),
  module: optional(localPath),
  image: optional(localPath),
  args: withDefault(list(words), []),
  env: named('a variable name', isVariableName, words),
  stdin: optional(localPath),
  files: named('an absolute, plain path inside the sandbox', isSandboxPath, localPath),
  outputs: withDefault(sandboxFolder, D.outputs),
  resources: map({
    cpu: withDefault(cores, D.cpuMillis as number),
    memory: withDefault(size, D.memoryBytes as number),
    disk: withDefault(size, D.diskBytes as number),
  }),
  gpu: map({
    count: optional(integer(1, MAX_GPUS)),
    vendor: optional(word(...GPU_VENDORS)),
    memory: optional(size),
  }),
  network: map({ allow: withDefault(list(destination), []) }),
  secrets: SECRET_ENTRIES,
  timeout: withDefault(duration(MAX_TASK_TIMEOUT_MS), D.timeoutMs as number),
  pay: withDefault(word(...PAY_UNITS), 'task'),
  fuel: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  deterministic: optional(bool),
  service: SERVICE_FIELDS,
  tasks: optional(integer(1, MAX_TASKS)),
  map: optional(globs),
  stream: optional(bool),
  maxPrice: optional(amount),
  budget: optional(amount),
  attempts: withDefault(integer(1, MAX_ATTEMPTS), D.attempts as number),
  ...HANDLING_FIELDS,
  bidWindow: withDefault(duration(MAX_BID_WINDOW_MS), D.bidWindowMs as number),
  bids: withDefault(integer(1, 1000), D.bidsWanted as number),
})

/** What the reader makes of a spec file. */
export type JobDocument = typeof JOB_READER extends Reader<infer T> ? T : never

/** A map with names of the author's choosing. */
function named<T>(
  expected: string,
  fits: (key: string) => boolean,
  value: Reader<T>,
): Reader<Readonly<Record<string, T>>> {
  const any = map({})
  return {
    read(raw, path, problems) {
      const keys =
        typeof raw === 'object' && raw !== null && !Array.isArray(raw)
          ? Object.keys(raw)
          : undefined
      if (keys === undefined) return any.read(raw, path, problems)
      const before = problems.length
      if (keys.length > MAX_ENTRIES)
        problems.push({ path, text: `expected at most ${MAX_ENTRIES} entries` })
      for (const key of keys.filter((each) => !fits(each)))
        problems.push({ path: `${path}.${key.slice(0, 60)}`, text: `the name must be ${expected}` })
      const shape = map(Object.fromEntries(keys.map((key) => [key, value])))
      const read = shape.read(raw, path, problems)
      return problems.length > before ? INVALID : (read as Readonly<Record<string, T>>)
    },
  }
}
