/** What is wrong with a document, and where. */
export interface Problem {
  readonly path: string
  readonly text: string
}

/** Stands for a value that could not be read; the reason is among the problems. */
export const INVALID: unique symbol = Symbol('invalid')

/** Reads one value of a document. Never throws: what is wrong goes to `problems`. */
export interface Reader<T> {
  read(raw: unknown, path: string, problems: Problem[]): T | typeof INVALID
  /** The fields of a map, so that their paths can be listed. */
  readonly fields?: Readonly<Record<string, Reader<unknown>>>
  /** Whether text stands for a list, split at commas, where it comes from the environment. */
  readonly isList?: boolean
}

type Output<R> = R extends Reader<infer T> ? T : never

/** A reader from a function that returns `undefined` for what it does not take. */
export function reader<T>(
  expected: string,
  parse: (raw: unknown) => T | undefined,
  options: { readonly secret?: boolean } = {},
): Reader<T> {
  return {
    read(raw, path, problems) {
      if (raw === undefined || raw === null) {
        problems.push({ path, text: `is missing; expected ${expected}` })
        return INVALID
      }
      const value = parse(raw)
      if (value !== undefined) return value
      const found = options.secret === true ? '' : `, found ${excerpt(raw)}`
      problems.push({ path, text: `expected ${expected}${found}` })
      return INVALID
    },
  }
}

/** Takes `fallback` where nothing is written. */
export function withDefault<T>(inner: Reader<T>, fallback: T): Reader<T> {
  return {
    ...inner,
    read: (raw, path, problems) =>
      raw === undefined || raw === null ? fallback : inner.read(raw, path, problems),
  }
}

/** Takes nothing where nothing is written. */
export function optional<T>(inner: Reader<T>): Reader<T | undefined> {
  return withDefault<T | undefined>(inner, undefined)
}

/** A map with exactly these fields; others are problems. Nothing written counts as an empty map. */
export function map<F extends Readonly<Record<string, Reader<unknown>>>>(
  fields: F,
): Reader<{ readonly [K in keyof F]: Output<F[K]> }> {
  return {
    fields,
    read(raw, path, problems) {
      const data = raw ?? {}
      if (!isPlainMap(data)) {
        problems.push({ path, text: `expected a map of fields, found ${excerpt(raw)}` })
        return INVALID
      }
      const unknown = Object.keys(data).filter((key) => !Object.hasOwn(fields, key))
      for (const key of unknown) {
        problems.push({ path: join(path, key.slice(0, 60)), text: unknownField(fields) })
      }
      const entries = Object.entries(fields).map(
        ([key, each]) =>
          [
            key,
            each.read(Object.hasOwn(data, key) ? data[key] : undefined, join(path, key), problems),
          ] as const,
      )
      const bad = unknown.length > 0 || entries.some(([, value]) => value === INVALID)
      return bad ? INVALID : (Object.fromEntries(entries) as { [K in keyof F]: Output<F[K]> })
    },
  }
}

/** A list, each item read alike. */
export function list<T>(item: Reader<T>, options: { readonly min?: number } = {}): Reader<T[]> {
  return {
    isList: true,
    read(raw, path, problems) {
      if (!Array.isArray(raw) || raw.length < (options.min ?? 0)) {
        problems.push({ path, text: `expected a list, found ${excerpt(raw)}` })
        return INVALID
      }
      const items = raw.map((each: unknown, at) => item.read(each, `${path}[${at}]`, problems))
      return items.includes(INVALID) ? INVALID : (items as T[])
    },
  }
}

/** Another form of what `inner` read. */
export function mapped<A, B>(inner: Reader<A>, change: (value: A) => B): Reader<B> {
  return {
    ...inner,
    read(raw, path, problems) {
      const value = inner.read(raw, path, problems)
      return value === INVALID ? INVALID : change(value)
    },
  }
}

/** A problem as one line. */
export function problemLine({ path, text }: Problem): string {
  return path === '' ? text : `${path}: ${text}`
}

/** Whether `value` is a map of a parsed document. */
export function isPlainMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function unknownField(fields: Readonly<Record<string, unknown>>): string {
  return `no such field; known are ${Object.keys(fields).join(', ')}`
}

function excerpt(raw: unknown): string {
  const text = JSON.stringify(raw, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  return (text ?? String(raw)).slice(0, 60)
}
