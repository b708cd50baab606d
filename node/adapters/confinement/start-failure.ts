import { codeOf, HiveError } from '../../domain/errors.ts'
import type { EndReason } from '../../domain/receipt.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { unstarted } from './task-result.ts'

/** Errors that are the task's own doing, and how such a task ends. */
const REASONS: ReadonlyMap<string, EndReason> = new Map([
  ['IMAGE_INVALID', 'image-bad'],
  ['TASK_START_FAILED', 'start-failed'],
])

/** The result of a task that `error` kept from starting; `undefined` when the machine is to blame and not the task. */
export function startFailure(task: SandboxTask, error: unknown): SandboxResult | undefined {
  const reason = REASONS.get(codeOf(error) ?? '')
  if (reason === undefined || !(error instanceof HiveError)) return undefined
  return unstarted(task, reason, Object.values(error.data).map(String).join(': '))
}
