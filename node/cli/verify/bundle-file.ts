import { readFile, stat } from 'node:fs/promises'
import { Value } from 'typebox/value'
import { BundleBody } from '../../api/schemas/bundle.ts'
import { HiveError } from '../../domain/errors.ts'
import { MiB } from '../../domain/units.ts'

/** Largest bundle that is read, bytes: thousands of shares with all their proofs. */
const MAX_BUNDLE_BYTES: number = 64 * MiB
/** Most problems of a damaged bundle that are listed. */
const MAX_PROBLEMS = 20

/** Reads a bundle file. Throws `INPUT_INVALID` with what is wrong and where. */
export async function readBundleFile(path: string): Promise<BundleBody> {
  let raw: unknown
  try {
    const { size } = await stat(path)
    if (size > MAX_BUNDLE_BYTES) throw refused(`${path}: longer than ${MAX_BUNDLE_BYTES} bytes`)
    raw = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    const problem =
      cause instanceof SyntaxError ? 'bundle: expected JSON' : `${path}: cannot be read`
    throw refused(problem, cause)
  }
  if (Value.Check(BundleBody, raw)) return raw
  const problems = [...Value.Errors(BundleBody, raw)].map(
    ({ instancePath, message }) => `bundle${instancePath.replaceAll('/', '.')}: ${message}`,
  )
  throw new HiveError('INPUT_INVALID', { problems: problems.slice(0, MAX_PROBLEMS) })
}

function refused(problem: string, cause?: unknown): HiveError {
  return new HiveError('INPUT_INVALID', { problems: [problem] }, { cause })
}
