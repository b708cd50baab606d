import { access } from 'node:fs/promises'
import { wantsEgress } from '../egress/task-egress.ts'
import { HOST_NAME, JOB_UID, MASKED_PROC, OPEN_FILES, PIDS } from '../confinement/job-bounds.ts'
import type { Keeper } from './keeper.ts'
import { environment, programLine } from '../confinement/program-line.ts'
import { STAGE_ROOT } from './task-workspace.ts'

/** The user that bubblewrap itself runs as, so that a job that got out of its namespaces would still be nobody. */
const AS_NOBODY = `setpriv --reuid ${JOB_UID} --regid ${JOB_UID} --clear-groups`.split(' ')
/** What holds on to the job: every namespace, its end with ours, and a session without our terminal. */
const WALLS = '--unshare-all --die-with-parent --new-session --clearenv --cap-drop ALL'.split(' ')

let known: Promise<readonly string[]> | undefined

/** Namespaces, no capabilities, and our own system call filter, through bubblewrap: the host's kernel serves the job. */
export function bubblewrapKeeper(filterPath: string): Keeper {
  return {
    isolation: 'native bubblewrap',
    pids: PIDS,
    openFiles: OPEN_FILES,
    filterPath,
    prepare: async (task, image, space) => {
      const options = [
        WALLS,
        // the stage's own, made for this task: see openWay
        wantsEgress(task) ? ['--share-net'] : [],
        ['--hostname', HOST_NAME],
        ['--ro-bind', STAGE_ROOT, '/'],
        ['--dev', '/dev', '--remount-ro', '/dev'],
        ['--proc', '/proc', ...(await masks())],
        ...space.bindings.map(({ source, target, isWritable }) => [
          isWritable ? '--bind' : '--ro-bind',
          source,
          target,
        ]),
        ['--chdir', space.workingDir],
        ...Object.entries(environment(task, image)).map((entry) => ['--setenv', ...entry]),
        ['--seccomp', '6', '--json-status-fd', '4'],
      ].flat()
      // over a descriptor, because every user of the machine can read the words of a command
      const secret = Buffer.from(options.map((word) => `${word}\0`).join(''))
      const command = [...AS_NOBODY, 'bwrap', '--args', '5', '--', ...programLine(task, image)]
      return { command, secret }
    },
    judge: async ({ status, report }, _stage, said) => {
      const code = /"exit-code":\s*(\d+)/.exec(report)?.[1]
      if (code !== undefined) return { status: Number(code) }
      if (status === undefined) return { fault: 'the sandbox could not be set up' }
      // 128 and more is a signal: somebody ended bubblewrap itself
      if (status > 128) return {}
      const refused = /^bwrap: (execvp .*|Can't chdir to .*)$/m.exec(said)?.[1]
      return { fault: refused ?? 'the sandbox could not be set up' }
    },
  }
}

/** Covers what of /proc this kernel has and a job need not see. */
function masks(): Promise<readonly string[]> {
  known ??= Promise.all(
    MASKED_PROC.map(async (name): Promise<readonly string[]> => {
      const path = `/proc/${name}`
      try {
        await access(`${path}/.`)
        return ['--tmpfs', path, '--remount-ro', path]
      } catch {
        // no folder: a file, or nothing at all
      }
      try {
        await access(path)
        return ['--ro-bind', '/dev/null', path]
      } catch {
        return [] // not in this kernel
      }
    }),
  ).then((all) => all.flat())
  return known
}
