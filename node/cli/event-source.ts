import { ERROR_EVENT } from '../api/event-stream.ts'
import { HiveError } from '../domain/errors.ts'
import { errorFrom } from '../api/error-from.ts'

const DATA = 'data: '

/**
 * The JSON values of a stream of server-sent events. Throws what the node sends instead of a further
 * event, and `NODE_NOT_RUNNING` when the stream breaks off.
 */
export async function* readEvents<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(ERROR_EVENT))
          throw errorFrom(JSON.parse(block.slice(ERROR_EVENT.length + DATA.length)))
        if (block.startsWith(DATA)) yield JSON.parse(block.slice(DATA.length)) as T
      }
    }
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError)
      throw new HiveError('NODE_NOT_RUNNING', { reason: 'the connection broke off' }, { cause })
    throw cause
  }
}
