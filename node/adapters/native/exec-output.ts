import type { Socket } from 'node:net'
import type { PrintedPiece } from '../../ports/attach.ts'

/** What comes from several streams, as it comes: each waits for the reader, and none for another. */
export async function* piecesFrom(
  streams: readonly { readonly stream: PrintedPiece['stream']; readonly from: Socket }[],
): AsyncGenerator<PrintedPiece> {
  const waiting = new Map(
    streams.map(({ stream, from }) => {
      const reading = chunksOf(from)[Symbol.asyncIterator]()
      const next = async () => ({ stream, next, step: await reading.next() })
      return [stream, next()] as const
    }),
  )
  while (waiting.size > 0) {
    const { stream, next, step } = await Promise.race(waiting.values())
    if (step.done === true) waiting.delete(stream)
    else {
      yield { stream, bytes: step.value }
      waiting.set(stream, next())
    }
  }
}

/** To the end; a stream that is broken off has ended, as a terminal does when its last program lets go of it. */
async function* chunksOf(stream: Socket): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch {
    // closed from here, or EIO of a terminal without a program
  }
}
