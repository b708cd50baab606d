import { HiveError } from './errors.ts'
import type { InputFile, JobSpec, TaskInput } from './job-spec.ts'
import { MAX_TASKS } from './offer.ts'
import type { OutputFile, TaskResult } from './receipt.ts'
import type { StepInput, StepOutput, StepPlan } from './workflow.ts'

/** A step that has settled: its job as it was run, and how every task went. */
export interface StepMade {
  readonly spec: JobSpec
  readonly results: readonly TaskResult[]
}

/** Where the tasks of a mapped step find their file. */
const MAPPED_FOLDER = '/in'

/** A file that a task made, with the rest of its path below what was asked for. */
interface Found {
  /** Name of the task, where there are several. */
  readonly task: string | undefined
  /** Empty for what was asked for itself. */
  readonly rest: string
  readonly file: OutputFile
}

/**
 * The spec of a step, with what the steps before it made: by CID, as it was verified. Throws
 * `STEP_OUTPUT_MISSING` with the path in the workflow, and `STEP_TASKS`.
 */
export function specOfStep(plan: StepPlan, made: ReadonlyMap<string, StepMade>): JobSpec {
  const { name, spec, inputs, map } = plan
  const files = inputs.flatMap((input) => {
    const found = filesOf(input, made, `steps.${name}.inputs.${input.path}`)
    return found.map((each) => ({ path: placeOf(input, each), ...contentOf(each) }))
  })
  const all = { ...spec, files: [...spec.files, ...files] }
  if (map === undefined) return all
  const tasks = mappedInputs(map, filesOf(map, made, `steps.${name}.map`))
  const names = new Set(tasks.map((task) => task.name)).size
  if (tasks.length > MAX_TASKS || names < tasks.length)
    throw new HiveError('STEP_TASKS', { path: `steps.${name}.map`, tasks: tasks.length, names })
  return { ...all, tasks: tasks.length, inputs: tasks }
}

/** What a task of a step is called: after its input, or by its number. */
function taskName({ inputs }: JobSpec, index: number): string {
  return inputs[index]?.name ?? String(index)
}

function filesOf(
  wanted: StepOutput & { readonly task?: number },
  made: ReadonlyMap<string, StepMade>,
  path: string,
): Found[] {
  const { from, output, task } = wanted
  const step = made.get(from)
  if (step === undefined) throw new HiveError('INTERNAL', { from })
  const { spec, results } = step
  const isArray = spec.tasks > 1 || spec.inputs.length > 0
  const chosen = task === undefined ? results : results.filter(({ index }) => index === task)
  const missing = (index: number) =>
    new HiveError('STEP_OUTPUT_MISSING', { path, from, output, task: index })
  if (chosen.length === 0) throw missing(task ?? 0)
  return chosen.flatMap((result) => {
    const found = outputsOf(result, output)
    if (found.length === 0) throw missing(result.index)
    const name = isArray && task === undefined ? taskName(spec, result.index) : undefined
    return found.map((each) => ({ ...each, task: name }))
  })
}

function outputsOf(result: TaskResult, output: string): Omit<Found, 'task'>[] {
  if (output === 'stdout') return [{ rest: '', file: result.stdout }]
  if (output === 'stderr') return [{ rest: '', file: result.stderr }]
  const itself = result.files.find(({ path }) => path === output)
  if (itself !== undefined) return [{ rest: '', file: itself }]
  const below = result.files.filter(({ path }) => path.startsWith(`${output}/`))
  return below.map((file) => ({ rest: file.path.slice(output.length + 1), file }))
}

function placeOf({ path }: StepInput, { task, rest }: Found): string {
  return [path, ...(task === undefined ? [] : [task]), ...(rest === '' ? [] : [rest])].join('/')
}

/** One task a file, named after the task that made it and the path below what was asked for. */
function mappedInputs({ output }: StepOutput, found: readonly Found[]): TaskInput[] {
  return found.map((each) => {
    const own = each.rest.replaceAll('/', '-')
    const parts = [each.task ?? '', own].filter((part) => part !== '')
    const name = parts.length > 0 ? parts.join('-') : (output.split('/').at(-1) ?? 'output')
    return { name, files: [{ path: `${MAPPED_FOLDER}/${name}`, ...contentOf(each) }] }
  })
}

function contentOf({ file: { cid, size } }: Found): Omit<InputFile, 'path'> {
  return { cid, size }
}
