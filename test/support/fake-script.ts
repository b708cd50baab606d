import type { Program, Programs } from '../conformance/sandbox.ts'

/** What a fake program does, in this order; an image of the fake is this, as JSON. */
export interface FakeScript {
  /** The first argument is the exit code; the others are printed. */
  readonly echoArgs?: boolean
  readonly stdout?: string
  readonly stderr?: string
  /** Prints this variable of the environment on stderr. */
  readonly printEnv?: string
  /** stdin to stdout. */
  readonly cat?: boolean
  /** Writes these files: path to text. */
  readonly write?: Readonly<Record<string, string>>
  /** Copies the file of the first argument to the second; exit code 1 when it is missing. */
  readonly copyArgs?: boolean
  /** Prints `before`, sleeps for the first argument, prints `after`. */
  readonly sleepArgs?: boolean
  readonly sleepMs?: number
  /** Never ends by itself; `flood` prints meanwhile. */
  readonly spin?: boolean
  readonly flood?: boolean
  /** Prints by the byte, on either stream in turn. */
  readonly drip?: boolean
  /** Runs into the memory limit. */
  readonly hog?: boolean
  readonly exit?: number
}

/** The image of a script. */
export function fakeImage(script: FakeScript): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(script))
}

/** The script of an image; `undefined` when the bytes are none. */
export function readScript(image: Uint8Array): FakeScript | undefined {
  try {
    const script: unknown = JSON.parse(new TextDecoder().decode(image))
    return typeof script === 'object' && script !== null ? script : undefined
  } catch {
    // Not JSON: the caller answers image-bad.
    return undefined
  }
}

/** The programs of the conformance suite, as scripts. */
export const FAKE_PROGRAMS: Programs = {
  echo: program('echo', { echoArgs: true, printEnv: 'GREETING' }),
  cat: program('cat', { cat: true }),
  copy: program('copy', { copyArgs: true }),
  spin: program('spin', { spin: true }),
  flood: program('flood', { flood: true }),
  drip: program('drip', { drip: true }),
  hog: program('hog', { hog: true }),
  sleep: program('sleep', { sleepArgs: true }),
}

function program(id: string, script: FakeScript): Program {
  return { image: { id: `fake-${id}`, load: async () => fakeImage(script) }, args: [] }
}
