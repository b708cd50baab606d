import type { JobSpec } from './job-spec.ts'

/** Most steps of one workflow. */
export const MAX_STEPS = 64
/** Longest name of a step, characters. */
export const MAX_STEP_NAME_CHARS = 40
/** What of a task can be handed on beside files of its outputs folder. */
export const PRINTED = ['stdout', 'stderr'] as const

/** Something that a step makes. */
export interface StepOutput {
  /** The step that makes it. */
  readonly from: string
  /** A file or folder in or below its outputs folder, `stdout` or `stderr`. */
  readonly output: string
}

/** What tasks of a step find of another step's. */
export interface StepInput extends StepOutput {
  /** Where they find it. */
  readonly path: string
  /** Of this task alone; left out: of all, each in a folder or file of its name if there are several. */
  readonly task?: number
}

/** How a step stands to the others. */
export interface StepPlan {
  readonly name: string
  /** What is known of its job before the others have run. */
  readonly spec: JobSpec
  /** Steps that must have settled before, beside those that it takes something from. */
  readonly needs: readonly string[]
  readonly inputs: readonly StepInput[]
  /** One task for each of these files. */
  readonly map?: StepOutput
}

/** Where a step stands. */
export const STEP_STATES = [
  'waiting',
  'running',
  'settled',
  'failed',
  'cancelled',
  'skipped',
] as const
export type StepState = (typeof STEP_STATES)[number]

/** Where a workflow stands. */
export const WORKFLOW_STATES = ['running', 'settled', 'failed', 'cancelled'] as const
export type WorkflowState = (typeof WORKFLOW_STATES)[number]

/** What is wrong with a workflow, and where in its file. */
export interface WorkflowProblem {
  readonly path: string
  readonly text: string
}

/** Every step that must have settled before this one starts, each once. */
export function needsOf({ needs, inputs, map }: Omit<StepPlan, 'spec'>): string[] {
  const taken = [...inputs, ...(map === undefined ? [] : [map])].map(({ from }) => from)
  return [...new Set([...needs, ...taken])]
}

/** All that is wrong with how steps refer to each other; empty when they can be run in some order. */
export function workflowProblems(steps: readonly StepPlan[]): WorkflowProblem[] {
  const problems: WorkflowProblem[] = []
  if (steps.length === 0) problems.push({ path: 'steps', text: 'expected at least one step' })
  if (steps.length > MAX_STEPS)
    problems.push({ path: 'steps', text: `expected at most ${MAX_STEPS} steps` })
  const known = new Map(steps.map((step) => [step.name, step]))
  for (const step of steps) {
    const at = `steps.${step.name}`
    if (!isStepName(step.name))
      problems.push({
        path: at,
        text: `a name is a letter and then letters, digits, - or _, ${MAX_STEP_NAME_CHARS} at most`,
      })
    for (const [index, name] of step.needs.entries())
      if (!known.has(name)) problems.push(unknown(`${at}.needs[${index}]`, name))
    for (const input of step.inputs)
      problems.push(...outputProblems(inputPath(at, input), input, known))
    for (const path of repeated(step))
      problems.push({ path: `${at}.inputs.${path}`, text: 'another file of the step is there' })
    if (step.map !== undefined) problems.push(...outputProblems(`${at}.map`, step.map, known))
    if (step.map !== undefined && step.spec.inputs.length > 0)
      problems.push({ path: `${at}.map`, text: 'the tasks have inputs of their own already' })
  }
  if (known.size < steps.length) problems.push({ path: 'steps', text: 'two steps have one name' })
  return [...problems, ...cycles(steps)]
}

function isStepName(name: string): boolean {
  return /^[a-z][a-z0-9_-]*$/i.test(name) && name.length <= MAX_STEP_NAME_CHARS
}

function inputPath(at: string, { path }: StepInput): string {
  return `${at}.inputs.${path}`
}

function unknown(path: string, name: string): WorkflowProblem {
  return { path, text: `there is no step ${JSON.stringify(name.slice(0, MAX_STEP_NAME_CHARS))}` }
}

function outputProblems(
  at: string,
  { from, output, task }: StepOutput & { readonly task?: number },
  known: ReadonlyMap<string, StepPlan>,
): WorkflowProblem[] {
  const step = known.get(from)
  if (step === undefined) return [unknown(`${at}.from`, from)]
  const { spec, map } = step
  const problems: WorkflowProblem[] = []
  if (!isOutputOf(spec, output))
    problems.push({
      path: `${at}.path`,
      text: `step ${from} makes no such output; it has stdout, stderr and what is below ${spec.outputs}`,
    })
  if (task !== undefined && map === undefined && task >= spec.tasks)
    problems.push({ path: `${at}.task`, text: `step ${from} has the tasks 0 to ${spec.tasks - 1}` })
  return problems
}

function isOutputOf({ outputs }: JobSpec, output: string): boolean {
  const isPrinted = PRINTED.some((each) => each === output)
  return isPrinted || output === outputs || output.startsWith(`${outputs}/`)
}

/** Paths of inputs at which the step has another file. */
function repeated({ spec, inputs }: StepPlan): string[] {
  const taken = new Set(spec.files.map(({ path }) => path))
  return inputs.flatMap(({ path }) => {
    if (taken.has(path)) return [path]
    taken.add(path)
    return []
  })
}

/** One problem for each circle of steps that need each other, at the first of them. */
function cycles(steps: readonly StepPlan[]): WorkflowProblem[] {
  const known = new Map(steps.map((step) => [step.name, step]))
  const done = new Set<string>()
  const problems: WorkflowProblem[] = []
  const visit = (name: string, way: readonly string[]): void => {
    const step = known.get(name)
    if (step === undefined || done.has(name)) return
    if (way.includes(name)) {
      const circle = [...way.slice(way.indexOf(name)), name]
      problems.push({ path: `steps.${name}`, text: `it needs itself: ${circle.join(' → ')}` })
      return
    }
    for (const need of needsOf(step)) visit(need, [...way, name])
    done.add(name)
  }
  for (const { name } of steps) visit(name, [])
  return problems
}
