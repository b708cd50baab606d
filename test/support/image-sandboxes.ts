import type { Sandbox } from '../../node/ports/sandbox.ts'
import { dockerMissing, openTestSandbox } from './docker-programs.ts'
import { nativeMissing, openTestNative } from './native-sandboxes.ts'
import { openWarmSandbox } from './warm-sandbox.ts'

/** One way to run images, if this machine has it. */
export interface ImageSandbox {
  readonly name: string
  /** Whether the job has a kernel of its own. */
  readonly isGvisor: boolean
  /** Why it cannot be tested here, or `false`. */
  readonly missing: () => Promise<string | false>
  readonly open: () => Promise<Sandbox>
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

function docker(runtime: 'runc' | 'runsc'): ImageSandbox {
  return {
    name: `docker ${runtime}`,
    isGvisor: runtime === 'runsc',
    missing: () => dockerMissing(runtime),
    open: async () => (await openTestSandbox(runtime)).sandbox,
  }
}

/** Each task in a container that was made before it came. */
function warmDocker(runtime: 'runc' | 'runsc'): ImageSandbox {
  return {
    ...docker(runtime),
    name: `warm docker ${runtime}`,
    open: async () => (await openWarmSandbox(runtime)).sandbox,
  }
}

function native(keeper: 'bubblewrap' | 'runsc'): ImageSandbox {
  return {
    name: `native ${keeper}`,
    isGvisor: keeper === 'runsc',
    missing: () => nativeMissing(keeper),
    open: async () => (await openTestNative(keeper)).sandbox,
  }
}
