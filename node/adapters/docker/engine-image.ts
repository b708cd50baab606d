import { Readable } from 'node:stream'
import { HiveError } from '../../domain/errors.ts'
import { refusalOf, unlessGone, type Engine } from './engine.ts'
import { layeredArchive } from '../image/image-archive.ts'
import type { ImageShelf } from '../image/image-store.ts'
import type { LayeredImage } from '../image/layered-image.ts'

/** Whether the engine holds the image; only its content id is ever asked for, never a name. */
async function engineHolds(engine: Engine, imageId: string): Promise<boolean> {
  try {
    await engine.getImage(imageId).inspect()
    return true
  } catch (error) {
    if (refusalOf(error)?.status === 404) return false
    throw error
  }
}

/**
 * Gives the image to the engine, one layer after the other.
 * @throws HiveError IMAGE_INVALID when the engine cannot read it; what getting a layer throws; the engine's own error
 * when it does not answer
 */
export async function loadIntoEngine(engine: Engine, image: LayeredImage): Promise<void> {
  if (await engineHolds(engine, image.id)) return
  const answer = await send(engine, image)
  const lines = await new Promise<readonly unknown[]>((resolve, reject) => {
    engine.modem.followProgress(answer, (error: Error | null, output: readonly unknown[]) => {
      if (error === null) resolve(output)
      else reject(new HiveError('IMAGE_INVALID', { rule: error.message }, { cause: error }))
    })
  })
  const failed = lines.find(
    (line) => typeof line === 'object' && line !== null && 'errorDetail' in line,
  )
  if (failed !== undefined) {
    throw new HiveError('IMAGE_INVALID', { rule: JSON.stringify(failed).slice(0, 500) })
  }
  if (!(await engineHolds(engine, image.id))) {
    throw new HiveError('IMAGE_INVALID', { rule: 'the engine holds it under another id' })
  }
}

/** Sends the archive; a layer that cannot be had cuts the request off, and the engine then keeps nothing of it. */
async function send(engine: Engine, image: LayeredImage): Promise<NodeJS.ReadableStream> {
  const cut = new AbortController()
  const pieces = async function* () {
    try {
      yield* layeredArchive(image)
    } catch (error) {
      cut.abort(error)
      throw error
    }
  }
  const archive = Readable.from(pieces())
  // the request hears of it through its signal
  archive.on('error', () => undefined)
  try {
    return await engine.loadImage(archive, { quiet: true, abortSignal: cut.signal })
  } catch (error) {
    throw cut.signal.aborted ? cut.signal.reason : error
  }
}

/** The engine as a place to keep images; it keeps those in use whatever it is told. */
export function engineShelf(engine: Engine): ImageShelf {
  return {
    put: (image) => loadIntoEngine(engine, image),
    drop: (id) => unlessGone(engine.getImage(id).remove()),
  }
}
