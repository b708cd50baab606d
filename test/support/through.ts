import type { Requests } from '../../node/ports/requests.ts'
import {
  decodeShareEvent,
  encodeShareEvent,
  type ShareEvent,
} from '../../node/protocol/share-events.ts'

/** What becomes of an event on its way. */
export type EventChange = (
  event: ShareEvent,
) => readonly ShareEvent[] | Promise<readonly ShareEvent[]>

/** The ports of a provider whose events are changed on their way. */
export function through(requests: Requests, change: EventChange): Requests {
  return {
    call: async (...args) => requests.call(...args),
    stream: (...args) => requests.stream(...args),
    answer: (...args) => requests.answer(...args),
    answerStream: (protocol, handler) =>
      requests.answerStream(protocol, async function* (...args) {
        for await (const frame of handler(...args))
          for (const event of await change(decodeShareEvent(frame))) yield encodeShareEvent(event)
      }),
  }
}
