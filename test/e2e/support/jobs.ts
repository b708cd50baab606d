import { readFile } from 'node:fs/promises'
import type { JobSubmissionBody } from '../../../node/api/schemas/job-request.ts'
import type { JobBody, JobEventBody, TaskResultBody } from '../../../node/api/schemas/jobs.ts'
import type { NodeClient } from '../../../node/cli/node-client.ts'
import { parseAmount } from '../../../node/domain/money.ts'
import { MiB, second } from '../../../node/domain/units.ts'
import { patience } from './shared-network.ts'

/** What a test wants of a job; the rest has defaults that pass. */
export interface TestJob {
  readonly program?: Uint8Array
  readonly kind?: 'wasm' | 'docker'
  readonly args?: readonly string[]
  readonly stdin?: Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Values by where the task finds them: the name of a variable, or a path. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Where tasks want to connect, `host:port`. */
  readonly egress?: readonly string[]
  readonly tasks?: number
  readonly attempts?: number
  readonly timeoutMs?: number
  /** Of a service: how often it is paid. */
  readonly payEveryMs?: number
  readonly memoryBytes?: number
  readonly maxPrice?: bigint
  readonly bidWindowMs?: number
  readonly bidsWanted?: number
}

/** The programs that test/vectors/wasm/programs.c describes, chosen by the first argument. */
export async function testPrograms(): Promise<Uint8Array> {
  return readFile(new URL('../../vectors/wasm/programs.wasm', import.meta.url))
}

/** Uploads what the job needs and submits it. Returns its id; throws the refusal. */
export async function submit(client: NodeClient, job: TestJob): Promise<string> {
  const signal = patience()
  const file = async (path: string, bytes: Uint8Array) => ({
    path,
    ...(await client.upload(bytes, { signal })),
  })
  const secrets = Object.entries(job.secrets ?? {}).map(([place, value], at) => {
    const name = `secret-${at}`
    const slot = place.startsWith('/') ? { name, path: place } : { name, env: place }
    return { slot, value: Buffer.from(value).toString('base64') }
  })
  const request: JobSubmissionBody = {
    secrets: Object.fromEntries(secrets.map(({ slot, value }) => [slot.name, value])),
    maxPrice: (job.maxPrice ?? parseAmount('0.05')).toString(),
    attempts: job.attempts ?? 2,
    bidWindowMs: job.bidWindowMs ?? 10 * second,
    bidsWanted: job.bidsWanted ?? 100,
    spec: {
      kind: job.kind ?? 'wasm',
      image: await file('/program', job.program ?? (await testPrograms())),
      args: [...(job.args ?? [])],
      env: { ...job.env },
      files: [],
      ...(job.stdin === undefined ? {} : { stdin: await file('/stdin', job.stdin) }),
      outputs: '/out',
      resources: { cpuMillis: 500, memoryBytes: job.memoryBytes ?? 32 * MiB, diskBytes: 1 * MiB },
      timeoutMs: job.timeoutMs ?? 60 * second,
      ...(job.payEveryMs !== undefined && { service: { payEveryMs: job.payEveryMs } }),
      ...(secrets.length > 0 && { secrets: secrets.map(({ slot }) => slot) }),
      ...(job.egress && { egress: [...job.egress] }),
      stream: true,
      tasks: job.tasks ?? 1,
      inputs: [],
    },
  }
  const { id } = await client.post<{ readonly id: string }>('/v1/jobs', request, { signal })
  return id
}

/** The job once it has ended, however it did. */
export async function ended(client: NodeClient, id: string): Promise<JobBody> {
  const signal = patience()
  for await (const event of client.events<JobEventBody>(`/v1/jobs/${id}/events`, { signal }))
    if (event.type === 'job' && event.job.finishedAt !== undefined) break
  return client.get<JobBody>(`/v1/jobs/${id}`, { signal })
}

/** Resolves with the provider's address when a task of the job has printed something there. */
export async function printedSomewhere(client: NodeClient, id: string): Promise<string> {
  const signal = patience()
  let provider = ''
  for await (const event of client.events<JobEventBody>(`/v1/jobs/${id}/events`, { signal })) {
    if (event.type === 'task') provider = event.provider
    if (event.type === 'log') return provider
  }
  throw new Error('the job ended without output')
}

/** The results, all of them there. */
export function allResults(job: JobBody): readonly TaskResultBody[] {
  return job.results.map((result, index) => {
    if (result === null)
      throw new Error(`task ${index} has no result: ${JSON.stringify(job.error)}`)
    return result
  })
}

/** What a task printed. */
export async function stdoutOf(client: NodeClient, job: JobBody, task = 0): Promise<string> {
  const result = allResults(job)[task]
  return new TextDecoder().decode(
    await client.download(result?.stdout.cid ?? '', { signal: patience() }),
  )
}
