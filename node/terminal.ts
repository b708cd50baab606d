import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Terminal } from './cli/parts.ts'

/** Asks for a secret on the terminal without showing it; `undefined` when there is no terminal. */
export async function askSecret(prompt: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  process.stderr.write(prompt)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    lines.once('line', resolve)
    lines.once('close', () => resolve(undefined))
    lines.once('SIGINT', () => lines.close())
    return await promise
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Calls back at every Ctrl-C and every request to end; returns how to stop listening. */
export function onInterrupt(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/** This process's terminal, where both its input and its output are one. */
export function ownTerminal(name = 'xterm'): Terminal | undefined {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  return {
    name,
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    setRaw: (isRaw) => void stdin.setRawMode(isRaw),
    onResize: (listener) => {
      stdout.on('resize', listener)
      return () => stdout.off('resize', listener)
    },
  }
}
