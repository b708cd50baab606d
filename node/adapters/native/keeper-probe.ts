import { MiB, second } from '../../domain/units.ts'
import { composeImage, imageArchive } from '../image/image-archive.ts'
import { connectProgram } from '../image/call-chain.ts'
import { trialEgress } from '../egress/task-egress.ts'
import { PROXY_PORT } from '../egress/proxy-environment.ts'
import { exitProgram, type Architecture } from '../image/tiny-program.ts'
import { runTask, type NativeMachine } from './task-run.ts'

/** An exit code that nothing else produces by accident. */
const PROBE_STATUS = 42
/** How long a trial may take, ms; a broken keeper may hang at full speed for ever. */
const PROBE_TIMEOUT_MS: number = 15 * second

/** Tries a keeper with a program that only exits, as a whole task. Why it does not work, or `undefined`. */
export async function keeperFault(
  machine: NativeMachine,
  architecture: Architecture,
): Promise<string | undefined> {
  return await fault(machine, architecture, exitProgram(architecture, PROBE_STATUS), [])
}

/** Likewise, whether a task that may reach something finds its proxy. */
export async function reachFault(
  machine: NativeMachine,
  architecture: Architecture,
): Promise<string | undefined> {
  const program = connectProgram(architecture, PROXY_PORT, PROBE_STATUS)
  return await fault({ ...machine, openEgress: trialEgress }, architecture, program, [
    'localhost:1',
  ])
}

async function fault(
  machine: NativeMachine,
  architecture: Architecture,
  program: Uint8Array,
  egress: readonly string[],
): Promise<string | undefined> {
  const image = composeImage({
    architecture,
    cmd: ['/probe'],
    members: [{ path: 'probe', bytes: program, mode: 0o755 }],
  })
  const none = { args: [], env: {}, stdin: new Uint8Array(), files: [], outputs: '/out', egress }
  const limits = {
    cpuMillis: 1000,
    memoryBytes: 128 * MiB,
    diskBytes: 1 * MiB,
    wallMs: PROBE_TIMEOUT_MS,
    outputBytes: 1 * MiB,
  }
  const load = async () => Buffer.concat([...imageArchive(image)])
  const task = { ...none, id: 'probe', image: { id: image.id, load }, limits }
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS)
    const result = await runTask(machine, task, { signal, onStarted: () => undefined })
    if (result.reason === 'exit' && result.exitCode === PROBE_STATUS) return undefined
    return `a trial ended with ${result.reason} ${result.exitCode} ${result.detail}`.trim()
  } catch (error) {
    return String(error)
  }
}
