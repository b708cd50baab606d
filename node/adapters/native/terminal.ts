import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, open as openFile } from 'node:fs'
import { ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import type { TerminalSize } from '../../ports/attach.ts'
import { TOOLS_ENV } from './tools.ts'

/** This machine's side of a terminal. Disposal takes it away from its program. */
export interface Terminal extends Disposable {
  readonly fd: number
  /** What its program prints and is given. */
  readonly stream: ReadStream
  resize(size: TerminalSize): Promise<void>
}

/** A new terminal; its program's side is still locked. */
export async function openTerminal(): Promise<Terminal> {
  const fd = await promisify(openFile)('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  const stream = new ReadStream(fd)
  return {
    fd,
    stream,
    resize: async ({ columns, rows }) => {
      if (stream.destroyed) return
      const words = ['cols', String(columns), 'rows', String(rows)]
      const tool = spawn('stty', words, { env: TOOLS_ENV, stdio: [fd, 'ignore', 'ignore'] })
      // one that cannot be started leaves the size as it is
      await once(tool, 'close').catch(() => undefined)
    },
    [Symbol.dispose]: () => {
      stream.destroy()
    },
  }
}
