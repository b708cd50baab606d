import { HiveError } from '../domain/errors.ts'

const DATA = 'data: '

/** The JSON values of a stream of server-sent events. Throws `NODE_NOT_RUNNING` when it breaks off. */
export async function* readEvents<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(DATA)) yield JSON.parse(block.slice(DATA.length)) as T
      }
    }
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError)
      throw new HiveError('NODE_NOT_RUNNING', { reason: 'the connection broke off' }, { cause })
    throw cause
  }
}
