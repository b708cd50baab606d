import type { JobEventBody } from '../../node/api/schemas/jobs.ts'
import type { JobRequestBody } from '../../node/api/schemas/job-request.ts'
import type { NodeClient } from '../../node/cli/node-client.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { MiB, second } from '../../node/domain/units.ts'

/** `(module (memory (export "memory") 1) (func (export "_start")))`: starts and ends. */
export const NO_OP_MODULE: Uint8Array = Uint8Array.from(
  Buffer.from(
    '0061736d01000000010401600000030201000503010001071302065f73746172740000066d656d6f727902000a040102000b',
    'hex',
  ),
)

/** What a no-op task asks for. */
export const NO_OP_LIMITS = {
  cpuMillis: 500,
  memoryBytes: 16 * MiB,
  diskBytes: 1 * MiB,
  timeoutMs: 10 * second,
} as const

/** Submits jobs of no-op tasks through a node's API. */
export class NoOpJobs {
  readonly #client: NodeClient
  readonly #image: { readonly path: string; readonly cid: string; readonly size: number }

  private constructor(client: NodeClient, cid: string) {
    this.#client = client
    this.#image = { path: '/no-op.wasm', cid, size: NO_OP_MODULE.byteLength }
  }

  static async prepare(client: NodeClient): Promise<NoOpJobs> {
    return new NoOpJobs(client, (await client.upload(NO_OP_MODULE)).cid)
  }

  /** Resolves when every result is verified, paid by voucher and on record. */
  async run(tasks: number, signal: AbortSignal): Promise<void> {
    const { timeoutMs, ...resources } = NO_OP_LIMITS
    const request: JobRequestBody = {
      maxPrice: parseAmount('0.02').toString(),
      attempts: 2,
      bidWindowMs: 5 * second,
      bidsWanted: 100,
      spec: {
        kind: 'wasm',
        image: this.#image,
        args: [],
        env: {},
        files: [],
        outputs: '/out',
        resources,
        timeoutMs,
        stream: false,
        tasks,
        inputs: [],
      },
    }
    const { id } = await this.#client.post<{ readonly id: string }>('/v1/jobs', request, { signal })
    let state = ''
    for await (const event of this.#client.events<JobEventBody>(`/v1/jobs/${id}/events`, {
      signal,
    }))
      if (event.type === 'job') state = event.job.state
    if (state !== 'settled') throw new HiveError('INTERNAL', { job: id, state })
  }
}
