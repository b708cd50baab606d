import type { Logger } from '../../ports/logger.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { startFailure } from '../confinement/start-failure.ts'
import { unstarted } from '../confinement/task-result.ts'
import type { Egress } from '../egress/egress-gate.ts'
import {
  proxyEgress,
  trialEgress,
  withProxyEnvironment,
  type OpenEgress,
} from '../egress/task-egress.ts'
import { LABELS, network } from './container-settings.ts'
import type { EngineDescription } from './engine-description.ts'
import { engineGone } from './engine.ts'
import { holdNetwork, type NetworkParts } from './held-network.ts'
import { REACH_PATH } from './helper-image.ts'
import { runtimeFault } from './runtime-probe.ts'
import type { TaskEngine } from './task-engine.ts'
import { runTask, type WarmEngine } from './task-run.ts'

/** How tasks of one sandbox reach what they may. */
export interface DockerEgress {
  readonly open: OpenEgress
  /** What such tasks run under. */
  readonly runtime: string
  /** What holds their networks. */
  readonly holderRuntime: string
}

/** The runtime whose containers' processes are in their own networks; gVisor is not it. */
const HOLDER_RUNTIMES = ['runc', 'crun']

/**
 * Tries whether a container of `runtime` reaches a proxy that listens in a network held for it: under gVisor without a
 * network stack it does not, nor where this process cannot enter networks. `undefined`, with the reason in the log, then.
 */
export async function openDockerEgress(
  on: Pick<TaskEngine, 'engine' | 'helper' | 'nodeId'>,
  parts: { readonly logger: Logger; readonly egress: Egress },
  info: Pick<EngineDescription, 'runtimes' | 'defaultRuntime'>,
  runtime: string,
): Promise<DockerEgress | undefined> {
  const { logger, egress } = parts
  if (egress.policy.allow.length === 0) return undefined
  const holderRuntime =
    HOLDER_RUNTIMES.find((name) => info.runtimes.includes(name)) ?? info.defaultRuntime
  const fault = await reachFault({ ...on, holderRuntime }, runtime)
  if (fault === undefined) return { open: proxyEgress(egress), runtime, holderRuntime }
  logger.warn('docker jobs cannot be given destinations', { runtime, fault })
  return undefined
}

/** Runs a task beside a proxy in a network of its own. */
export async function runConnected(
  on: WarmEngine,
  way: DockerEgress | undefined,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  if (way === undefined) return unstarted(task, 'start-failed', 'no destination can be reached')
  if (progress.signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  try {
    const { runtime, holderRuntime } = way
    const labels = { [LABELS.node]: on.nodeId }
    await using held = await holdNetwork({ ...on, holderRuntime, labels })
    await using open = await way.open(held.namespace, task, progress.signal)
    const joined = { ...on, runtime, networkOf: held.container }
    return open.settle(await runTask(joined, withProxyEnvironment(task), progress))
  } catch (error) {
    if (progress.signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
    const failure = startFailure(task, error)
    if (failure === undefined) throw engineGone(error)
    return failure
  }
}

async function reachFault(
  on: Pick<TaskEngine, 'engine' | 'helper' | 'nodeId'> & Pick<NetworkParts, 'holderRuntime'>,
  runtime: string,
): Promise<string | undefined> {
  const labels = { [LABELS.node]: on.nodeId }
  try {
    await using held = await holdNetwork({ ...on, labels })
    const never = new AbortController().signal
    await using _open = await trialEgress(held.namespace, {}, never)
    const host = network(held.container)
    return await runtimeFault(on.engine, runtime, on.helper, on.nodeId, host, REACH_PATH)
  } catch (error) {
    return String(error)
  }
}
