import { spawn } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { Server } from 'node:net'
import { extname, resolve } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'

const LISTENER = resolve(import.meta.dirname, `namespace-listener${extname(import.meta.filename)}`)
/** Nothing of this process's environment, which may hold secrets. */
const ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
/** A busy machine may take seconds to start a process, ms. */
const TIMEOUT_MS: number = 20 * second

/**
 * A server that listens on the loopback of another network namespace, given as its file in /proc: what connects there is
 * accepted here. It refuses a namespace that is this process's own or has more than a loopback. Needs root.
 * @throws HiveError TASK_START_FAILED
 */
export async function listenInNamespace(namespace: string, signal: AbortSignal): Promise<Server> {
  const own = await readlink('/proc/self/ns/net')
  const args = [`--net=${namespace}`, process.execPath, '--no-warnings', LISTENER, own]
  const child = spawn('nsenter', args, {
    cwd: '/',
    env: ENV,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const stop = () => {
    child.kill('SIGKILL')
  }
  const patience = setTimeout(stop, TIMEOUT_MS)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const gone = new Promise<void>((done) => {
    child.once('error', () => {
      done()
    })
    child.once('exit', () => {
      done()
    })
  })
  const listening = new Promise<Server>((done) => {
    child.once('message', (_message, handle) => {
      if (handle instanceof Server) done(handle)
      if (child.connected) child.disconnect()
    })
  })
  try {
    const server = await Promise.race([listening, gone])
    if (server !== undefined) return server
    throw new HiveError('TASK_START_FAILED', { said: 'no way out could be opened for the task' })
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', stop)
    await gone
  }
}
