import { HiveError } from '../../domain/errors.ts'
import { missingHook } from './gpu-hook.ts'
import { forStrangers, refusalOf } from './engine.ts'

/**
 * A step towards the start: the engine's refusal of it means that this task cannot start here.
 * @throws HiveError TASK_START_FAILED
 */
export async function startStep<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    throw new HiveError(
      'TASK_START_FAILED',
      { said: missingHook(refusal.message) ?? forStrangers(refusal) },
      { cause: error },
    )
  }
}
