import { dirname, extname, resolve } from 'node:path'
import { findPackageJSON } from 'node:module'
import { JOB_UID } from '../confinement/job-bounds.ts'
import { seccompProgram } from '../confinement/seccomp-program.ts'
import { ARCHITECTURES, imageArchitecture } from '../image/tiny-program.ts'
import { RUNNER_CALLS } from './runner-calls.ts'

/** How strong the walls around the runner are. */
export const ISOLATIONS = ['bubblewrap', 'node permission model'] as const
export type Isolation = (typeof ISOLATIONS)[number]

/** A command line that starts a runner. */
export interface RunnerCommand {
  readonly isolation: Isolation
  readonly command: string
  readonly args: readonly string[]
  /** What bubblewrap reads from descriptor {@link FILTER_FD}: the system call filter; `undefined` for none. */
  readonly filter?: Uint8Array
}

/** The descriptor Node gives to a child's IPC channel: the first after stdio. */
const CHANNEL_FD = '3'
/** The descriptor of the filter, the next one. */
const FILTER_FD = '4'
/** Makes root nobody before bubblewrap starts, so that what got out of its namespaces would still be nobody. */
const AS_NOBODY = `setpriv --reuid ${JOB_UID} --regid ${JOB_UID} --clear-groups`.split(' ')
/** Where the sources are inside bubblewrap. */
const APP = '/app'

const here = import.meta.dirname
const tree = resolve(here, '../..')
const main = `runner/main${extname(import.meta.filename)}`

/** The permission model warns about the threads that the runner is made of. */
const NODE_FLAGS = ['--disallow-code-generation-from-strings', '--no-addons', '--no-warnings']
/** The runner's own heap is small and short-lived; guests have theirs outside of it. */
const LEAN_FLAGS = ['--max-semi-space-size=1']

/**
 * The commands for `isolation`, best first; whether one works here shows when it is started. As another user bubblewrap
 * needs sources that everybody may read, and a kernel that lets everybody make namespaces.
 */
export function runnerCommands(isolation: Isolation, threads: number): readonly RunnerCommand[] {
  if (isolation === 'bubblewrap') {
    const plain = bubblewrapped(threads)
    if (process.getuid?.() !== 0) return [plain]
    const [command = '', ...args] = [...AS_NOBODY, plain.command, ...plain.args]
    return [{ ...plain, command, args }, plain]
  }
  const read = readable().map((path) => `--allow-fs-read=${path}`)
  const args = nodeArgs(read, resolve(here, main), threads)
  return [{ isolation, command: process.execPath, args }]
}

function bubblewrapped(threads: number): RunnerCommand {
  const bind = (from: string, to = from) => ['--ro-bind', from, to]
  const inside = (path: string) => `${APP}/${path.slice(dirname(tree).length + 1)}`
  const sources = readable().flatMap((path) => bind(path, inside(path)))
  const env = (name: string, value: string) => ['--setenv', name, value]
  const walls = '--unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv'.split(' ')
  const nobody = ['--uid', `${JOB_UID}`, '--gid', `${JOB_UID}`, '--hostname', 'runner']
  const architecture = ARCHITECTURES[imageArchitecture()]
  const filter = architecture && seccompProgram(architecture, RUNNER_CALLS)
  const args = [
    ...walls,
    ...nobody,
    ...(filter ? ['--seccomp', FILTER_FD] : []),
    ...env('NODE_CHANNEL_FD', CHANNEL_FD),
    ...env('NODE_CHANNEL_SERIALIZATION_MODE', 'advanced'),
    ...bind(process.execPath, '/node'),
    ...sharedLibraries().flatMap((path) => bind(path)),
    ...sources,
    ...'--remount-ro / --chdir / -- /node'.split(' '),
    ...nodeArgs([`--allow-fs-read=${APP}`], `${inside(here)}/${main}`, threads),
  ]
  return { isolation: 'bubblewrap', command: 'bwrap', args, ...(filter && { filter }) }
}

function nodeArgs(read: readonly string[], script: string, threads: number): string[] {
  return [
    ...NODE_FLAGS,
    ...LEAN_FLAGS,
    '--permission',
    '--allow-worker',
    ...read,
    script,
    String(threads),
  ]
}

/** What the runner is made of: this folder, the domain, and the file that says they are modules. */
function readable(): string[] {
  const manifest = findPackageJSON(import.meta.url)
  return [here, resolve(tree, 'domain'), ...(manifest === undefined ? [] : [manifest])]
}

// What this very Node is linked with, as the loader says; add-ons of the node are none of the runner's.
function sharedLibraries(): string[] {
  // Looking up the names of network peers would take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { sharedObjects?: readonly string[] }
  return (report.sharedObjects ?? []).filter((path) => /^\/.*\.so(\.\d+)*$/.test(path))
}
