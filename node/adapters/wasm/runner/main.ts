// The runner: a process of its own that compiles strangers' modules and runs them in threads.
// It has no files, no network and no secrets, and says how tasks ended over its IPC channel.
import { setFlagsFromString } from 'node:v8'
import { codeOf, HiveError } from '../../../domain/errors.ts'
import { invalidModule } from '../module/byte-reader.ts'
import type { FromRunner, ModuleForm, ToRunner } from './messages.ts'
import { packOutput } from './packed-output.ts'
import { Pool } from './pool.ts'
import { Preparation } from './preparation.ts'

/**
 * V8's baseline compiler has no on-stack replacement: a program that is one long loop would stay in
 * its code, ten times slower. So guests are compiled by the optimiser, each function at its first
 * call. Set only now, because Node's own type stripping is WebAssembly that starts faster without.
 */
const COMPILER = '--no-liftoff'

/** How long a module may take to be validated, ms; the largest takes some 6 s. */
const COMPILE_TIMEOUT_MS = 60_000

const modules = new Map<string, { module: WebAssembly.Module; form: ModuleForm }>()
const preparation = new Preparation()
const pool = new Pool(Number(process.argv[2] ?? 1), {
  onReady: () => {
    setFlagsFromString(COMPILER)
    tell({ type: 'ready' })
  },
  // The node starts another runner; this one's tasks are lost, and it says so.
  onBroken: () => {
    process.kill(process.pid, 'SIGKILL')
  },
})

/** `sent` is called once the channel has taken the message, which a node that is busy makes it wait with. */
function tell(message: FromRunner, sent: () => void = () => {}): void {
  // A channel that closes meanwhile is heard by `disconnect`.
  process.send?.(message, undefined, undefined, sent)
}

async function admit(key: string, bytes: Uint8Array, form: ModuleForm): Promise<void> {
  try {
    modules.set(key, { module: await compile(await preparation.of(bytes, form)), form })
    tell({ type: 'admitted', key })
  } catch (error) {
    const why = error instanceof HiveError ? error.data['why'] : undefined
    tell({ type: 'refused', key, why: String(why ?? codeOf(error)) })
  }
}

// Functions are compiled when they are first called, in the task's own time and thread; here they are only validated,
// which cannot be interrupted and takes no longer than the module is large.
async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  const tooLong = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    tooLong.reject(invalidModule(`it takes more than ${COMPILE_TIMEOUT_MS / 1000} s to compile`))
  }, COMPILE_TIMEOUT_MS)
  try {
    return await Promise.race([WebAssembly.compile(bytes), tooLong.promise])
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    throw invalidModule(cause instanceof Error ? cause.message : 'it does not compile', cause)
  } finally {
    clearTimeout(timer)
  }
}

function run({ id, key, task }: Extract<ToRunner, { type: 'run' }>): void {
  const held = modules.get(key)
  if (held === undefined) throw new HiveError('INTERNAL', { key })
  pool.run({
    id,
    message: { ...held, task },
    onOutput: (chunks, taken) => {
      tell({ type: 'output', id, packed: packOutput(chunks) }, taken)
    },
    onEnd: (result) => {
      tell({ type: 'ended', id, result })
    },
  })
}

async function usage(id: number): Promise<void> {
  const use = await pool.usage(id)
  tell({ type: 'used', id, ...(use !== undefined && { use }) })
}

process.on('message', (message: ToRunner) => {
  switch (message.type) {
    case 'admit':
      void admit(message.key, message.bytes, message.form)
      return
    case 'drop':
      modules.delete(message.key)
      return
    case 'run':
      run(message)
      return
    case 'cancel':
      void pool.cancel(message.id)
      return
    case 'usage':
      void usage(message.id)
  }
})
process.once('disconnect', close)
// The node may have given up before we listened.
if (!process.connected) close()

function close(): void {
  void pool.close()
  void preparation.close()
}
