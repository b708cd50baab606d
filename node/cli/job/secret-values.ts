import { open } from 'node:fs/promises'
import { HiveError } from '../../domain/errors.ts'
import { MAX_SECRETS_BYTES } from '../../protocol/limits.ts'
import type { DraftSecret } from './draft.ts'

/** Values by name, in base64: as a job request carries them, apart from the spec. */
export type SecretTexts = Readonly<Record<string, string>>

/**
 * Reads the values of a job's secrets. Throws `SPEC_FILE_MISSING` with every one that cannot be had, by name and source;
 * nothing of a value is in it.
 */
export async function readSecrets(
  secrets: readonly DraftSecret[],
  variable: (name: string) => string | undefined,
): Promise<SecretTexts> {
  const problems: string[] = []
  const values: [name: string, value: string][] = []
  for (const { slot, from } of secrets) {
    const value =
      'variable' in from
        ? variableOf(from.variable, variable)
        : await fileOf(from.file, slot.env !== undefined)
    if (typeof value === 'string') problems.push(`secrets.${slot.name}: ${value}`)
    else values.push([slot.name, value.toString('base64')])
  }
  if (problems.length > 0) throw new HiveError('SPEC_FILE_MISSING', { problems })
  return Object.fromEntries(values)
}

/** The value, or what is wrong with it as text. */
function variableOf(name: string, variable: (name: string) => string | undefined): Buffer | string {
  const value = variable(name)
  if (value === undefined) return `the variable ${name} is not set`
  return value === '' ? `the variable ${name} is empty` : Buffer.from(value)
}

/** A file's bytes as they are; for a variable without the line break that editors put at the end. Text says what is wrong. */
async function fileOf(path: string, isVariable: boolean): Promise<Buffer | string> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > MAX_SECRETS_BYTES) return `${path} has ${size} bytes, more than ${MAX_SECRETS_BYTES}`
    const bytes = await file.readFile()
    const end = bytes.at(-1) !== 10 ? 0 : bytes.at(-2) === 13 ? 2 : 1
    return isVariable ? bytes.subarray(0, bytes.length - end) : bytes
  } catch {
    // Missing or out of reach: reported with its path.
    return `cannot read ${path}`
  }
}
