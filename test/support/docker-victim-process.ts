import type { SandboxTask } from '../../node/ports/sandbox.ts'
import { busybox, openTestSandbox } from './docker-programs.ts'

/** What the process is told in argv[2]; stdin as text. */
export interface Victim {
  readonly runtime: string
  readonly nodeId: string
  readonly task: Omit<SandboxTask, 'image' | 'files' | 'stdin'> & { readonly stdin?: string }
}

// A node that is killed in the middle of a job: says so on stdout once the job speaks, and never ends by itself.
const { runtime, nodeId, task } = JSON.parse(process.argv[2] ?? '') as Victim
const { sandbox } = await openTestSandbox(runtime, { nodeId })
const stdin = Buffer.from(task.stdin ?? '')
await sandbox.run(
  { ...task, image: busybox, files: [], stdin },
  {
    signal: new AbortController().signal,
    onOutput: () => {
      process.stdout.write('running\n')
    },
  },
)
