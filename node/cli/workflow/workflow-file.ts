import {
  INVALID,
  isPlainMap,
  list,
  map,
  optional,
  problemLine,
  reader,
  withDefault,
  type Problem,
  type Reader,
} from '../../config/reading.ts'
import { amount, duration, integer, text } from '../../config/values.ts'
import { HiveError } from '../../domain/errors.ts'
import { MAX_JOB_TIMEOUT_MS } from '../../domain/job-handling.ts'
import type { Amount } from '../../domain/money.ts'
import { MAX_TASKS } from '../../domain/offer.ts'
import {
  MAX_STEP_NAME_CHARS,
  PRINTED,
  workflowProblems,
  type StepInput,
  type StepOutput,
} from '../../domain/workflow.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import type { JobDraft } from '../job/draft.ts'
import { draftOf, type SpecDocument } from '../job/job-file.ts'
import { draftSpec } from './draft-spec.ts'

/** A step as its author wrote it, with every path resolved; nothing is uploaded yet. */
export interface StepDraft {
  readonly name: string
  readonly needs: readonly string[]
  readonly inputs: readonly StepInput[]
  readonly map: StepOutput | undefined
  readonly job: JobDraft
}

/** A workflow as its author wrote it, checked. */
export interface WorkflowDraft {
  readonly steps: readonly StepDraft[]
  readonly budget: Amount | undefined
  readonly totalMs: number | undefined
}

const stepName = text('the name of a step', /^[a-z]/i, MAX_STEP_NAME_CHARS)
const output = reader('stdout, stderr or an absolute, plain path', (raw) => {
  const isPrinted = PRINTED.some((each) => each === raw)
  return typeof raw === 'string' && (isPrinted || isSandboxPath(raw)) ? raw : undefined
})
/** `all` is what counts when nothing is said. */
const task: Reader<number | undefined> = optional(
  reader('a number from 0, or all', (raw) => (raw === 'all' ? -1 : numberOf(raw))),
)
const input = map({ from: stepName, path: output, task })
const needs = withDefault(list(stepName), [])
const mapping = map({ from: stepName, path: output })
const whole = map({
  steps: reader('a map of steps', (raw) => (isPlainMap(raw) ? raw : undefined)),
  budget: optional(amount),
  timeout: optional(duration(MAX_JOB_TIMEOUT_MS)),
})

/** Whether a spec file describes a workflow and not one job. */
export function isWorkflow({ fields }: SpecDocument): boolean {
  return Object.hasOwn(fields, 'steps')
}

/** The workflow of a spec file. Throws `SPEC_INVALID` with the mistakes of all steps, or `SPEC_FILE_MISSING`. */
export async function readWorkflow({ fields, folder }: SpecDocument): Promise<WorkflowDraft> {
  const problems: Problem[] = []
  const missing: string[] = []
  const document = whole.read(fields, '', problems)
  const written = isPlainMap(fields['steps']) ? Object.entries(fields['steps']) : []
  const steps: StepDraft[] = []
  for (const [name, raw] of written) {
    const at = `steps.${name.slice(0, MAX_STEP_NAME_CHARS)}`
    if (!isPlainMap(raw)) problems.push({ path: at, text: 'expected a map of fields' })
    else steps.push(...(await stepOf(name, raw, at, folder, problems, missing)))
  }
  if (problems.length === 0 && missing.length === 0)
    problems.push(...workflowProblems(steps.map((step) => ({ ...planOf(step) }))))
  if (problems.length > 0)
    throw new HiveError('SPEC_INVALID', { problems: [...problems.map(problemLine), ...missing] })
  if (missing.length > 0) throw new HiveError('SPEC_FILE_MISSING', { problems: missing })
  if (document === INVALID) throw new HiveError('INTERNAL', { at: 'workflow file' })
  return { steps, budget: document.budget, totalMs: document.timeout }
}

async function stepOf(
  name: string,
  raw: Readonly<Record<string, unknown>>,
  at: string,
  folder: string,
  problems: Problem[],
  missing: string[],
): Promise<StepDraft[]> {
  const { needs: rawNeeds, inputs: rawInputs, map: rawMap, ...fields } = raw
  const isMapped = isPlainMap(rawMap)
  const before = needs.read(rawNeeds, `${at}.needs`, problems)
  const from = isMapped ? mapping.read(rawMap, `${at}.map`, problems) : undefined
  const inputs = inputsOf(rawInputs, `${at}.inputs`, problems)
  try {
    const local = isMapped || rawMap === undefined ? fields : { ...fields, map: rawMap }
    const job = await draftOf(local, folder, isMapped)
    if (job.secrets.length > 0)
      problems.push({ path: `${at}.secrets`, text: 'steps of a workflow have none' })
    if (before === INVALID || from === INVALID) return []
    const mapped = from && { from: from.from, output: from.path }
    return [{ name, needs: before, inputs, map: mapped, job }]
  } catch (error) {
    if (!(error instanceof HiveError)) throw error
    const lines = error.data['problems']
    const found = Array.isArray(lines) ? (lines as readonly string[]) : [String(error.data['path'])]
    for (const line of found)
      if (error.code === 'SPEC_INVALID') problems.push({ path: '', text: `${at}.${line}` })
      else missing.push(`${at}.${line}`)
    return []
  }
}

function inputsOf(raw: unknown, at: string, problems: Problem[]): StepInput[] {
  if (raw === undefined || raw === null) return []
  if (!isPlainMap(raw)) {
    problems.push({ path: at, text: 'expected a map from paths of the step to outputs of others' })
    return []
  }
  return Object.entries(raw).flatMap(([path, each]) => {
    if (!isSandboxPath(path))
      problems.push({
        path: `${at}.${path.slice(0, 60)}`,
        text: 'expected an absolute, plain path',
      })
    const read = input.read(each, `${at}.${path.slice(0, 60)}`, problems)
    if (read === INVALID) return []
    const isOne = read.task !== undefined && read.task >= 0
    return [{ path, from: read.from, output: read.path, ...(isOne && { task: read.task }) }]
  })
}

function planOf({ job, map: from, ...step }: StepDraft): Parameters<typeof workflowProblems>[0][0] {
  return { ...step, ...(from !== undefined && { map: from }), spec: draftSpec(job) }
}

function numberOf(raw: unknown): number | undefined {
  const value = integer(0, MAX_TASKS).read(raw, '', [])
  return value === INVALID ? undefined : value
}
