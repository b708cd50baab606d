import type { Egress } from '../../node/adapters/egress/egress-gate.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { dockerMissing, leftoversOf, openTestSandbox } from './docker-programs.ts'
import { nativeLeftovers, nativeMissing, openTestNative } from './native-sandboxes.ts'
import { openTestPodman, podmanMissing } from './podman.ts'
import { openWarmSandbox } from './warm-sandbox.ts'

/** One way to run images, if this machine has it. */
export interface ImageSandbox {
  readonly name: string
  /** Whether the job has a kernel of its own. */
  readonly isGvisor: boolean
  /** Why it cannot be tested here, or `false`. */
  readonly missing: () => Promise<string | false>
  readonly open: () => Promise<Sandbox>
  /** What its engine puts into every job's environment, `NAME=value` each. */
  readonly ownWords?: readonly string[]
  /** Attacks by name that cannot be tried on it, and why. */
  readonly untried?: Readonly<Record<string, string>>
  /** One whose tasks may have destinations; left out: such tasks are run as another of these does. */
  readonly openConnected?: ((egress: Egress) => Promise<ConnectedSandbox>) | undefined
}

/** A sandbox, and what is left of it on the machine once it is disposed of. */
export interface ConnectedSandbox {
  readonly sandbox: Sandbox
  readonly leftovers: () => Promise<readonly string[]>
}

/** Every way to run images. */
export const IMAGE_SANDBOXES: readonly ImageSandbox[] = [
  docker('runc'),
  docker('runsc'),
  warmDocker('runc'),
  warmDocker('runsc'),
  native('bubblewrap'),
  native('runsc'),
]

/** Docker's API as Podman answers it: its walls are tried, and not again all that is the same as Docker's. */
export const PODMAN: ImageSandbox = {
  name: 'podman',
  isGvisor: false,
  missing: async () => podmanMissing(),
  ownWords: ['TERM=xterm', 'container=podman'],
  untried: {
    'filling the table of files':
      'skipped: Podman knows no number of files for this folder, which lies in the job’s own memory, and that bounds it',
  },
  open: async () => (await openTestPodman()).sandbox,
}

function docker(runtime: 'runc' | 'runsc'): ImageSandbox {
  return {
    name: `docker ${runtime}`,
    isGvisor: runtime === 'runsc',
    missing: () => dockerMissing(runtime),
    open: async () => (await openTestSandbox(runtime)).sandbox,
    openConnected: async (egress) => {
      const { sandbox, nodeId } = await openTestSandbox(runtime, { egress })
      return { sandbox, leftovers: () => leftoversOf(nodeId) }
    },
  }
}

/** Each task in a container that was made before it came. */
function warmDocker(runtime: 'runc' | 'runsc'): ImageSandbox {
  return {
    ...docker(runtime),
    name: `warm docker ${runtime}`,
    open: async () => (await openWarmSandbox(runtime)).sandbox,
    openConnected: undefined,
  }
}

function native(keeper: 'bubblewrap' | 'runsc'): ImageSandbox {
  return {
    name: `native ${keeper}`,
    isGvisor: keeper === 'runsc',
    missing: () => nativeMissing(keeper),
    open: async () => (await openTestNative(keeper)).sandbox,
    openConnected: async (egress) => {
      const opened = await openTestNative(keeper, {}, egress)
      return { sandbox: opened.sandbox, leftovers: () => nativeLeftovers(opened) }
    },
  }
}
