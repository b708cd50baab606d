import { Readable } from 'node:stream'
import { HiveError } from '../../domain/errors.ts'
import { refusalOf, unlessGone, type Engine } from './engine.ts'
import { imageArchive, type Image } from '../image/image-archive.ts'
import type { ImageShelf } from '../image/image-store.ts'

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
 * Gives the image to the engine.
 * @throws HiveError IMAGE_INVALID when the engine cannot read it; the engine's own error when it does not answer
 */
export async function loadIntoEngine(engine: Engine, image: Image): Promise<void> {
  if (await engineHolds(engine, image.id)) return
  const answer = await engine.loadImage(Readable.from(imageArchive(image)), { quiet: true })
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

/** The engine as a place to keep images; it keeps those in use whatever it is told. */
export function engineShelf(engine: Engine): ImageShelf {
  return {
    put: (image) => loadIntoEngine(engine, image),
    drop: (id) => unlessGone(engine.getImage(id).remove()),
  }
}
