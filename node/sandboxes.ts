import { openDockerSandbox } from './adapters/docker/docker-sandbox.ts'
import { openWasmSandbox } from './adapters/wasm/wasm-sandbox.ts'
import type { Config } from './config/config.ts'
import type { Logger } from './ports/logger.ts'
import type { Sandbox } from './ports/sandbox.ts'

/** The sandboxes of a node, from the moment their engines start. Disposal ends them, also those still starting. */
export interface OpeningSandboxes extends AsyncDisposable {
  /** One for each configured kind whose engine works here; none on a node that is no provider. */
  ready(): Promise<readonly Sandbox[]>
}

/** Starts the engines of this machine, which take longer than anything else in a node's start. */
export function openSandboxes(
  { provider }: Config,
  nodeId: string,
  logger: Logger,
): OpeningSandboxes {
  const { enabled, kinds, docker, wasm } = provider
  const opening = (enabled ? kinds : []).map(async (kind) => {
    if (kind === 'docker') {
      const runtime = docker.runtime === undefined ? {} : { runtime: docker.runtime }
      return openDockerSandbox({ logger }, { nodeId, socketPath: docker.socketPath, ...runtime })
    }
    return openWasmSandbox(
      { logger },
      wasm.processes === undefined ? {} : { threads: wasm.processes },
    )
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
