import { HiveError } from '../domain/errors.ts'

/** A task as users name it: `JOB`, or `JOB/TASK` where the job has several. */
export interface TaskName {
  readonly job: string
  readonly task?: number
}

/** Throws `INPUT_INVALID`. */
export function parseTaskName(text: string): TaskName {
  const [, job, task] = /^(0x[0-9a-f]{2,64})(?:\/(\d{1,5}))?$/.exec(text) ?? []
  if (job === undefined)
    throw new HiveError('INPUT_INVALID', {
      problems: [`${text.slice(0, 80)}: not JOB or JOB/TASK`],
    })
  return task === undefined ? { job } : { job, task: Number(task) }
}
