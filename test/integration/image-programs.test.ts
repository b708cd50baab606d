import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { MiB } from '../../node/domain/units.ts'
import type { Sandbox, SandboxFile, SandboxResult } from '../../node/ports/sandbox.ts'
import { runProgram, textOf, type Program } from '../conformance/sandbox.ts'
import { IMAGE_SANDBOXES } from '../support/image-sandboxes.ts'
import { mp4Tracks } from '../support/mp4-facts.ts'
import { realProgram } from '../support/program-images.ts'
import type { ProgramName } from '../../scripts/images/programs.ts'

const limits = { memoryBytes: 512 * MiB, diskBytes: 64 * MiB, outputBytes: 16 * MiB }
const machines = await Promise.all(
  IMAGE_SANDBOXES.map(async (one) => ({ ...one, unavailable: await one.missing() })),
)
const isNeeded = machines.some(({ unavailable }) => unavailable === false)
const programs: Readonly<Record<ProgramName, Program | string>> = {
  python: isNeeded ? await realProgram('python') : '',
  povray: isNeeded ? await realProgram('povray') : '',
  ffmpeg: isNeeded ? await realProgram('ffmpeg') : '',
}
const skip = (name: ProgramName) => {
  const program = programs[name]
  return { skip: typeof program === 'string' ? program : false }
}

for (const { name, unavailable, open } of machines) {
  describe(`real programs in ${name}`, { skip: unavailable }, () => {
    let sandbox: Sandbox
    before(async () => {
      sandbox = await open()
    })
    after(async () => {
      await sandbox[Symbol.asyncDispose]()
    })

    /** Runs a program that is expected to end well. */
    const run = async (
      program: ProgramName,
      args: readonly string[],
      given: { readonly files?: readonly SandboxFile[]; readonly stdin?: Uint8Array } = {},
    ): Promise<SandboxResult> => {
      const what = programs[program]
      assert.ok(typeof what !== 'string')
      const result = await runProgram(sandbox, what, args, { ...given, limits })
      const said = `${result.detail}\n${textOf(result.stderr)}`
      assert.deepEqual([result.reason, result.exitCode], ['exit', 0], said)
      return result
    }

    test('Python counts the same random points for the same seed', skip('python'), async () => {
      const files = [await job('monte-carlo/pi.py')]
      const count = async (seed: number) =>
        textOf((await run('python', ['/in/pi.py', String(seed), '200000'], { files })).stdout)
      assert.equal(await count(7), '157102 200000\n')
      assert.equal(await count(8), '157471 200000\n')
    })

    test(
      'a picture that POV-Ray traces row by row is the whole picture',
      skip('povray'),
      async () => {
        const files = [await job('ray-trace/scene.pov')]
        const trace = async (...more: readonly string[]) => {
          const size = [`+W${WIDTH}`, ...more]
          const args = ['+I/in/scene.pov', '+O/out/p.ppm', '+FP', '-D', '-GA', '+WT1', ...size]
          const [picture] = (await run('povray', args, { files })).files
          assert.ok(picture !== undefined)
          return picture.bytes
        }
        const whole = pixels(await trace(`+H${HEIGHT}`), HEIGHT)
        assert.ok(new Set(whole).size > 100, 'hardly any colours')
        const rows = HEIGHT / TILES
        const tile = async (at: number) => {
          const part = [`+SR${at * rows + 1}`, `+ER${(at + 1) * rows}`]
          const sparse = pixels(await trace(`+H${HEIGHT}`, ...part), HEIGHT)
          return sparse.subarray(at * rows * WIDTH * 3, (at + 1) * rows * WIDTH * 3)
        }
        const strip = async (at: number) =>
          pixels(await trace(`+H${rows}`, `Declare=Part=${at}`, `Declare=Parts=${TILES}`), rows)
        const indexes = Array.from({ length: TILES }, (_, at) => at)
        const [byRows, byStrips] = await Promise.all(
          [tile, strip].map(async (part) => Buffer.concat(await Promise.all(indexes.map(part)))),
        )
        assert.equal(byRows?.compare(whole), 0)
        assert.equal(byStrips?.compare(whole), 0)
      },
    )

    test(
      'ffmpeg makes a film, and another of it in another coding and size',
      skip('ffmpeg'),
      async () => {
        const { stdout } = await run('ffmpeg', words(MAKE))
        // EBML's first bytes, with which Matroska begins.
        assert.equal(Buffer.from(stdout).toString('hex', 0, 4), '1a45dfa3')
        const { files } = await run('ffmpeg', words(RECODE), { stdin: stdout })
        assert.deepEqual(
          files.map(({ path }) => path),
          ['/out/film.mp4'],
        )
        const tracks = mp4Tracks(files[0]?.bytes ?? new Uint8Array())
        assert.deepEqual(
          tracks.map(({ kind, codec, width, height }) => [kind, codec, width, height]),
          [
            ['vide', 'avc1', 160, 90],
            ['soun', 'mp4a', 0, 0],
          ],
        )
        for (const { kind, seconds } of tracks) {
          assert.ok(Math.abs(seconds - 2) < 0.1, `${kind} lasts ${seconds} s`)
        }
      },
    )
  })
}

/** A test picture that moves, and a tone. */
const MAKE = `
  -v error -bitexact -threads 1 -f lavfi -i testsrc=duration=2:size=320x180:rate=25
  -f lavfi -i sine=frequency=440:duration=2 -c:v mpeg4 -c:a mp2 -f matroska -
`
const RECODE = `
  -v error -bitexact -threads 1 -i - -vf scale=160:90 -c:v libx264 -threads 1 -c:a aac /out/film.mp4
`
const words = (line: string) => line.trim().split(/\s+/)

const WIDTH = 160
const HEIGHT = 120
const TILES = 2

async function job(path: string): Promise<SandboxFile> {
  const bytes = await readFile(new URL(`../../jobs/${path}`, import.meta.url))
  return { path: `/in/${path.split('/').at(-1) ?? ''}`, bytes }
}

/** The samples of a binary PPM; its header has a comment with the hour. */
function pixels(ppm: Uint8Array, height: number): Buffer {
  assert.equal(textOf(ppm.subarray(0, 2)), 'P6')
  return Buffer.from(ppm.subarray(ppm.length - WIDTH * height * 3))
}
