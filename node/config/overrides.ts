import { isPlainMap, type Problem, type Reader } from './reading.ts'

/** Environment variables by name; only those with our prefix matter. */
export type Overrides = Readonly<Record<string, string | undefined>>

/** A document with the environment's values in it. */
export interface Overlaid {
  readonly document: unknown
  /** Which variable gave the value at a path. */
  readonly sources: ReadonlyMap<string, string>
}

interface Leaf {
  readonly path: readonly string[]
  readonly isList: boolean
}

const PREFIX = 'HIVE_'

/**
 * Puts `HIVE_…` variables into a document: `provider.prices.perTask` is `HIVE_PROVIDER_PRICES_PER_TASK`,
 * lists are split at commas. A variable of one of our sections that names no field is a problem, so
 * that a slip of the keyboard is not silently ignored.
 */
export function overlay(
  reader: Reader<unknown>,
  raw: unknown,
  env: Overrides,
  problems: Problem[],
): Overlaid {
  const leaves = new Map(leavesOf(reader).map((leaf) => [variableOf(leaf.path), leaf]))
  const sections = Object.keys(reader.fields ?? {}).map((name) => `${variableOf([name])}_`)
  const sources = new Map<string, string>()
  let document: unknown = raw ?? {}
  for (const [name, value] of Object.entries(env)) {
    const leaf = leaves.get(name)
    if (value === undefined) continue
    if (leaf !== undefined) {
      document = withValue(document, leaf.path, leaf.isList ? itemsOf(value) : value)
      sources.set(leaf.path.join('.'), name)
    } else if (sections.some((section) => name.startsWith(section))) {
      problems.push({ path: name, text: 'no such variable; docs/operations/config.md lists them' })
    }
  }
  return { document, sources }
}

/** The variable of every field, with the field's path. */
export function variablesOf(
  reader: Reader<unknown>,
): readonly { readonly path: string; readonly variable: string }[] {
  return leavesOf(reader).map(({ path }) => ({ path: path.join('.'), variable: variableOf(path) }))
}

function leavesOf(reader: Reader<unknown>, path: readonly string[] = []): Leaf[] {
  if (reader.fields === undefined) return [{ path, isList: reader.isList === true }]
  return Object.entries(reader.fields).flatMap(([key, field]) => leavesOf(field, [...path, key]))
}

function variableOf(path: readonly string[]): string {
  const words = path.map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`))
  return PREFIX + words.join('_').toUpperCase()
}

function itemsOf(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function withValue(document: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  // A section that is not a map stays as it is, so that the reader can complain about it.
  if (document !== undefined && document !== null && !isPlainMap(document)) return document
  const data = document ?? {}
  return {
    ...data,
    [key]: withValue(Object.hasOwn(data, key) ? data[key] : undefined, rest, value),
  }
}
