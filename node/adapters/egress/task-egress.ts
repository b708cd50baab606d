import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { EgressGate, type Egress } from './egress-gate.ts'
import { FilteringProxy } from './filtering-proxy.ts'
import { listenInNamespace } from './listen-in-namespace.ts'
import { proxyEnvironment } from './proxy-environment.ts'

/** One task's way out. Disposal closes it. */
export interface TaskEgress extends AsyncDisposable {
  /** The result with what went through counted, and what was refused told. */
  settle(result: SandboxResult): SandboxResult
}

/**
 * Opens a task's way out in `namespace`, a file of /proc, which must be the task's own and have nothing but a loopback.
 * Throws TASK_START_FAILED.
 */
export type OpenEgress = (
  namespace: string,
  task: Pick<SandboxTask, 'egress'>,
  signal: AbortSignal,
) => Promise<TaskEgress>

/** How long a trial keeps who connects waiting, ms: for longer than it takes to begin to wait. */
const TRIAL_DELAY_MS = 200

/** Whether the task asks for any destination. */
export function wantsEgress(task: SandboxTask): boolean {
  return task.egress !== undefined && task.egress.length > 0
}

/** The task with the variables that lead its programs to the proxy; its own word wins. */
export function withProxyEnvironment(task: SandboxTask): SandboxTask {
  return { ...task, env: { ...proxyEnvironment(task.egress ?? []), ...task.env } }
}

/** A filtering proxy for each task. */
export function proxyEgress(egress: Egress): OpenEgress {
  return async (namespace, task, signal) => {
    const server = await listenInNamespace(namespace, signal)
    const gate = new EgressGate(egress, task.egress ?? [])
    const proxy = new FilteringProxy({ server, gate })
    return {
      settle: (result) => {
        const { bytesIn, bytesOut } = proxy.traffic
        const { usage } = result
        return {
          ...result,
          detail: [result.detail, proxy.notes.text].filter((part) => part !== '').join('; '),
          usage: {
            ...usage,
            bytesIn: usage.bytesIn + bytesIn,
            bytesOut: usage.bytesOut + bytesOut,
          },
        }
      },
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    }
  }
}

/**
 * For trying whether programs in a sandbox reach what listens for them at all: a byte for whoever connects, after a
 * while, because some builds of gVisor fail a read that has to wait.
 */
export const trialEgress: OpenEgress = async (namespace, _task, signal) => {
  const server = await listenInNamespace(namespace, signal)
  server.on('connection', (socket) => {
    const timer = setTimeout(() => socket.end('.'), TRIAL_DELAY_MS)
    socket
      .on('error', () => undefined)
      .once('close', () => {
        clearTimeout(timer)
      })
  })
  return {
    settle: (result) => result,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
      }),
  }
}
