import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { JobBody, JobSummary } from '../../api/schemas/jobs.ts'
import { HiveError, isErrorCode, type ErrorData } from '../../domain/errors.ts'
import { command, contextOf, type CommandContext, type SetExit } from '../command.ts'
import { EXIT, exitCodeOf } from '../job/exit-code.ts'
import { readDocument, readJob, type JobFlags } from '../job/job-file.ts'
import { fetchOutputs } from '../job/outputs.ts'
import { runJob } from '../job/run-job.ts'
import { readSecrets } from '../job/secret-values.ts'
import { uploadJob } from '../job/upload.ts'
import type { NodeClient } from '../node-client.ts'
import { printJson, printLine } from '../output/printing.ts'
import { styleFor } from '../output/style.ts'
import { whyLines } from '../output/why-text.ts'
import type { CliParts } from '../parts.ts'
import { JobHold } from './job-hold.ts'
import { whyOf } from './why.ts'
import { runWorkflow } from './run-workflow.ts'
import { isWorkflow } from '../workflow/workflow-file.ts'
import { withJobOptions } from './job-options.ts'
import { jobFlags, type RunEnd, type RunOptions } from './run-flags.ts'

/** Ends of a job that its providers' answers explain. */
const UNTAKEN: ReadonlySet<string> = new Set(['NO_BIDS', 'NO_PROVIDER_LEFT', 'QUEUE_TIMEOUT'])

/** `hive run`: a job from a module, an image archive or a spec file. */
export function runCommand(parts: CliParts, setExit: SetExit): Command {
  const usual = command({
    usage: 'run <program> [args...]',
    description:
      'Run a job: a WASI module (.wasm), an image archive (.tar) or a spec file (.yaml, .json) of a job or workflow',
    examples: [
      'run pandoc.wasm --stdin README.md -- -f markdown -t html > readme.html',
      "run tracer.wasm --map 'tiles/*.txt' --out ./tiles -- {input}",
      'run tracer.wasm --tasks 24 --out ./tiles -- {index} {count}',
      'run job.yaml --max-price 0.05 --timeout 5m',
      'run server.tar --service --for 2h --max-price 0.0005',
      'run render.tar --detach',
      'run render.tar --gpus 1 --provider 4arUdXFe,16Uiu2HAm1G7',
      'run workflow.yaml --out ./results',
    ],
  })
  return withJobOptions(usual)
    .option('--no-stream', 'do not send output while a task runs')
    .option('--out <dir>', 'folder to write the outputs to')
    .option('--detach', 'print the id of the job and leave it to the node')
    .action(async (program: string, args: string[], options: RunOptions) => {
      const context = contextOf(parts, options)
      const explicit = options.stream === false ? { stream: false } : {}
      const { stream: _, ...others } = options
      const flags = jobFlags({ ...others, ...explicit }, args)
      setExit(EXIT.ours)
      const { out, detach = false } = options
      if (detach && out !== undefined) throw outLater()
      setExit(await run(context, program, flags, { out, detach }))
    })
}

async function run(
  context: CommandContext,
  program: string,
  flags: JobFlags,
  { out, detach }: RunEnd,
): Promise<number> {
  const { parts, json, show } = context
  const document = await readDocument(program, parts.cwd)
  if (document !== undefined && isWorkflow(document))
    return runWorkflow(context, document, flags, { out, detach })
  await using input = await keptStdin(parts, flags)
  const draft = await readJob(program, input.flags, parts.cwd)
  const secrets = await readSecrets(draft.secrets, parts.secretVariable)
  const client = await context.node()
  const style = styleFor(parts.stderr, parts.env.noColor)
  using hold = new JobHold(parts, client)
  try {
    const request = { ...(await uploadJob(draft, parts, client, hold.signal)), secrets }
    if (detach) {
      const { signal } = hold
      const job = await client.post<JobSummary>('/v1/jobs', request, { signal })
      await show(job, () => [job.id])
      return EXIT.ok
    }
    const end = draft.service === undefined ? 'cancel' : 'stop'
    const job = await runJob(parts, client, request, {
      json,
      style,
      detach: hold.signal,
      onSubmitted: (id) => hold.take(`/v1/jobs/${id}`, end),
    })
    const written =
      out === undefined ? [] : await fetchOutputs(job, resolve(parts.cwd, out), client, hold.signal)
    const exitCode = exitCodeOf(job)
    if (json) await printJson(parts.stdout, { type: 'end', job: job.id, exitCode, written })
    else await tellEnd(context, job, out, written)
    if (job.error !== undefined && job.state === 'failed') {
      if (!json && UNTAKEN.has(job.error.code)) await tellWhy(context, client, job.id)
      throw errorOf(job.error)
    }
    return exitCode
  } catch (error) {
    if (!hold.signal.aborted) throw error
    return EXIT.interrupted
  }
}

function outLater(): HiveError {
  const problems = ['--out: with --detach there are no outputs yet; see `hive job ID --out DIR`']
  return new HiveError('INPUT_INVALID', { problems })
}

async function tellWhy({ parts }: CommandContext, client: NodeClient, id: string): Promise<void> {
  const lines = whyLines(await whyOf(client, id), styleFor(parts.stderr, parts.env.noColor))
  for (const line of [...lines, '']) await printLine(parts.stderr, line)
}

async function tellEnd(
  { parts }: CommandContext,
  job: JobBody,
  out: string | undefined,
  written: readonly string[],
): Promise<void> {
  const left = job.results.reduce((sum, result) => sum + (result?.files.length ?? 0), 0)
  if (written.length > 0) await printLine(parts.stderr, `hive: ${written.length} files in ${out}`)
  else if (out === undefined && left > 0)
    await printLine(
      parts.stderr,
      `hive: ${left} output files; get them with \`hive job ${job.id.slice(0, 10)} --out DIR\``,
    )
}

/** Own standard input, when the job asks for it, kept as a file for as long as it is needed. */
async function keptStdin(
  parts: CliParts,
  flags: JobFlags,
): Promise<{ readonly flags: JobFlags } & AsyncDisposable> {
  if (flags['stdin'] !== '-') return { flags, [Symbol.asyncDispose]: async () => {} }
  const dir = await mkdtemp(join(tmpdir(), 'hive-stdin-'))
  const path = join(dir, 'stdin')
  await writeFile(path, parts.stdin)
  return {
    flags: { ...flags, stdin: path },
    [Symbol.asyncDispose]: async () => rm(dir, { recursive: true, force: true }),
  }
}

function errorOf({ code, data }: NonNullable<JobBody['error']>): HiveError {
  return new HiveError(isErrorCode(code) ? code : 'INTERNAL', data as ErrorData)
}
