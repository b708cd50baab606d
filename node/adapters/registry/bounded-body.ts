import { HiveError } from '../../domain/errors.ts'

/** An answer's bytes, never more than `maxBytes` of them. @throws HiveError IMAGE_INVALID when there are more */
export async function boundedBody(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? []) {
    bytes += piece.byteLength
    if (bytes > maxBytes)
      throw new HiveError('IMAGE_INVALID', { rule: 'a blob is larger than said' })
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
