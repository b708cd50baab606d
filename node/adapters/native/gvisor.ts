import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { wantsEgress } from '../egress/task-egress.ts'
import { HOST_NAME, JOB_UID, OPEN_FILES, PIDS_GVISOR } from '../confinement/job-bounds.ts'
import type { ImageConfig } from '../image/image-config.ts'
import type { Keeper } from './keeper.ts'
import { environment, programLine } from '../confinement/program-line.ts'
import { STAGE, STAGE_ROOT, type Workspace } from './task-workspace.ts'

/** Where the runtime writes what went wrong, out of the job's reach. */
const LOG = `${STAGE}/runsc.log`
/** The platform that needs neither hardware nor a recent build. */
const FLAGS = ['--platform=ptrace', '--ignore-cgroups']
/** No network stack at all. */
const NO_NETWORK = '--network=none'
/** The kernel's own stack, in the network that the stage has made for this task: its loopback and nothing else. */
const STAGE_NETWORK = '--network=host'
/** The bundle, on the stage: the task's variables are in it, and they may be secret. */
const BUNDLE = `${STAGE}/bundle`
/** Takes the bundle's one file, then closes the descriptors that are not the runtime's: it would hand them on. */
const BEGIN = `mkdir ${BUNDLE} && cat <&5 >${BUNDLE}/config.json && exec "$@" 4>&- 5>&- 6>&-`
/** Longest part of the runtime's log that is looked at, characters. */
const MAX_LOG_CHARS = 8192

/** A kernel of its own for each job, through gVisor's runsc on an OCI bundle: no engine takes part. */
export function gvisorKeeper(): Keeper {
  return {
    isolation: 'native runsc',
    pids: PIDS_GVISOR,
    // it holds every file open that the job has ever seen, and limits the job itself
    openFiles: undefined,
    filterPath: undefined,
    prepare: async (task, image, space) => {
      const config = JSON.stringify(ociConfig(task, image, space))
      const records = [`--root=${STAGE}/runsc`, `--log=${LOG}`, '--log-format=json']
      const command = [
        ['sh', '-c', BEGIN, 'begin'],
        ['setpriv', '--pdeathsig', 'KILL', 'runsc', ...records, ...FLAGS],
        [wantsEgress(task) ? STAGE_NETWORK : NO_NETWORK],
        ['run', '--bundle', BUNDLE, basename(space.folder)],
      ].flat()
      return { command, secret: Buffer.from(config) }
    },
    judge: async ({ status }, stage) => {
      if (status === undefined) return { fault: 'the sandbox could not be set up' }
      const fault = faultIn(await readText(stage.reach(LOG)))
      return fault === undefined ? { status } : { fault }
    },
  }
}

function ociConfig(task: SandboxTask, image: ImageConfig, space: Workspace): unknown {
  const hard = ['noexec', 'nosuid', 'nodev']
  return {
    ociVersion: '1.0.2',
    hostname: HOST_NAME,
    root: { path: STAGE_ROOT, readonly: true },
    process: {
      terminal: false,
      user: { uid: JOB_UID, gid: JOB_UID },
      args: programLine(task, image),
      env: Object.entries(environment(task, image)).map(([name, value]) => `${name}=${value}`),
      cwd: space.workingDir,
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      rlimits: [
        { type: 'RLIMIT_NOFILE', hard: OPEN_FILES, soft: OPEN_FILES },
        { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
      ],
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      // writable to its owner, root, only: read-only, gVisor would not even open the devices in it for writing
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      ...space.bindings.map(({ source, target, isWritable }) => ({
        destination: target,
        type: 'bind',
        source,
        options: [isWritable ? 'rw' : 'ro', ...hard],
      })),
    ],
    linux: {
      namespaces: ['pid', ...(wantsEgress(task) ? [] : ['network']), 'ipc', 'uts', 'mount'].map(
        (type) => ({ type }),
      ),
    },
  }
}

/** Why the runtime did not start the program, if it says so; its paths on this machine are left out. */
function faultIn(log: string): string | undefined {
  const said = /"msg":"running container: ([^"]*)"/.exec(log)?.[1]
  if (said === undefined) return undefined
  return (
    /(?:creating process|starting container): (failed to load .*)$/.exec(said)?.[1] ??
    'the sandbox could not be set up'
  )
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, MAX_LOG_CHARS)
  } catch {
    return '' // it had nothing to say
  }
}
