import type { JobBody, TaskResultBody } from '../../api/schemas/jobs.ts'

/** Exit codes of `hive run` that are not the job's own. Source: the habits of timeout(1), env(1) and sh(1). */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** A task ran into its time limit. */
  timeout: 124,
  /** Nothing of the job's: no provider, no money, no node, bad input. */
  ours: 125,
  /** Ended by the user. */
  interrupted: 130,
  /** A task was stopped at a limit other than time. */
  killed: 137,
  /** Nobody reads our output any more, as if SIGPIPE had ended us. */
  closedPipe: 141,
} as const

/** The code that a job's end means for the shell: that of the first task that did not end well. */
export function exitCodeOf(job: JobBody): number {
  for (const result of job.results) {
    const code = result === null ? EXIT.ok : taskCode(result)
    if (code !== EXIT.ok) return code
  }
  if (job.state === 'settled') return EXIT.ok
  return job.state === 'cancelled' ? EXIT.interrupted : EXIT.ours
}

function taskCode({ reason, exitCode }: TaskResultBody): number {
  switch (reason) {
    case 'exit':
      // The shell sees eight bits; a failure must not turn into success on the way.
      return exitCode === 0 ? EXIT.ok : exitCode & 0xff || EXIT.failed
    case 'timeout':
      return EXIT.timeout
    case 'stopped':
      return EXIT.ok
    case 'image-bad':
    case 'start-failed':
      return EXIT.ours
    case 'oom':
    case 'output-limit':
    case 'disk-limit':
    case 'fuel':
    case 'killed':
      return EXIT.killed
  }
}
