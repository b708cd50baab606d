import { list, map, optional, reader, type Problem, type Reader } from '../../config/reading.ts'
import { bool, duration, text, word } from '../../config/values.ts'
import {
  MAX_JOB_TIMEOUT_MS,
  MAX_NAMED_PROVIDERS,
  MAX_PRIORITY,
  PRIORITIES,
  type JobHandling,
  type JobTimeouts,
} from '../../domain/job-handling.ts'
import { KEEP_WORDS, MAX_KEEP_MS } from '../../domain/keeping.ts'
import {
  DEFAULT_RETRY,
  MAX_EXIT_CODE,
  MAX_RETRY_ENDS,
  RETRY_REASONS,
  type RetryPolicy,
  type RetryReason,
} from '../../domain/retry-policy.ts'
import { parseDuration } from '../../domain/units.ts'

const MAX_FACTOR = 10

const end = reader<RetryReason | number>(
  `an exit code above 0, or ${RETRY_REASONS.join(', ')}`,
  (raw) => {
    const reason = RETRY_REASONS.find((each) => each === raw)
    if (reason !== undefined) return reason
    const code = typeof raw === 'string' && /^\d{1,10}$/.test(raw) ? Number(raw) : raw
    const fits = Number.isInteger(code) && Number(code) >= 1 && Number(code) <= MAX_EXIT_CODE
    return fits ? Number(code) : undefined
  },
)
const factor = reader(`a number from 1 to ${MAX_FACTOR}`, (raw) => {
  const value = typeof raw === 'string' && /^\d{1,2}(\.\d{1,3})?$/.test(raw) ? Number(raw) : raw
  return typeof value === 'number' && value >= 1 && value <= MAX_FACTOR ? value : undefined
})

/** As `hive peers` shows it; which peer is meant is found out when the job is submitted. */
const provider = text('a peer id or its end, or an address or its start', /^[0-9A-Za-z]{4,64}$/, 64)
const wait = duration(MAX_JOB_TIMEOUT_MS)
const priority = reader(
  `${Object.keys(PRIORITIES).join(', ')} or a number from 0 to ${MAX_PRIORITY}`,
  (raw) => {
    const word = Object.entries(PRIORITIES).find(([name]) => name === raw)?.[1]
    if (word !== undefined) return word
    const value = typeof raw === 'string' && /^\d$/.test(raw) ? Number(raw) : raw
    const fits = Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_PRIORITY
    return fits ? Number(value) : undefined
  },
)

const keepPolicy = reader(`a duration such as 7d, ${KEEP_WORDS.join(' or ')}`, (raw) => {
  const found = KEEP_WORDS.find((each) => each === raw)
  if (found !== undefined) return found
  const ms = typeof raw === 'string' || typeof raw === 'number' ? parseDuration(raw) : undefined
  return ms !== undefined && ms <= MAX_KEEP_MS ? ms : undefined
})
const keptParts = map({ results: optional(keepPolicy), inputs: optional(keepPolicy) })
/** A policy alone is that of the results. */
const keeping: typeof keptParts = {
  ...keptParts,
  read: (raw, path, problems) =>
    keptParts.read(
      typeof raw === 'string' || typeof raw === 'number' ? { results: raw } : raw,
      path,
      problems,
    ),
}

/** What a spec file says of how the node handles the job. */
export const HANDLING_FIELDS = {
  retry: map({
    on: optional(list(end)),
    elsewhere: optional(bool),
    backOff: map({
      first: optional(wait),
      factor: optional(factor),
      most: optional(wait),
    }),
  }),
  timeouts: map({ queue: optional(wait), fetch: optional(wait), total: optional(wait) }),
  priority: optional(priority),
  cache: optional(word('allow')),
  keep: keeping,
  providers: optional(list(provider, { min: 1 })),
  attach: optional(bool),
}

const handling = map(HANDLING_FIELDS)
/** What the readers of {@link HANDLING_FIELDS} make of a spec file. */
export type HandlingDocument = typeof handling extends Reader<infer T> ? T : never

/** What is wrong with handling whose fields are right one by one. */
export function handlingMistakes({ retry, timeouts, providers = [] }: HandlingDocument): Problem[] {
  const problems = Object.entries(timeouts)
    .filter(([, ms]) => ms === 0)
    .map(([name]) => ({ path: `timeouts.${name}`, text: 'must be above zero' }))
  if (providers.length > MAX_NAMED_PROVIDERS)
    problems.push({ path: 'providers', text: `expected at most ${MAX_NAMED_PROVIDERS} entries` })
  if ((retry.on?.length ?? 0) <= MAX_RETRY_ENDS) return problems
  return [...problems, { path: 'retry.on', text: `expected at most ${MAX_RETRY_ENDS} entries` }]
}

/** The handling that a spec file asks for; what it does not speak of is left out. */
export function handlingOf({
  retry,
  timeouts,
  priority: rank,
  cache,
  keep,
  providers,
  attach,
}: HandlingDocument): JobHandling {
  const policy = retryOf(retry)
  const limits = timeoutsOf(timeouts)
  return {
    ...(policy !== undefined && { retry: policy }),
    ...(Object.keys(limits).length > 0 && { timeouts: limits }),
    ...(rank !== undefined && { priority: rank }),
    ...(cache !== undefined && { cache }),
    ...(providers !== undefined && { providers: [...new Set(providers)] }),
    ...(attach === true && { attach }),
    ...keepOf(keep),
  }
}

function keepOf({ results, inputs }: HandlingDocument['keep']): Pick<JobHandling, 'keep'> {
  if (results === undefined && inputs === undefined) return {}
  return {
    keep: {
      ...(results !== undefined && { results }),
      ...(inputs !== undefined && { inputs }),
    },
  }
}

function timeoutsOf({ queue, fetch, total }: HandlingDocument['timeouts']): JobTimeouts {
  return {
    ...(queue !== undefined && { queueMs: queue }),
    ...(fetch !== undefined && { fetchMs: fetch }),
    ...(total !== undefined && { totalMs: total }),
  }
}

function retryOf({ on, elsewhere, backOff }: HandlingDocument['retry']): RetryPolicy | undefined {
  const said = [on, elsewhere, ...Object.values(backOff)]
  if (said.every((each) => each === undefined)) return undefined
  const { firstMs, factor: growth, mostMs } = DEFAULT_RETRY.backOff
  return {
    on: [...new Set(on ?? DEFAULT_RETRY.on)],
    elsewhere: elsewhere ?? DEFAULT_RETRY.elsewhere,
    backOff: {
      firstMs: backOff.first ?? firstMs,
      factor: backOff.factor ?? growth,
      mostMs: backOff.most ?? mostMs,
    },
  }
}
