import { open, type FileHandle } from 'node:fs/promises'
import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import { isProcessOf } from './container-process.ts'

/**
 * The network of a container that runs, held as an open file, so that it stays what it is though the container ends.
 * @throws HiveError TASK_NOT_RUNNING, ATTACH_UNSUPPORTED where the engine's processes are not this machine's
 */
export async function holdContainerNetwork(container: Docker.Container): Promise<FileHandle> {
  const { State: state } = await container.inspect()
  if (!state.Running) throw new HiveError('TASK_NOT_RUNNING')
  const { Pid: pid } = state
  const unsupported = { reason: 'its network cannot be entered here' }
  if (!(await isProcessOf(pid, container.id)))
    throw new HiveError('ATTACH_UNSUPPORTED', unsupported)
  let file: FileHandle
  try {
    file = await open(`/proc/${pid}/ns/net`)
  } catch (cause) {
    throw new HiveError('ATTACH_UNSUPPORTED', unsupported, { cause })
  }
  // still the same process: its number was not given to another one in between
  if (await isProcessOf(pid, container.id)) return file
  await file.close()
  throw new HiveError('TASK_NOT_RUNNING')
}
