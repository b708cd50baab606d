import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

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
