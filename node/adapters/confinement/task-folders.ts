import { HiveError } from '../../domain/errors.ts'
import type { SandboxFile, SandboxTask } from '../../ports/sandbox.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'

/** One folder that a task gets besides its image. */
export interface TaskFolder {
  readonly target: string
  /** Whether the job may write there; sized by the task's disk limit. */
  readonly isOutput: boolean
  /** Whether a secret is among its files: then it may lie in memory only. */
  readonly isSecret: boolean
  readonly files: readonly SandboxFile[]
}

/** Top folders that are the kernel's or the sandbox's own in every job. */
const RESERVED: ReadonlySet<string> = new Set(['dev', 'etc', 'proc', 'sys'])

/**
 * Which folders a task needs: its outputs folder, and the top folder of each input file and secret. A mounted folder
 * hides what the image has in that place, so neither can lie at the root itself.
 * @throws HiveError TASK_START_FAILED for a path that no mount can serve
 */
export function planFolders(task: SandboxTask): readonly TaskFolder[] {
  const { outputs, files } = task
  const secrets = task.secrets?.files ?? []
  if (!isSandboxPath(outputs) || isReserved(outputs)) throw unusable(outputs)
  const inside = (file: SandboxFile) => file.path.startsWith(`${outputs}/`)
  // there it would come back with the outputs
  const misplaced = secrets.find(inside)
  if (misplaced !== undefined) throw unusable(misplaced.path)
  const tops = new Map<string, SandboxFile[]>()
  for (const file of [...files.filter((file) => !inside(file)), ...secrets]) {
    const parts = file.path.split('/')
    const isPlaced = isSandboxPath(file.path) && parts.length >= 3 && !isReserved(file.path)
    if (!isPlaced) throw unusable(file.path)
    const top = `/${parts[1] ?? ''}`
    if (top === outputs) throw unusable(file.path)
    tops.set(top, [...(tops.get(top) ?? []), file])
  }
  return [
    ...[...tops].map(([target, own]) => ({
      target,
      isOutput: false,
      isSecret: own.some((file) => secrets.includes(file)),
      files: own,
    })),
    { target: outputs, isOutput: true, isSecret: false, files: files.filter(inside) },
  ]
}

function isReserved(path: string): boolean {
  return RESERVED.has(path.split('/')[1] ?? '')
}

function unusable(path: string): HiveError {
  return new HiveError('TASK_START_FAILED', {
    path,
    rule: 'a mount needs a folder of its own, not at the root nor in /dev, /etc, /proc or /sys',
  })
}
