import { createProgram } from '../../node/cli/program.ts'
import type { CliParts, Output } from '../../node/cli/parts.ts'
import { HiveError } from '../../node/domain/errors.ts'

/** What a program wrote. */
export class CapturedOutput implements Output {
  readonly isTTY: boolean
  readonly columns = 80
  readonly #chunks: Buffer[] = []
  #waiting: { readonly needle: string; readonly found: () => void }[] = []

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.bytes.toString()
  }

  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    this.#chunks.push(Buffer.from(chunk))
    for (const { needle, found } of this.#waiting) if (this.text.includes(needle)) found()
    this.#waiting = this.#waiting.filter(({ needle }) => !this.text.includes(needle))
    done()
    return true
  }

  /** Resolves once `needle` has been written. */
  async wrote(needle: string): Promise<void> {
    if (this.text.includes(needle)) return
    await new Promise<void>((found) => this.#waiting.push({ needle, found }))
  }
}

/** A command line of a test: its parts, what it wrote, and Ctrl-C. */
export interface TestCli {
  readonly stdout: CapturedOutput
  readonly stderr: CapturedOutput
  interrupt(): void
  /** Runs one line and resolves with its exit code. */
  run(...args: string[]): Promise<number>
}

/** A command line whose every outside part is missing unless given. */
export function testCli(
  given: Partial<CliParts> & { readonly dataDir?: string; readonly isTTY?: boolean } = {},
): TestCli {
  const { dataDir = '/no/such/folder', isTTY = false, ...parts } = given
  const stdout = new CapturedOutput(isTTY)
  const stderr = new CapturedOutput(isTTY)
  const listeners = new Set<() => void>()
  const absent = async (): Promise<never> => {
    throw new HiveError('INTERNAL', { at: 'a part that this test did not give' })
  }
  const program = createProgram({
    stdout,
    stderr,
    stdin: (async function* () {})(),
    env: { overrides: {}, dataDir, noColor: false },
    cwd: '/',
    fetch: globalThis.fetch,
    now: () => 0,
    version: '1.2.3',
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    passphraseSetting: async () => undefined,
    secretVariable: () => undefined,
    readPassphrase: async () => undefined,
    initNode: absent,
    upNode: absent,
    openEscrow: absent,
    readImage: absent,
    devnet: absent,
    ...parts,
  })
  return {
    stdout,
    stderr,
    interrupt() {
      for (const listener of listeners) listener()
    },
    run: async (...args) => program.run(args),
  }
}
