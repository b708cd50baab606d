import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { INVALID, isPlainMap, problemLine, type Problem } from '../../config/reading.ts'
import { readYaml } from '../../config/yaml-document.ts'
import { HiveError } from '../../domain/errors.ts'
import type { GpuNeed } from '../../domain/gpu-need.ts'
import type { DraftSecret, JobDraft } from './draft.ts'
import { handlingOf } from './handling-fields.ts'
import { JOB_READER, type JobDocument } from './job-reader.ts'
import { kindFor, mistakesIn, slotOf } from './job-rules.ts'
import { resolveFiles } from './local-files.ts'
import { JOB_DEFAULTS } from './job-defaults.ts'
import { serviceOf } from './service-fields.ts'
import { withSecretFlags, type SecretEntry } from './secret-fields.ts'

/** Fields of a spec file that flags give; they win over the file's. */
export type JobFlags = Readonly<Record<string, unknown>>

/** Larger than any spec that can travel. */
const MAX_SPEC_FILE_BYTES = 4 * 1024 * 1024
const SPEC_FILE = /\.(ya?ml|json)$/i

/**
 * The job that a path and flags describe: a spec file, or a program itself. Paths in a spec file
 * start from its folder, those in flags from `cwd`. Throws `SPEC_INVALID` with every mistake and
 * its path, or `SPEC_FILE_MISSING` when all that is wrong is files that cannot be read.
 */
export async function readJob(program: string, flags: JobFlags, cwd: string): Promise<JobDraft> {
  const document = await readDocument(program, cwd)
  if (document !== undefined)
    return draftOf(merged(document.fields, absolute(flags, cwd)), document.folder)
  const field = kindFor(program) === 'docker' ? 'image' : 'module'
  return draftOf(merged({ [field]: program }, absolute(flags, cwd)), cwd)
}

/** A spec file as it is written, and where its paths start. */
export interface SpecDocument {
  readonly fields: Readonly<Record<string, unknown>>
  readonly folder: string
}

/** The spec file at a path; `undefined` for a program. Throws as {@link readJob} does. */
export async function readDocument(
  program: string,
  cwd: string,
): Promise<SpecDocument | undefined> {
  if (!SPEC_FILE.test(program)) return undefined
  const path = resolve(cwd, program)
  const problems: Problem[] = []
  const fields = readYaml(await textOf(path), problems)
  if (problems.length > 0) throw invalid(problems)
  if (!isPlainMap(fields)) throw invalid([{ path: '', text: 'expected a map of fields' }])
  return { fields, folder: dirname(path) }
}

/**
 * The job that fields of a spec file describe. A job `isMapped` whose tasks are made of what another one leaves.
 * Throws as {@link readJob} does.
 */
export async function draftOf(
  raw: Readonly<Record<string, unknown>>,
  folder: string,
  isMapped = false,
): Promise<JobDraft> {
  const problems: Problem[] = []
  const read = JOB_READER.read(raw, '', problems)
  const unread = new Set(problems.map(({ path }) => path.split(/[.[]/)[0]))
  const job = read === INVALID ? readable(raw, unread) : read
  // What needs several fields is looked at even when one of the others is wrong.
  const missing: Problem[] = []
  const further = mistakesIn(job, isMapped)
  const files = await resolveFiles(job, folder, further, missing)
  const isNew = ({ path }: Problem) => !unread.has(path.split(/[.[]/)[0])
  problems.push(...further.filter(isNew))
  if (problems.length > 0) throw invalid([...problems, ...missing.filter(isNew)])
  if (missing.length > 0)
    throw new HiveError('SPEC_FILE_MISSING', { problems: missing.map(problemLine) })
  const service = serviceOf(job.service)
  const tasks = files.inputs.length > 0 ? files.inputs.length : (job.tasks ?? JOB_DEFAULTS.tasks)
  return {
    ...files,
    kind: job.image === undefined ? 'wasm' : 'docker',
    args: job.args,
    env: job.env,
    outputs: job.outputs,
    resources: {
      cpuMillis: job.resources.cpu,
      memoryBytes: job.resources.memory,
      diskBytes: job.resources.disk,
    },
    gpus: gpuNeedOf(job.gpu),
    egress: [...new Set(job.network.allow)].sort(),
    secrets: job.secrets.flatMap((entry) => draftSecrets(entry, folder)),
    timeoutMs: service?.timeoutMs ?? job.timeout,
    service: service?.terms,
    pay: job.pay === 'task' ? undefined : job.pay,
    fuel: job.fuel,
    deterministic: job.deterministic ?? false,
    tasks,
    stream: job.stream ?? (tasks === 1 && !isMapped),
    maxPrice: job.maxPrice ?? JOB_DEFAULTS[job.pay === 'task' ? 'maxPrice' : 'maxPriceByUse'],
    budget: job.budget,
    attempts: job.attempts,
    bidWindowMs: job.bidWindow,
    bidsWanted: job.bids,
    handling: handlingOf(job),
  }
}

/** A variable is taken from one of the same name unless the author says otherwise. */
function draftSecrets(entry: SecretEntry, folder: string): DraftSecret[] {
  const from = entry.from ?? { variable: entry.env ?? entry.name }
  const source = 'file' in from ? { file: resolve(folder, from.file) } : from
  return slotOf(entry).map((slot) => ({ slot, from: source }))
}

/** Asked for as soon as anything is said of them. */
function gpuNeedOf({ count, vendor, memory }: JobDocument['gpu']): GpuNeed | undefined {
  if (count === undefined && vendor === undefined && memory === undefined) return undefined
  return {
    count: count ?? 1,
    ...(vendor !== undefined && { vendor }),
    ...(memory !== undefined && { memoryBytes: memory }),
  }
}

/** Flags over a file: sections field by field, an input of tasks instead of the other kind of it. */
function merged(file: Readonly<Record<string, unknown>>, flags: JobFlags): JobFlags {
  const { map, tasks, ...rest } = file
  const { secrets: secretSources, ...others } = flags
  const array = flags['map'] === undefined && flags['tasks'] === undefined ? { map, tasks } : {}
  const secrets = withSecretFlags(rest['secrets'], secretSources)
  return { ...array, ...(over(rest, others) as JobFlags), secrets }
}

/** What flags say of a section's fields replaces what the file says of them. */
function over(before: unknown, value: unknown): unknown {
  if (!isPlainMap(before) || !isPlainMap(value)) return value
  const changed = Object.entries(value).map(
    ([key, each]) => [key, over(before[key], each)] as const,
  )
  return { ...before, ...Object.fromEntries(changed) }
}

/** Paths in flags start from where the user stands, not from the spec file. */
function absolute(flags: JobFlags, cwd: string): JobFlags {
  const { stdin, files, map, secrets } = flags
  const from = (path: unknown) => (typeof path === 'string' ? resolve(cwd, path) : path)
  return {
    ...flags,
    ...(stdin !== undefined && { stdin: from(stdin) }),
    ...(Array.isArray(map) && { map: map.map(from) }),
    ...(isPlainMap(secrets) && {
      secrets: Object.fromEntries(
        Object.entries(secrets).map(([name, source]) => [name, absoluteSource(source, cwd)]),
      ),
    }),
    ...(isPlainMap(files) && {
      files: Object.fromEntries(Object.entries(files).map(([at, path]) => [at, from(path)])),
    }),
  }
}

function absoluteSource(source: unknown, cwd: string): unknown {
  const path =
    typeof source === 'string' && source.startsWith('file:') ? source.slice(5) : undefined
  return path === undefined ? source : `file:${resolve(cwd, path)}`
}

/** What can be read of a document once its unreadable fields are left out. */
function readable(
  raw: Readonly<Record<string, unknown>>,
  unread: ReadonlySet<string | undefined>,
): JobDocument {
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !unread.has(key)))
  const job = JOB_READER.read(rest, '', [])
  if (job === INVALID) throw new HiveError('INTERNAL', { at: 'job file' })
  return job
}

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > MAX_SPEC_FILE_BYTES)
      throw new HiveError('MESSAGE_TOO_LARGE', { path, bytes: size, maxBytes: MAX_SPEC_FILE_BYTES })
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    throw new HiveError('SPEC_FILE_MISSING', { path }, { cause })
  }
}

function invalid(problems: readonly Problem[]): HiveError {
  return new HiveError('SPEC_INVALID', { problems: problems.map(problemLine) })
}
