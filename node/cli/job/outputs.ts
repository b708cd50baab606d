import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { JobBody, TaskResultBody } from '../../api/schemas/jobs.ts'
import { HiveError } from '../../domain/errors.ts'
import { mapLimited } from '../../services/limited.ts'
import type { NodeClient } from '../node-client.ts'

/** Results fetched from the own node at the same time. */
const LANES = 4

interface Wanted {
  readonly target: string
  readonly cid: string
}

/**
 * Writes what tasks left behind below `dir` and returns the paths: a single task's files right
 * there, an array's in a folder for each task, named after its input or else its number, with
 * `<name>.stdout` and `<name>.stderr` beside it where a task printed something. Existing files of the
 * same name are replaced; nothing is ever written outside `dir`.
 */
export async function writeOutputs(
  job: JobBody,
  dir: string,
  client: NodeClient,
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = job.results.flatMap((result) =>
    result === null ? [] : targetsOf(job, result, dir),
  )
  await mapLimited(wanted, LANES, async ({ target, cid }) => {
    const bytes = await client.download(cid, { signal })
    try {
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, bytes)
    } catch (cause) {
      throw new HiveError('OUTPUT_UNWRITABLE', { path: target }, { cause })
    }
  })
  return wanted.map(({ target }) => target)
}

/** As {@link writeOutputs}; the node hears of it, and need not keep for that what a job that is over has made. */
export async function fetchOutputs(
  job: JobBody,
  dir: string,
  client: NodeClient,
  signal: AbortSignal,
): Promise<string[]> {
  const written = await writeOutputs(job, dir, client, signal)
  if (job.finishedAt !== undefined)
    await client.post(`/v1/jobs/${job.id}/fetched`, undefined, { signal })
  return written
}

function targetsOf(job: JobBody, result: TaskResultBody, dir: string): Wanted[] {
  const { spec } = job.request
  const single = spec.tasks === 1 && spec.inputs.length === 0
  const name = spec.inputs[result.index]?.name ?? String(result.index)
  const folder = single ? dir : inside(dir, name)
  const files = result.files.map(({ path, cid }) => ({
    target: inside(
      folder,
      path.startsWith(`${spec.outputs}/`) ? path.slice(spec.outputs.length + 1) : path.slice(1),
    ),
    cid,
  }))
  if (single) return files
  const streams = [
    ['stdout', result.stdout],
    ['stderr', result.stderr],
  ] as const
  const printed = streams.filter(([, { size }]) => size > 0)
  return [...files, ...printed.map(([stream, { cid }]) => ({ target: `${folder}.${stream}`, cid }))]
}

/** A path below a folder. Throws `OUTPUT_UNWRITABLE` for one that leads out of it. */
function inside(folder: string, path: string): string {
  const target = resolve(join(folder, path))
  const way = relative(resolve(folder), target)
  if (way === '' || way === '..' || way.startsWith(`..${sep}`))
    throw new HiveError('OUTPUT_UNWRITABLE', { path, reason: 'it leads out of the output folder' })
  return target
}
