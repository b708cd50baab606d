import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'

/** Podman's service on a socket and with storage of its own. */
export interface Podman extends AsyncDisposable {
  readonly socketPath: string
  /** Containers and volumes that carry this node's label. */
  readonly leftoversOf: (nodeId: string) => Promise<readonly string[]>
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
  const child = spawn(
    'podman',
    [...storage, 'system', 'service', '--time=0', `unix://${socketPath}`],
    // oxlint-disable-next-line node/no-process-env -- it finds its programs where the tests do
    { stdio: 'ignore', env: { ...process.env, CONTAINERS_CONF: config } },
  )
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    // its storage mounts itself, and stays so
    execFileSync('sh', ['-c', 'umount -l "$1"/root/overlay 2>/dev/null || true', 'sh', dir])
    await rm(dir, { recursive: true, force: true })
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
    leftoversOf: async (nodeId) => {
      const filters = { label: [`${LABELS.node}=${nodeId}`] }
      const containers = await engine.listContainers({ all: true, filters })
      const { Volumes: volumes } = await engine.listVolumes({ filters })
      return [...containers.map((one) => one.Id), ...(volumes ?? []).map((one) => one.Name)]
    },
    [Symbol.asyncDispose]: stop,
  }
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
