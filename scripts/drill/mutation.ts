import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../../node/domain/errors.ts'

/** A bug to plant: one exact edit of one source. */
export interface Mutation {
  /** What the contracts do wrong with it. */
  readonly what: string
  /** Below contracts/. */
  readonly file: string
  /** Text that is in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** The source with the bug. Throws `INPUT_INVALID` when the text is not there exactly once: the drill is out of date. */
export async function mutated(root: string, mutation: Mutation): Promise<string> {
  const { what, file, find, replace } = mutation
  const source = await readFile(join(root, 'contracts', file), 'utf8')
  const found = source.split(find).length - 1
  if (found === 1 && find !== replace) return source.replace(find, () => replace)
  const problems = [`${file}: "${find}" is there ${found} times, not once (${what})`]
  throw new HiveError('INPUT_INVALID', { problems })
}

/** Plants a bug in a copy of the repository, and gives back what takes it out again. */
export async function plant(root: string, mutation: Mutation): Promise<AsyncDisposable> {
  const file = join(root, 'contracts', mutation.file)
  const [before, after] = [await readFile(file, 'utf8'), await mutated(root, mutation)]
  await writeFile(file, after)
  return { [Symbol.asyncDispose]: () => writeFile(file, before) }
}
