import type { Sandbox, SandboxResult } from '../../ports/sandbox.ts'
import type { HeldSecrets } from './secret-intake.ts'

/** What of a sandbox a share's tasks need. */
export type TaskRunner = Pick<Sandbox, 'run' | 'left'>

/** A sandbox whose tasks get these secrets, and whose own words about them hold none. What a job prints is its business. */
export function secretly(
  sandbox: TaskRunner,
  { task: secrets, redacted }: HeldSecrets,
): TaskRunner {
  if (secrets === undefined) return sandbox
  const { left } = sandbox
  const told = (result: SandboxResult) => ({ ...result, detail: redacted(result.detail) })
  return {
    run: async (task, options) => told(await sandbox.run({ ...task, secrets }, options)),
    ...(left !== undefined && {
      left: {
        get ids() {
          return left.ids
        },
        resume: async (task, options) => {
          const result = await left.resume({ ...task, secrets }, options)
          return result === undefined ? undefined : told(result)
        },
        end: async (id) => left.end(id),
      },
    }),
  }
}
