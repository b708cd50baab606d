import { HiveError } from '../../domain/errors.ts'
import type { CommonOptions } from '../command.ts'
import { second } from '../../domain/units.ts'
import { JOB_DEFAULTS } from '../job/job-defaults.ts'
import type { JobFlags } from '../job/job-file.ts'
import { secretFlags } from '../job/secret-fields.ts'

/** Flags of `hive run`, as Commander gives them. */
export interface RunOptions extends CommonOptions {
  readonly arg?: readonly string[]
  readonly env?: readonly string[]
  readonly stdin?: string
  readonly file?: readonly string[]
  readonly map?: readonly string[]
  readonly tasks?: string
  readonly cpu?: string
  readonly memory?: string
  readonly disk?: string
  readonly gpus?: string
  readonly gpuVendor?: string
  readonly gpuMemory?: string
  readonly allow?: readonly string[]
  readonly secret?: readonly string[]
  readonly timeout?: string
  readonly service?: boolean
  readonly for?: string
  readonly payEvery?: string
  readonly pay?: string
  readonly fuel?: string
  readonly deterministic?: boolean
  readonly maxPrice?: string
  readonly budget?: string
  readonly attempts?: string
  readonly queueTimeout?: string
  readonly fetchTimeout?: string
  readonly totalTimeout?: string
  readonly priority?: string
  readonly cache?: boolean
  readonly keep?: string
  readonly keepInputs?: string
  readonly retryOn?: readonly string[]
  readonly retryDelay?: string
  readonly retryFactor?: string
  readonly retryMaxDelay?: string
  readonly retryAnywhere?: boolean
  readonly provider?: readonly string[]
  readonly attach?: boolean
  readonly bidWindow?: string
  readonly bids?: string
  readonly outputs?: string
  readonly stream?: boolean
  readonly out?: string
  readonly detach?: boolean
}

/** What `hive run` does once the job is submitted. */
export interface RunEnd {
  /** Folder for the outputs. */
  readonly out: string | undefined
  /** Whether it leaves the job to the node at once. */
  readonly detach: boolean
}

/** The flags as fields of a spec file, to be read by the same rules. Throws `INPUT_INVALID`, `SECRET_ON_COMMAND_LINE`. */
export function jobFlags(options: RunOptions, args: readonly string[]): JobFlags {
  const all = [...(options.arg ?? []), ...args]
  const { cpu, memory, disk } = options
  const resources = present({ cpu, memory, disk })
  const gpu = present({
    count: options.gpus,
    vendor: options.gpuVendor,
    memory: options.gpuMemory,
  })
  return present({
    args: all.length > 0 ? all : undefined,
    env: assignments('--env', options.env),
    files: assignments('--file', options.file),
    resources: Object.keys(resources).length > 0 ? resources : undefined,
    gpu: Object.keys(gpu).length > 0 ? gpu : undefined,
    network: options.allow === undefined ? undefined : { allow: options.allow },
    secrets: secretFlags(options.secret),
    stdin: options.stdin,
    map: options.map,
    tasks: options.tasks,
    timeout: options.timeout,
    service: serviceFlags(options),
    pay: options.pay,
    fuel: options.fuel,
    deterministic: options.deterministic,
    maxPrice: options.maxPrice,
    budget: options.budget,
    attempts: options.attempts,
    ...handlingFlags(options),
    bidWindow: options.bidWindow,
    bids: options.bids,
    outputs: options.outputs,
    stream: options.stream,
  })
}

/** Whoever says anything of a service wants one. */
function serviceFlags({ service, payEvery, for: term }: RunOptions): JobFlags | undefined {
  const usual =
    service === true && term === undefined ? JOB_DEFAULTS.payEveryMs / second : undefined
  return section({ for: term, payEvery: payEvery ?? usual })
}

/** Sections of a spec file; those of which nothing is said are left out. */
function handlingFlags(options: RunOptions): JobFlags {
  const backOff = section({
    first: options.retryDelay,
    factor: options.retryFactor,
    most: options.retryMaxDelay,
  })
  const on = options.retryOn?.flatMap((text) => text.split(','))
  const elsewhere = options.retryAnywhere === true ? false : undefined
  const timeouts = section({
    queue: options.queueTimeout,
    fetch: options.fetchTimeout,
    total: options.totalTimeout,
  })
  return {
    retry: section({ on, elsewhere, backOff }),
    timeouts,
    priority: options.priority,
    providers: options.provider?.flatMap((text) => text.split(',')),
    attach: options.attach,
    cache: options.cache === true ? 'allow' : undefined,
    keep: section({ results: options.keep, inputs: options.keepInputs }),
  }
}

function section(fields: JobFlags): JobFlags | undefined {
  const said = present(fields)
  return Object.keys(said).length > 0 ? said : undefined
}

function assignments(
  flag: string,
  texts: readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined {
  if (texts === undefined) return undefined
  const problems = texts.filter((text) => text.indexOf('=') < 1)
  if (problems.length > 0)
    throw new HiveError('INPUT_INVALID', {
      problems: problems.map((text) => `${flag} ${text}: expected NAME=VALUE`),
    })
  return Object.fromEntries(
    texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  )
}

function present(fields: JobFlags): JobFlags {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
