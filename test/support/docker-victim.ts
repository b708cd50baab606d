import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SandboxTask } from '../../node/ports/sandbox.ts'
import type { Victim } from './docker-victim-process.ts'

const VICTIM = fileURLToPath(new URL('docker-victim-process.ts', import.meta.url))

/** Runs a busybox task in a process of its own, which is killed once the task has printed. */
export async function killDuring(
  runtime: string,
  nodeId: string,
  task: SandboxTask,
): Promise<void> {
  const { image: _image, files: _files, secrets, stdin, ...rest } = task
  const secretFiles = Object.fromEntries(
    (secrets?.files ?? []).map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]),
  )
  const told = { ...rest, secretFiles, stdin: Buffer.from(stdin).toString() }
  const plan: Victim = { runtime, nodeId, task: told }
  const victim = spawn(process.execPath, [VICTIM, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(victim.stdout, 'data')
  victim.kill('SIGKILL')
  await once(victim, 'exit')
}
