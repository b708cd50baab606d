import type { Writable } from 'node:stream'

/** Writes, and waits until more would be taken or nothing is any more. Never rejects: whoever reads hears why. */
export async function patientWrite(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.writable || stream.write(bytes)) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => {
    resolve()
  }
  stream.once('drain', done).once('close', done).once('error', done)
  await promise
  stream.off('drain', done).off('close', done).off('error', done)
}
