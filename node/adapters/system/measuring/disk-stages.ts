import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../../../domain/capacity.ts'
import { KiB, MiB } from '../../../domain/units.ts'
import { TRIES } from './memory-stages.ts'

const WRITE_BYTES: number = 64 * MiB
const PIECE_BYTES: number = 4 * MiB
const SYNC_BYTES: number = 4 * KiB
/** How long the small writes of one try go on, ms. */
const SYNC_MS = 40
/** How long the large ones of one try may go on, ms; what was written until then is what counts. */
const WRITE_MS = 150

/** Bytes a second: up to 64 MB, written in a row and then made durable. */
export function writeRate(dir: string): number {
  const piece = randomBytes(PIECE_BYTES) // a disk that compresses or remembers has no advantage
  return rateOf(dir, (file) => {
    const startedAt = performance.now()
    let written = 0
    while (written < WRITE_BYTES && performance.now() - startedAt < WRITE_MS)
      written += writeSync(file, piece, 0, PIECE_BYTES, written)
    fdatasyncSync(file)
    return (written * 1000) / (performance.now() - startedAt)
  })
}

/** Writes of 4 KiB in a second, each durable before the next. */
export function syncRate(dir: string): number {
  const piece = randomBytes(SYNC_BYTES)
  return rateOf(dir, (file) => {
    const startedAt = performance.now()
    let count = 0
    for (; performance.now() - startedAt < SYNC_MS; count += 1) {
      writeSync(file, piece, 0, SYNC_BYTES, count * SYNC_BYTES)
      fdatasyncSync(file)
    }
    return (count * 1000) / (performance.now() - startedAt)
  })
}

function rateOf(dir: string, once: (file: number) => number): number {
  const path = join(dir, `.benchmark-${process.pid}`)
  const file = openSync(path, 'wx', 0o600)
  // Without a name it is gone with this process, however that ends.
  rmSync(path)
  try {
    return median(Array.from({ length: TRIES }, () => once(file)))
  } finally {
    closeSync(file)
  }
}
