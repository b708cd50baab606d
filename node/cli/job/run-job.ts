import type { JobSubmissionBody } from '../../api/schemas/job-request.ts'
import type { JobBody, JobEventBody, JobSummary } from '../../api/schemas/jobs.ts'
import { HiveError } from '../../domain/errors.ts'
import { printJson, printLine } from '../output/printing.ts'
import type { NodeClient } from '../node-client.ts'
import type { CliParts } from '../parts.ts'
import { LiveOutput } from './live-output.ts'
import { Progress } from './progress.ts'
import { plain } from '../output/plain-text.ts'
import type { Style } from '../output/style.ts'

export interface RunJobOptions {
  /** Events as NDJSON on stdout instead of the job's own output and progress. */
  readonly json: boolean
  readonly style: Style
  /** Aborts when the user lets go of the job for good. */
  readonly detach: AbortSignal
  /** Called with the job's id as soon as it has one. */
  readonly onSubmitted: (id: string) => void
}

/** Submits a job, shows how it goes, and resolves with its end. */
export async function runJob(
  parts: CliParts,
  client: NodeClient,
  request: JobSubmissionBody,
  options: RunJobOptions,
): Promise<JobBody> {
  const signal = options.detach
  let job = await client.post<JobSummary>('/v1/jobs', request, { signal })
  options.onSubmitted(job.id)
  const show = options.json ? jsonViewer(parts) : viewer(parts, options.style, job)
  for await (const event of client.events<JobEventBody>(`/v1/jobs/${job.id}/events`, { signal })) {
    if (event.type === 'job') job = event.job
    await show.take(event, job)
  }
  const ended = await client.get<JobBody>(`/v1/jobs/${job.id}`, { signal })
  if (ended.finishedAt === undefined)
    throw new HiveError('NODE_NOT_RUNNING', {
      job: job.id,
      reason: 'the node stopped; it goes on with the job when it is started again',
    })
  await show.end(ended, async (cid) => client.download(cid, { signal }))
  return ended
}

interface Viewer {
  take(event: JobEventBody, job: JobSummary): Promise<void>
  end(job: JobBody, download: (cid: string) => Promise<Uint8Array>): Promise<void>
}

function jsonViewer({ stdout }: CliParts): Viewer {
  return {
    take: async (event) => printJson(stdout, event),
    end: async () => {},
  }
}

/** Progress on stderr; the output of a single task on stdout and stderr, an array's is for --out. */
function viewer(parts: CliParts, style: Style, { tasks }: JobSummary): Viewer {
  const progress = new Progress({ output: parts.stderr, style, now: parts.now })
  const live = tasks === 1 ? new LiveOutput(parts.stdout, parts.stderr) : undefined
  return {
    async take(event, job) {
      if (event.type === 'log' && live !== undefined) {
        await progress.clear()
        await live.take(event)
      }
      if (event.type === 'task' && event.result === undefined) live?.restart()
      await progress.take(event, job)
    },
    async end(job, download) {
      await progress.clear()
      const [result] = job.results
      if (live !== undefined && result !== null && result !== undefined)
        await live.finish(result, download)
      for (const line of endLines(job, style)) await printLine(parts.stderr, line)
    },
  }
}

/** Tasks that did not end well, or were refused connections, at most a few of them. */
function endLines(job: JobBody, style: Style): string[] {
  const most = 10
  const bad = job.results.flatMap((result) =>
    result !== null && (result.reason !== 'exit' || result.detail !== '')
      ? [`hive: task ${result.index} ${style.bad(result.reason)} ${plain(result.detail)}`.trimEnd()]
      : [],
  )
  const cached = job.cached === undefined ? [] : [cacheLine(job.cached, job.tasks)]
  const more = bad.length > most ? [`hive: and ${bad.length - most} more`] : []
  return [...cached, ...bad.slice(0, most), ...more]
}

function cacheLine(cached: number, tasks: number): string {
  return `hive: ${cached === tasks ? '' : `${cached} of ${tasks} tasks `}from cache, 0 paid`
}
