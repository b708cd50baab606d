import { HiveError } from '../../domain/errors.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { HOST_NAME } from './job-bounds.ts'
import type { ImageConfig } from '../image/image-config.ts'

/** What container engines give a program whose image says nothing else. */
const DEFAULTS: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOSTNAME: HOST_NAME,
  HOME: '/',
}

/**
 * The program and its arguments: the task's take the place of the image's own and keep its entry point.
 * @throws HiveError TASK_START_FAILED when neither names a program
 */
export function programLine(
  task: SandboxTask,
  image: Pick<ImageConfig, 'entrypoint' | 'cmd'>,
): readonly string[] {
  const line = [...image.entrypoint, ...(task.args.length > 0 ? task.args : image.cmd)]
  if (line.length === 0 || line[0] === '') {
    throw new HiveError('TASK_START_FAILED', { said: 'neither image nor task names a program' })
  }
  return line
}

/** The environment; what the task says wins over the image, the image over what is usual. */
export function environment(
  task: SandboxTask,
  image: Pick<ImageConfig, 'env'>,
): Readonly<Record<string, string>> {
  const own = image.env.map((entry): readonly [string, string] => {
    const equals = entry.indexOf('=')
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
  })
  const all = { ...DEFAULTS, ...Object.fromEntries(own), ...task.env, ...task.secrets?.env }
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== ''))
}
