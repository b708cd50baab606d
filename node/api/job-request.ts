import { HiveError } from '../domain/errors.ts'
import type { InputFile } from '../domain/job-spec.ts'
import { MAX_AMOUNT } from '../domain/money.ts'
import type { SecretValues } from '../domain/secret-slot.ts'
import { decodeJobSpec, encodeJobSpec, isSandboxPath } from '../protocol/job-spec-codec.ts'
import type { JobRequest } from '../services/requester/records.ts'
import type { JobRequestBody, JobSubmissionBody } from './schemas/job-request.ts'

/**
 * A request that the services can take. Throws `INPUT_INVALID` with every problem that a schema
 * cannot see, and `MESSAGE_TOO_LARGE` for a spec beyond its limit.
 */
export function toJobRequest(submission: JobSubmissionBody): JobRequest {
  const { secrets: _, budget: budgetText, ...body } = submission
  const { spec } = body
  const maxPrice = BigInt(body.maxPrice)
  const budget = budgetText === undefined ? undefined : BigInt(budgetText)
  const problems: string[] = []
  if (budget !== undefined && (budget <= 0n || budget > MAX_AMOUNT))
    problems.push('body.budget: must be above zero and below 2^96')
  if (maxPrice <= 0n || maxPrice > MAX_AMOUNT)
    problems.push('body.maxPrice: must be above zero and below 2^96')
  if (spec.inputs.length !== 0 && spec.inputs.length !== spec.tasks)
    problems.push('body.spec.inputs: must hold one entry for each task, or none')
  if (!isSandboxPath(spec.outputs)) problems.push(notPlain('body.spec.outputs'))
  if (body.attach === true && (spec.kind !== 'docker' || spec.deterministic === true))
    problems.push('body.attach: there is no way into a module, nor into a deterministic job')
  for (const [path, file] of filesIn(body)) {
    if (!isSandboxPath(file.path)) problems.push(notPlain(`body.spec.${path}.path`))
  }
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
  requireEncodable(spec)
  return { ...body, maxPrice, ...(budget !== undefined && { budget }) }
}

/**
 * The secrets of a submission, by name. Throws `INPUT_INVALID` for what is not base64; nothing of a value is in it.
 */
export function toSecretValues({ secrets = {} }: JobSubmissionBody): SecretValues {
  const values = Object.entries(secrets).map(
    ([name, text]) => [name, text, Buffer.from(text, 'base64')] as const,
  )
  const problems = values
    .filter(([, text, value]) => value.toString('base64') !== text)
    .map(([name]) => `body.secrets.${name.slice(0, 60)}: expected base64`)
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
  return new Map(values.map(([name, , value]) => [name, value]))
}

/** What providers will decode must decode here first. */
function requireEncodable(spec: JobRequestBody['spec']): void {
  const bytes = encodeJobSpec(spec)
  try {
    decodeJobSpec(bytes)
  } catch (cause) {
    if (!(cause instanceof HiveError)) throw cause
    const { path, expected } = cause.data
    const problems = [`body.${String(path)}: expected ${String(expected)}`]
    throw new HiveError('INPUT_INVALID', { problems }, { cause })
  }
}

function filesIn({ spec }: JobRequestBody): [path: string, file: InputFile][] {
  const stdin = spec.stdin === undefined ? [] : [['stdin', spec.stdin] as [string, InputFile]]
  return [
    ['image', spec.image],
    ...stdin,
    ...spec.files.map((file, at): [string, InputFile] => [`files.${at}`, file]),
    ...spec.inputs.flatMap((input, task) =>
      input.files.map((file, at): [string, InputFile] => [`inputs.${task}.files.${at}`, file]),
    ),
  ]
}

function notPlain(path: string): string {
  return `${path}: must be an absolute path without . or .. or control characters`
}
