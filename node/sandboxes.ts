import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openDockerSandbox } from './adapters/docker/docker-sandbox.ts'
import { openNativeSandbox } from './adapters/native/native-sandbox.ts'
import { openWasmSandbox } from './adapters/wasm/wasm-sandbox.ts'
import { NO_EGRESS, type Destination, type EgressPolicy } from './domain/egress.ts'
import type { Config } from './config/config.ts'
import type { LocalGpu } from './domain/gpu-share.ts'
import type { Logger } from './ports/logger.ts'
import type { Sandbox } from './ports/sandbox.ts'

/** What sandboxes are opened with. */
interface SandboxParts {
  readonly config: Config
  readonly dataDir: string
  readonly logger: Logger
  /** The node's own services as they are known so far: out of every job's reach. */
  readonly ownServices: () => readonly Destination[]
  /** GPUs of this machine that jobs may have. */
  readonly gpus: Promise<readonly LocalGpu[]>
}

/** The sandboxes of a node, from the moment their engines start. Disposal ends them, also those still starting. */
export interface OpeningSandboxes extends AsyncDisposable {
  /** One for each configured kind whose engine works here; none on a node that is no provider. */
  ready(): Promise<readonly Sandbox[]>
}

/** Starts the engines of this machine, which take longer than anything else in a node's start. */
export function openSandboxes(parts: SandboxParts, nodeId: string): OpeningSandboxes {
  const { config, logger } = parts
  const { enabled, kinds, wasm, overcommit } = config.provider
  // one for each core that is promised, or tasks that have their room would wait for a thread
  const threads = wasm.processes ?? Math.ceil(availableParallelism() * overcommit.cpu)
  const opening = (enabled ? kinds : []).map(async (kind) => {
    if (kind === 'docker') return openImageSandbox(parts, nodeId)
    return openWasmSandbox({ logger }, { threads })
  })
  // Settled at once, so that a failure waits for who asks.
  const settled = Promise.allSettled(opening)
  return {
    async ready() {
      await settled
      return (await Promise.all(opening)).filter((sandbox) => sandbox !== undefined)
    },
    async [Symbol.asyncDispose]() {
      const opened = (await settled).map((each) =>
        each.status === 'fulfilled' ? each.value : undefined,
      )
      await Promise.all(opened.map(async (sandbox) => sandbox?.[Symbol.asyncDispose]()))
    },
  }
}

/** What jobs may reach from here: what the policy says, or nothing where no sandbox can let them. */
export function usableEgress(config: Config, sandboxes: readonly Sandbox[]): EgressPolicy {
  return sandboxes.some(({ hasEgress }) => hasEgress === true) ? config.provider.network : NO_EGRESS
}

/** What runs images here: an engine, or the machine's own means where the provider's policy wants them. */
async function openImageSandbox(
  { config, dataDir, logger, ownServices, gpus }: SandboxParts,
  nodeId: string,
): Promise<Sandbox | undefined> {
  const { docker, native, network } = config.provider
  const parts = { logger, egress: { policy: network, closed: ownServices } }
  const openDocker = async () => {
    const runtime = docker.runtime === undefined ? {} : { runtime: docker.runtime }
    const connected = network.runtime === undefined ? {} : { egressRuntime: network.runtime }
    const { socketPath, warm: most } = docker
    const workDir = join(dataDir, 'docker')
    const own = { nodeId, socketPath, workDir, warm: { most }, gpus: await gpus }
    return await openDockerSandbox(parts, { ...own, ...runtime, ...connected })
  }
  const openNative = () => {
    const keeper = native.keeper === undefined ? {} : { keeper: native.keeper }
    const own = { nodeId: `${nodeId} native`, workDir: join(dataDir, 'native') }
    return openNativeSandbox(parts, { ...own, ...keeper })
  }
  if (native.use === 'never') return await openDocker()
  return native.use === 'always'
    ? ((await openNative()) ?? (await openDocker()))
    : ((await openDocker()) ?? (await openNative()))
}
