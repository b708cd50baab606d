import type { Receipt } from '../../node/domain/receipt.ts'
import type { Blobs } from '../../node/ports/blobs.ts'
import type { Requests } from '../../node/ports/requests.ts'
import { manifestRoot, resultCommit } from '../../node/protocol/results.ts'
import {
  decodeShareEvent,
  encodeShareEvent,
  type ShareEvent,
} from '../../node/protocol/share-events.ts'
import type { Signing } from '../../node/services/signing.ts'

/** The closing word of a share, as a provider says it. */
export type Closing = Extract<ShareEvent, { type: 'receipt' }>

/** The ports of a provider that says something else than it did when it delivers a share. */
export function tamperedFollow(
  requests: Requests,
  tamper: (event: Closing) => ShareEvent | Promise<ShareEvent>,
): Requests {
  return {
    call: async (...args) => requests.call(...args),
    stream: (...args) => requests.stream(...args),
    answer: (...args) => requests.answer(...args),
    answerStream: (protocol, handler) =>
      requests.answerStream(protocol, async function* (...args) {
        for await (const frame of handler(...args)) {
          const event = decodeShareEvent(frame)
          yield event.type === 'receipt' ? encodeShareEvent(await tamper(event)) : frame
        }
      }),
  }
}

/** The event with another receipt, signed as the true one would be. */
export function reseal(signing: Signing, event: Closing, changes: Partial<Receipt>): Closing {
  const { message } = signing.open('Receipt', event.receipt)
  return { ...event, receipt: signing.seal('Receipt', { ...message, ...changes }).bytes }
}

/** The event with another manifest, committed to as the true one would be. */
export async function committed(
  { signing, blobs }: { readonly signing: Signing; readonly blobs: Blobs },
  event: Closing,
  bytes: Uint8Array,
  changes: Partial<Receipt> = {},
): Promise<Closing> {
  const manifest = await blobs.add(bytes)
  const dataRoot = manifestRoot(bytes)
  const { agreement } = signing.open('Receipt', event.receipt).message
  const commit = resultCommit(agreement, signing.address, dataRoot, event.salt)
  return reseal(signing, { ...event, manifest }, { dataRoot, resultCommit: commit, ...changes })
}
