/** `npm run images -- [NAME…]`: builds the images that the example jobs run, as `out/NAME.tar`. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { keptImage } from './kept.ts'
import { PROGRAM_NAMES } from './programs.ts'

const OUT = join(import.meta.dirname, '../../out')

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !PROGRAM_NAMES.some((known) => known === name))
if (unknown.length > 0) {
  throw new Error(`no image ${unknown.join(', ')}; there are ${PROGRAM_NAMES.join(', ')}`)
}
await mkdir(OUT, { recursive: true })
for (const name of PROGRAM_NAMES.filter((each) => asked.length === 0 || asked.includes(each))) {
  await copyFile(await keptImage(name), join(OUT, `${name}.tar`))
  process.stdout.write(`out/${name}.tar\n`)
}
