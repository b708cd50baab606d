import { readFile } from 'node:fs/promises'
import { keptImage } from '../../scripts/images/kept.ts'
import type { ProgramName } from '../../scripts/images/programs.ts'
import { ImageUnavailable } from '../../scripts/images/unavailable.ts'
import type { Program } from '../conformance/sandbox.ts'

/** A real program in its image, built now if this machine has not built it before; or why it cannot be had. */
export async function realProgram(name: ProgramName): Promise<Program | string> {
  try {
    const path = await keptImage(name)
    return { image: { id: path, load: () => readFile(path) }, args: [] }
  } catch (error) {
    if (error instanceof ImageUnavailable) return `skipped: no image of ${name}: ${error.message}`
    throw error
  }
}
