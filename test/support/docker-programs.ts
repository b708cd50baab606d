import { existsSync } from 'node:fs'
import Docker from 'dockerode'
import { buildBusyboxImage } from '../../scripts/images/busybox.ts'
import {
  openDockerSandbox,
  type DockerSandboxOptions,
} from '../../node/adapters/docker/docker-sandbox.ts'
import type { Egress } from '../../node/adapters/egress/egress-gate.ts'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'
import type { Sandbox, SandboxImage } from '../../node/ports/sandbox.ts'
import type { Program, Programs } from '../conformance/sandbox.ts'
import { quietLogger } from './quiet-logger.ts'

/** Where tests look for an engine. */
export const SOCKET_PATH = '/var/run/docker.sock'
/** The engine, for looking at what a test left behind. */
export const engine: Docker = new Docker({ socketPath: SOCKET_PATH })

/** Why the Docker tests cannot run here, or `false`; with `runtime`, whether the engine lists it. */
export async function dockerMissing(runtime?: string): Promise<string | false> {
  try {
    const info = (await engine.info()) as { readonly Runtimes?: Readonly<Record<string, unknown>> }
    if (runtime !== undefined && !Object.hasOwn(info.Runtimes ?? {}, runtime)) {
      return `skipped: the Docker engine at ${SOCKET_PATH} has no runtime ${runtime}`
    }
  } catch {
    return `skipped: no Docker engine answers at ${SOCKET_PATH}`
  }
  return existsSync('/bin/busybox') ? false : 'skipped: /bin/busybox (busybox-static) is missing'
}

let opened = 0

/** A sandbox under a node id of its own. */
export async function openTestSandbox(
  runtime: string,
  more: Partial<DockerSandboxOptions> & { readonly egress?: Egress } = {},
): Promise<{ readonly sandbox: Sandbox; readonly nodeId: string }> {
  const nodeId = `test-${process.pid}-${++opened}`
  const { egress, ...options } = more
  const sandbox = await openDockerSandbox(
    { logger: quietLogger(), ...(egress && { egress }) },
    { nodeId, socketPath: SOCKET_PATH, runtime, ...options },
  )
  if (sandbox === undefined) throw new Error(`the engine does not run ${runtime} containers`)
  return { sandbox, nodeId: more.nodeId ?? nodeId }
}

/** The busybox image as content; `load` builds it anew. */
export const busybox = {
  id: 'test-busybox',
  load: buildBusyboxImage,
} as const satisfies SandboxImage

/** A shell command as a program; the suite's arguments become `$1` and on. */
export function shell(command: string): Program {
  return { image: busybox, args: ['sh', '-c', command, 'sh'] }
}

/** What the conformance suite runs, in busybox. */
export const PROGRAMS: Programs = {
  echo: shell('code=$1; shift; echo "$*"; echo "$GREETING" >&2; exit $code'),
  cat: shell('exec cat'),
  copy: shell('exec cp "$1" "$2"'),
  spin: shell('while :; do :; done'),
  flood: shell('exec yes flood'),
  drip: shell('while :; do printf o; printf e >&2; done'),
  hog: shell('exec tail /dev/zero'),
  sleep: shell('echo before; usleep $(( $1 * 1000 )); echo after'),
}

/** Containers and volumes that carry this node's label. */
export async function leftoversOf(nodeId: string): Promise<readonly string[]> {
  const filters = { label: [`${LABELS.node}=${nodeId}`] }
  const containers = await engine.listContainers({ all: true, filters })
  const { Volumes: volumes } = await engine.listVolumes({ filters })
  return [...containers.map((one) => one.Id), ...(volumes ?? []).map((one) => one.Name)]
}
