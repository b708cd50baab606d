import { MiB } from '../../domain/units.ts'
import { HOST_NAME, JOB_UID } from '../confinement/job-bounds.ts'
import type { Image } from '../image/image-archive.ts'
import { network } from './container-settings.ts'
import { unlessGone, type Engine } from './engine.ts'
import { createHelperContainer } from './helper-container.ts'
import { PAUSE_PATH } from './helper-image.ts'
import { startStep } from './start-step.ts'

/** What holding a network needs of its surroundings. */
export interface NetworkParts {
  readonly engine: Engine
  readonly helper: Image
  /** One whose process is in the network of its container, which gVisor's is not. */
  readonly holderRuntime: string
  readonly labels: Readonly<Record<string, string>>
}

/** A network with nothing but a loopback, there before its task and until disposal. */
export interface HeldNetwork extends AsyncDisposable {
  /** The container that others may share it with. */
  readonly container: string
  /** The network itself, as a file. */
  readonly namespace: string
}

/** Enough for a program of 130 bytes, and for the runtime that starts it. */
const HOLDER_LIMITS = { Memory: 16 * MiB, MemorySwap: 16 * MiB, PidsLimit: 64 }

/**
 * Starts a container that only sleeps and shares its network with whoever is told its id: with one task.
 * @throws HiveError TASK_START_FAILED; the engine's own error when it is gone
 */
export async function holdNetwork(parts: NetworkParts): Promise<HeldNetwork> {
  const { engine, helper, holderRuntime, labels } = parts
  await using made = new AsyncDisposableStack()
  const creating = createHelperContainer(engine, helper, {
    labels,
    program: PAUSE_PATH,
    hostname: HOST_NAME,
    host: {
      ...network(),
      ...HOLDER_LIMITS,
      Runtime: holderRuntime,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      IpcMode: 'none',
    },
    user: `${JOB_UID}:${JOB_UID}`,
  })
  const holder = await startStep(creating)
  made.defer(() => unlessGone(holder.remove({ force: true })))
  await startStep(holder.start())
  const { State: state } = await startStep(holder.inspect())
  const owned = made.move()
  return {
    container: holder.id,
    namespace: `/proc/${state.Pid}/ns/net`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
