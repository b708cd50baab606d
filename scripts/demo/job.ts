import type { JobBody, JobEventBody, TaskResultBody } from '../../node/api/schemas/jobs.ts'
import type { JobRequestBody } from '../../node/api/schemas/job-request.ts'
import type { NodeClient } from '../../node/cli/node-client.ts'
import { HiveError, isErrorCode } from '../../node/domain/errors.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { MiB, second } from '../../node/domain/units.ts'

/** What the demo says of a job; the rest is the same for all. */
export interface DemoJob {
  readonly kind: 'wasm' | 'docker'
  readonly program: { readonly name: string; readonly bytes: Uint8Array }
  readonly args: readonly string[]
  readonly stdin?: Uint8Array
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly tasks?: number
  readonly memoryBytes?: number
  readonly timeoutMs?: number
}

/** Progress of a job: which provider finished how many tasks. */
export type OnProgress = (done: number, byProvider: ReadonlyMap<string, number>) => void

const MAX_PRICE = parseAmount('0.05').toString()

/** Uploads, submits, follows and returns a job whose tasks all exited with 0. Throws the job's own code. */
export async function runJob(
  client: NodeClient,
  job: DemoJob,
  signal: AbortSignal,
  onProgress: OnProgress = () => {},
): Promise<JobBody> {
  const request = await requestOf(client, job, signal)
  const { id } = await client.post<{ readonly id: string }>('/v1/jobs', request, { signal })
  const byProvider = new Map<string, number>()
  let done = 0
  for await (const event of client.events<JobEventBody>(`/v1/jobs/${id}/events`, { signal })) {
    if (event.type !== 'task' || event.result === undefined) continue
    byProvider.set(event.provider, (byProvider.get(event.provider) ?? 0) + 1)
    onProgress(++done, byProvider)
  }
  const body = await client.get<JobBody>(`/v1/jobs/${id}`, { signal })
  if (body.error !== undefined) {
    const { code, data } = body.error
    throw new HiveError(isErrorCode(code) ? code : 'INTERNAL', {
      job: id,
      data: JSON.stringify(data),
    })
  }
  for (const result of resultsOf(body)) {
    if (result.reason === 'exit' && result.exitCode === 0) continue
    const { reason, exitCode, detail } = result
    throw new HiveError('TASK_START_FAILED', {
      job: id,
      task: result.index,
      reason,
      exitCode,
      detail,
    })
  }
  return body
}

/** The results of a finished job, in task order. */
export function resultsOf(job: JobBody): TaskResultBody[] {
  return job.results.filter((result) => result !== null)
}

async function requestOf(
  client: NodeClient,
  job: DemoJob,
  signal: AbortSignal,
): Promise<JobRequestBody> {
  const file = async (path: string, bytes: Uint8Array) => ({
    path,
    ...(await client.upload(bytes, { signal })),
  })
  const files = Object.entries(job.files ?? {})
  return {
    maxPrice: MAX_PRICE,
    attempts: 2,
    bidWindowMs: 5 * second,
    bidsWanted: 100,
    spec: {
      kind: job.kind,
      image: await file(`/${job.program.name}`, job.program.bytes),
      args: [...job.args],
      env: {},
      files: await Promise.all(files.map(async ([path, bytes]) => file(path, bytes))),
      ...(job.stdin === undefined ? {} : { stdin: await file('/stdin', job.stdin) }),
      outputs: '/out',
      resources: {
        cpuMillis: 1000,
        memoryBytes: job.memoryBytes ?? 128 * MiB,
        diskBytes: 64 * MiB,
      },
      timeoutMs: job.timeoutMs ?? 60 * second,
      stream: false,
      tasks: job.tasks ?? 1,
      inputs: [],
    },
  }
}
