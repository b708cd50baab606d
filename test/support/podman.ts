import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { quietLogger } from './quiet-logger.ts'

/** Podman's service on a socket and with storage of its own. */
export interface Podman extends AsyncDisposable {
  readonly socketPath: string
  /** Where it keeps all that it has, on a disk or not. */
  readonly folder: string
  /** A connection of the tests' own. */
  readonly engine: Docker
  /** Containers and volumes that carry this node's label. */
  readonly leftoversOf: (nodeId: string) => Promise<readonly string[]>
}

/** A sandbox on a service of its own, which ends with it. */
export interface PodmanSandbox {
  readonly sandbox: Sandbox
  readonly nodeId: string
  readonly podman: Podman
}

/** Limits that this process may set, and the runtime that works with either version of control groups. */
const CONFIG = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
`
const PATIENCE_MS = 20_000

/** Why Podman cannot be tried on this machine, or `false`. */
export function podmanMissing(): string | false {
  for (const program of ['podman', 'runc']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' })
    } catch {
      return `skipped: ${program} is not installed`
    }
  }
  if (process.getuid?.() !== 0) return 'skipped: Podman’s limits need root here'
  return existsSync('/bin/busybox') ? false : 'skipped: /bin/busybox (busybox-static) is missing'
}

/** Starts the service; rejects when it does not answer in time. */
export async function startPodman(): Promise<Podman> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-podman-'))
  const config = join(dir, 'containers.conf')
  const socketPath = join(dir, 'podman.sock')
  await writeFile(config, CONFIG)
  const storage = ['--root', join(dir, 'root'), '--runroot', join(dir, 'run')]
  // in a namespace of its own: its storage mounts itself, and whoever of it ends last takes the mounts along
  const child = spawn(
    'unshare',
    ['--mount', 'podman', ...storage, 'system', 'service', '--time=0', `unix://${socketPath}`],
    // oxlint-disable-next-line node/no-process-env -- it finds its programs where the tests do
    { cwd: dir, stdio: 'ignore', env: { ...process.env, CONTAINERS_CONF: config } },
  )
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    // its cleaners may still be at it
    await rm(dir, { recursive: true, force: true, maxRetries: 10 })
  }
  try {
    await answering(socketPath, AbortSignal.timeout(PATIENCE_MS))
  } catch (error) {
    await stop()
    throw error
  }
  const engine = new Docker({ socketPath })
  return {
    socketPath,
    folder: dir,
    engine,
    leftoversOf: async (nodeId) => {
      const filters = { label: [`${LABELS.node}=${nodeId}`] }
      const containers = await engine.listContainers({ all: true, filters })
      const { Volumes: volumes } = await engine.listVolumes({ filters })
      return [...containers.map((one) => one.Id), ...(volumes ?? []).map((one) => one.Name)]
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Starts a service and opens a sandbox on it. */
export async function openTestPodman(): Promise<PodmanSandbox> {
  const podman = await startPodman()
  const nodeId = `podman-${process.pid}`
  const { socketPath } = podman
  const sandbox = await openDockerSandbox({ logger: quietLogger() }, { nodeId, socketPath })
  if (sandbox === undefined) {
    await podman[Symbol.asyncDispose]()
    throw new Error('podman runs no container')
  }
  const close = sandbox[Symbol.asyncDispose].bind(sandbox)
  Object.assign(sandbox, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await podman[Symbol.asyncDispose]()
    },
  })
  return { sandbox, nodeId, podman }
}

/** Resolves when somebody listens at the socket: the one sign that a service gives of being there. */
async function answering(path: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const socket = connect({ path })
    try {
      await once(socket, 'connect')
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    } finally {
      socket.destroy()
    }
  }
}
