import type { SandboxTask } from '../../node/ports/sandbox.ts'
import { busybox, openTestSandbox } from './docker-programs.ts'

/** What the process is told in argv[2]; stdin and secret files as text. */
export interface Victim {
  readonly runtime: string
  readonly nodeId: string
  readonly task: Omit<SandboxTask, 'image' | 'files' | 'stdin' | 'secrets'> & {
    readonly stdin?: string
    readonly secretFiles: Readonly<Record<string, string>>
  }
}

// A node that is killed in the middle of a job: says so on stdout once the job speaks, and never ends by itself.
const { runtime, nodeId, task: given } = JSON.parse(process.argv[2] ?? '') as Victim
const { sandbox } = await openTestSandbox(runtime, { nodeId })
const { secretFiles, ...task } = given
const stdin = Buffer.from(task.stdin ?? '')
const files = Object.entries(secretFiles).map(([path, text]) => ({
  path,
  bytes: Buffer.from(text),
}))
const secrets = files.length > 0 && { secrets: { env: {}, files } }
await sandbox.run(
  { ...task, ...secrets, image: busybox, files: [], stdin },
  {
    signal: new AbortController().signal,
    onOutput: () => {
      process.stdout.write('running\n')
    },
  },
)
