import { execFile } from 'node:child_process'
import { constants, open as openFile } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TOOLS_ENV } from './tools.ts'

/** A pipe that a job prints into; disposal ends the reading and keeps the name for the next. */
export interface OutputPipe extends AsyncDisposable {
  /** What the job gets; to be closed here once it has it. */
  readonly writer: FileHandle
  readonly reader: Socket
  /** The name is not for the next: somebody may still print into it when the reading ends. */
  retire(): Promise<void>
}

/**
 * Real pipes for what jobs print. Those that Node gives a child are sockets, which a program cannot open again under
 * the name /dev/stdout; making a named one costs a process, so names are used again.
 */
export class OutputPipes {
  readonly #folder: string
  readonly #free: string[] = []
  #made = 0

  constructor(parts: { readonly folder: string }) {
    this.#folder = parts.folder
  }

  /** Makes `count` more names. */
  async prepare(count: number): Promise<void> {
    const paths = Array.from({ length: count }, () => join(this.#folder, String(++this.#made)))
    // the job is another user than we are, and opens by the name what it has open already
    await promisify(execFile)('mkfifo', ['--mode=622', ...paths], { env: TOOLS_ENV })
    this.#free.push(...paths)
  }

  /** A pipe with nothing in it. */
  async take(): Promise<OutputPipe> {
    if (this.#free.length === 0) await this.prepare(2)
    const path = this.#free.pop() ?? ''
    // NOTE: the reader first and without waiting, else each end waits for the other to be opened
    const fd = await promisify(openFile)(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = await open(path, constants.O_WRONLY)
    const reader = new Socket({ fd, readable: true, writable: false })
    let isRetired = false
    return {
      writer,
      reader,
      retire: async () => {
        isRetired = true
        await rm(path, { force: true })
      },
      [Symbol.asyncDispose]: async () => {
        await writer.close()
        if (!reader.closed) {
          const closed = new Promise((resolve) => reader.once('close', resolve))
          reader.destroy()
          await closed
        }
        if (!isRetired) this.#free.push(path)
      },
    }
  }
}
