import type { JobSpec } from '../../../node/domain/job-spec.ts'
import { parseAmount, type Amount } from '../../../node/domain/money.ts'
import type { Offer } from '../../../node/domain/offer.ts'
import { PRICING_RULES } from '../../../node/domain/pricing.ts'
import { KiB, MiB, minute, second } from '../../../node/domain/units.ts'
import type { JobRequest } from '../../../node/services/requester/records.ts'
import { Randomness } from '../time/randomness.ts'
import type { Machine } from './machines.ts'

/** What a job may take at most and how it is bid for: the defaults of `hive run`, with two more attempts. */
const HANDLING = { attempts: 4, bidWindowMs: 5 * second, bidsWanted: 3 } as const
/** Far above what the dearest machine asks when it is busy. */
const MAX_PRICE: Amount = parseAmount('0.2')
const PROGRAM_BYTES: number = 64 * KiB
/** Share of the jobs that run an image. */
const WITH_IMAGE = 0.2
/** Wall time that a task is given, ms; it takes a third of it at most. */
const TIMEOUT_MS: number = 2 * minute

/** What jobs users give, and when. */
export class Workload {
  readonly #random: Randomness
  readonly #programs: Randomness

  /** The same jobs for the same seed, however large the network is. */
  constructor(seed: number) {
    this.#random = new Randomness(seed, 'jobs')
    this.#programs = new Randomness(seed, 'programs')
  }

  /** Who asks, and how long after the beginning: as many jobs as are wanted, at random times of `spanMs`. */
  schedule(
    jobs: number,
    requesters: number,
    spanMs: number,
  ): readonly { readonly afterMs: number; readonly requester: number }[] {
    const times = Array.from({ length: jobs }, () => this.#random.between(0, spanMs))
    return times
      .sort((a, b) => a - b)
      .map((afterMs) => ({ afterMs, requester: this.#random.below(requesters) }))
  }

  /** One program for all jobs of a requester. */
  program(): Uint8Array {
    return Uint8Array.from({ length: PROGRAM_BYTES }, () => this.#programs.below(256))
  }

  /** A job as chance has it: most are one short task, some are many; they take `length` times as long as usual. */
  request(image: string, length: number): JobRequest {
    const random = this.#random
    const draw = random.fraction()
    const tasks = draw < 0.7 ? 1 : draw < 0.95 ? 2 + random.below(7) : 32
    const runMs = Math.round(random.between(second, TIMEOUT_MS / 3) * length)
    const spec: JobSpec = {
      kind: random.fraction() < WITH_IMAGE ? 'docker' : 'wasm',
      image: { path: '/image', cid: image, size: PROGRAM_BYTES },
      args: [String(runMs)],
      env: {},
      files: [],
      outputs: '/out',
      resources: {
        cpuMillis: random.pick([1000, 1000, 2000]),
        memoryBytes: 256 * MiB,
        diskBytes: 64 * MiB,
      },
      timeoutMs: TIMEOUT_MS * length,
      stream: false,
      tasks,
      inputs: [],
    }
    return { spec, maxPrice: MAX_PRICE, ...HANDLING }
  }
}

/** What a machine asks for one task of a job when half of it is busy. */
export function listPriceOf({ prices }: Machine, { spec }: JobRequest): Amount {
  const { cpuMillis } = spec.resources
  const asked: Pick<Offer, 'taskTimeoutMs' | 'cpuMillis' | 'gpus'> = {
    taskTimeoutMs: spec.timeoutMs,
    cpuMillis,
    gpus: 0,
  }
  return PRICING_RULES.posted(asked as Offer, prices)
}
