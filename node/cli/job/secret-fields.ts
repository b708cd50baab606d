import {
  INVALID,
  isPlainMap,
  map,
  optional,
  reader,
  type Problem,
  type Reader,
} from '../../config/reading.ts'
import { HiveError } from '../../domain/errors.ts'
import { SECRET_NAME } from '../../domain/secret-slot.ts'
import { isSandboxPath, isVariableName } from '../../protocol/job-spec-codec.ts'

/** Where a secret's value is: a variable of the command line's own environment, or a file. */
export type SecretSource = { readonly variable: string } | { readonly file: string }

/** A secret as a spec file has it. */
export interface SecretEntry {
  readonly name: string
  readonly env: string | undefined
  readonly path: string | undefined
  readonly from: SecretSource | undefined
}

/** Folder in which a task finds a secret that a flag takes from a file. */
const SECRETS_FOLDER = '/run/secrets'
const SOURCE = /^(env|file):(.+)$/s

// What stands in these fields may be a value by mistake: no problem repeats it.
const secret = { secret: true }
const entry = map({
  name: reader('a name of letters, digits, _ . -', (raw) => fitting(raw, isSecretName), secret),
  env: optional(reader('a variable name', (raw) => fitting(raw, isVariableName), secret)),
  path: optional(
    reader(
      'an absolute, plain path inside the sandbox',
      (raw) => fitting(raw, isSandboxPath),
      secret,
    ),
  ),
  from: optional(reader('env:VARIABLE or file:PATH, never a value', sourceOf, secret)),
})

/** The `secrets` of a spec file. Nothing written counts as none. */
export const SECRET_ENTRIES: Reader<readonly SecretEntry[]> = {
  read(raw, path, problems) {
    if (raw === undefined || raw === null) return []
    if (!Array.isArray(raw)) return problem(problems, path, 'expected a list')
    const entries = raw.map((each: unknown, at) =>
      isPlainMap(each)
        ? entry.read(each, `${path}[${at}]`, problems)
        : problem(problems, `${path}[${at}]`, 'expected name, env or path, and from'),
    )
    return entries.some((each) => each === INVALID) ? INVALID : (entries as SecretEntry[])
  },
}

/**
 * Flags of `hive run` as name → `env:VARIABLE` or `file:PATH`. Throws `SECRET_ON_COMMAND_LINE`, which repeats nothing of
 * what may be a value.
 */
export function secretFlags(
  texts: readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined {
  if (texts === undefined) return undefined
  const pairs = texts.map((each, at) => {
    const equals = each.indexOf('=')
    const [name, source] = [each.slice(0, Math.max(0, equals)), each.slice(equals + 1)]
    if (equals < 1 || !SECRET_NAME.test(name))
      throw new HiveError('SECRET_ON_COMMAND_LINE', { flag: `--secret number ${at + 1}` })
    if (!SOURCE.test(source)) throw new HiveError('SECRET_ON_COMMAND_LINE', { secret: name })
    return [name, source] as const
  })
  return Object.fromEntries(pairs)
}

/** A spec file's secrets with what flags say of them: only where the value is, of one that the file has. */
export function withSecretFlags(file: unknown, flags: unknown): unknown {
  if (!isPlainMap(flags)) return file
  const entries: unknown[] = Array.isArray(file) ? file : []
  const known = new Set(entries.map((each) => (isPlainMap(each) ? each['name'] : undefined)))
  const changed = entries.map((each) =>
    isPlainMap(each) && typeof each['name'] === 'string' && Object.hasOwn(flags, each['name'])
      ? { ...each, from: flags[each['name']] }
      : each,
  )
  const added = Object.entries(flags)
    .filter(([name]) => !known.has(name))
    .map(([name, from]) => ({ name, from, ...placeOf(name, from) }))
  return file === undefined || Array.isArray(file) ? [...changed, ...added] : file
}

/** From a variable into a variable, from a file into a file: what a flag alone asks for. */
function placeOf(name: string, from: unknown) {
  return String(from).startsWith('env:') ? { env: name } : { path: `${SECRETS_FOLDER}/${name}` }
}

function sourceOf(raw: unknown): SecretSource | undefined {
  const [, kind, where = ''] = typeof raw === 'string' ? (SOURCE.exec(raw) ?? []) : []
  if (kind === 'env') return isVariableName(where) ? { variable: where } : undefined
  return kind === 'file' && !where.includes('\0') ? { file: where } : undefined
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

function fitting(raw: unknown, fits: (text: string) => boolean): string | undefined {
  return typeof raw === 'string' && fits(raw) ? raw : undefined
}

function problem(problems: Problem[], path: string, said: string): typeof INVALID {
  problems.push({ path, text: said })
  return INVALID
}
