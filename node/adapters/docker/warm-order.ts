import { ORDER_ADDRESS, ORDER_BYTES } from './warm-program.ts'

/** What a waiting container is to run. */
export interface LaunchOrder {
  /** The program and its arguments. */
  readonly line: readonly string[]
  /** `NAME=value` each. */
  readonly env: readonly string[]
  /** Whether stdin is the job's; otherwise it is empty. */
  readonly hasStdin: boolean
  /** SECRET_BYTES that only we know; comes back on stderr when the program cannot be executed. */
  readonly secret: Uint8Array
}

export const SECRET_BYTES = 16

/** Words before the secret: where the order ends, then where arguments, environment, paths and stdin are. */
const HEAD_WORDS = 5
const WORD_BYTES = 8
const EMPTY_STDIN = '/dev/null'

/**
 * The order as the launching program reads it: memory as it will lie at ORDER_ADDRESS, addresses included, so that the
 * program need not understand anything. `undefined` when it has no such form: too long, or a text with a zero in it.
 */
export function encodeOrder({ line, env, hasStdin, secret }: LaunchOrder): Buffer | undefined {
  const lists = [line, env, pathsOf(line, env)]
  const stdin = hasStdin ? [] : [EMPTY_STDIN]
  const texts = [...lists.flat(), ...stdin]
  if (texts.some((text) => text.includes('\0'))) return undefined
  const words = lists.reduce((sum, list) => sum + list.length + 1, HEAD_WORDS)
  const textsFrom = words * WORD_BYTES + SECRET_BYTES
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, textsFrom)
  if (size > ORDER_BYTES) return undefined
  const order = Buffer.alloc(size)
  let textAt = textsFrom
  const place = (text: string) => {
    const address = ORDER_ADDRESS + textAt
    textAt += order.write(text, textAt) + 1
    return address
  }
  let listAt = HEAD_WORDS * WORD_BYTES + SECRET_BYTES
  const placeList = (list: readonly string[]) => {
    const address = ORDER_ADDRESS + listAt
    // its last word stays zero
    for (const [at, text] of list.entries()) setWord(order, listAt + at * WORD_BYTES, place(text))
    listAt += (list.length + 1) * WORD_BYTES
    return address
  }
  const head = [ORDER_ADDRESS + size, ...lists.map(placeList), ...stdin.map(place)]
  for (const [at, word] of head.entries()) setWord(order, at * WORD_BYTES, word)
  order.set(secret, HEAD_WORDS * WORD_BYTES)
  return order
}

/** Where the program may lie: as a shell and a container engine look for it. */
function pathsOf(line: readonly string[], env: readonly string[]): readonly string[] {
  const [program = ''] = line
  if (program.includes('/') || program === '') return [program]
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? ''
  // not in the current folder: engines refuse to find a program there
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => `${folder}/${program}`)
}

function setWord(order: Buffer, at: number, value: number): void {
  order.writeBigUInt64LE(BigInt(value), at)
}
