import { spawn, type ChildProcess } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { Socket } from 'node:net'
import { extname, resolve } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'

const DIALLER = resolve(import.meta.dirname, `namespace-dialler${extname(import.meta.filename)}`)
/** Nothing of this process's environment, which may hold secrets. */
const ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
/** A busy machine may take seconds to start a process, ms. */
const TIMEOUT_MS: number = 20 * second
/** How long the process is kept for a further connection, ms. */
const IDLE_MS: number = 15 * second
/** The number of the message that says that the process is there. */
const READY = 0

/** Connects to ports on the loopback of one other network. Disposal ends what it takes, not the connections. */
export interface NamespaceDialler extends AsyncDisposable {
  /** Throws FORWARD_REFUSED, ATTACH_UNSUPPORTED where the network cannot be entered, CANCELLED. */
  dial(port: number, signal: AbortSignal): Promise<Socket>
}

/**
 * A way to the ports of another network namespace, which `enter` gives as a file of /proc that stays what it is. It is not
 * entered before the first connection, nor at all if it is this process's own or has more than a loopback. Needs root.
 */
export function dialInNamespace(enter: () => Promise<string>): NamespaceDialler {
  let inside: Promise<Dialling> | undefined
  let idle: NodeJS.Timeout | undefined
  const letGo = async () => {
    clearTimeout(idle)
    const last = inside
    inside = undefined
    // one that could not be started has told whoever waited for it
    await last?.then((one) => one.end()).catch(() => undefined)
  }
  return {
    dial: async (port, signal) => {
      clearTimeout(idle)
      inside ??= enter().then((namespace) => Dialling.start(namespace))
      const current = inside
      try {
        const dialling = await current
        if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
        return await dialling.dial(port, signal)
      } catch (error) {
        const isOver = await current.then(({ isGone }) => isGone).catch(() => true)
        if (inside === current && isOver) inside = undefined
        throw error
      } finally {
        clearTimeout(idle)
        idle = setTimeout(() => void letGo(), IDLE_MS).unref()
      }
    },
    [Symbol.asyncDispose]: letGo,
  }
}

/** The process inside, and what is asked of it. */
class Dialling {
  readonly #child: ChildProcess
  readonly #gone: Promise<void>
  readonly #asked = new Map<number, (socket: Socket | undefined) => void>()
  #last = READY
  isGone = false

  static async start(namespace: string): Promise<Dialling> {
    const own = await readlink('/proc/self/ns/net')
    const args = [`--net=${namespace}`, process.execPath, '--no-warnings', DIALLER, own]
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const
    const child = spawn('nsenter', args, { cwd: '/', env: ENV, stdio: [...stdio] })
    const dialling = new Dialling(child)
    const ready = Promise.withResolvers<boolean>()
    dialling.#asked.set(READY, () => ready.resolve(true))
    const patience = setTimeout(() => ready.resolve(false), TIMEOUT_MS)
    const isReady = await Promise.race([ready.promise, dialling.#gone.then(() => false)])
    clearTimeout(patience)
    if (isReady) return dialling
    await dialling.end()
    throw new HiveError('ATTACH_UNSUPPORTED', { reason: 'its network cannot be entered here' })
  }

  constructor(child: ChildProcess) {
    this.#child = child
    this.#gone = new Promise((done) => {
      child.once('error', () => done())
      child.once('exit', () => done())
    })
    void this.#gone.then(() => {
      this.isGone = true
      for (const id of this.#asked.keys()) this.#answer(id, undefined)
    })
    child.on('message', ({ id }: { readonly id: number }, handle) => {
      this.#answer(id, handle instanceof Socket ? handle : undefined)
    })
  }

  async dial(port: number, signal: AbortSignal): Promise<Socket> {
    const id = ++this.#last
    const { promise, resolve: tell } = Promise.withResolvers<Socket | undefined>()
    this.#asked.set(id, tell)
    const stop = () => this.#answer(id, undefined)
    signal.addEventListener('abort', stop, { once: true })
    if (this.isGone) stop()
    else this.#child.send({ id, port }, (error) => error !== null && stop())
    const socket = await promise
    signal.removeEventListener('abort', stop)
    if (signal.aborted) {
      socket?.destroy()
      throw new HiveError('CANCELLED', {}, { cause: signal.reason })
    }
    if (socket === undefined) throw new HiveError('FORWARD_REFUSED', { port })
    socket.allowHalfOpen = true
    return socket
  }

  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  #answer(id: number, socket: Socket | undefined): void {
    const tell = this.#asked.get(id)
    this.#asked.delete(id)
    // nobody waits for it any more
    if (tell === undefined) socket?.destroy()
    else tell(socket)
  }
}
