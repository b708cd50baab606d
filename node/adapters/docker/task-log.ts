import type Docker from 'dockerode'
import { MiB } from '../../domain/units.ts'
import type { OutputStream } from '../../ports/sandbox.ts'
import { FRAME_HEADER_BYTES, streamOf } from './output-capture.ts'

/** A line of one stream; only the last of a stream may lack its newline. */
export interface LoggedLine {
  readonly stream: OutputStream
  readonly bytes: Buffer
}

/** Size at which the engine begins a new file of a task's log, bytes: MAX_OUTPUT_BYTES of common lines fit. */
const LOG_FILE_BYTES: number = 32 * MiB
/** Files of it that are kept, so that what a task prints while this node is away cannot fill the disk. */
const LOG_FILES = 2
/** Most that a line takes in such a file beside its own bytes; with its newline it is 30 in Docker 20.10. */
const BYTES_PER_LINE = 32
const NEWLINE = 10

/** The engine's own copy of what a task prints: all there is of it after a crash of this node. */
export const TASK_LOG = {
  Type: 'local',
  Config: { 'max-size': `${LOG_FILE_BYTES}`, 'max-file': `${LOG_FILES}`, compress: 'false' },
} as const

/** Whether a container's log is such a one, which {@link readTaskLog} can judge. */
export function isTaskLog(log: Docker.HostConfig['LogConfig']): boolean {
  const config = log?.Config as Partial<Record<string, unknown>> | undefined
  return (
    log?.Type === TASK_LOG.Type &&
    config?.['max-size'] === TASK_LOG.Config['max-size'] &&
    config['max-file'] === TASK_LOG.Config['max-file']
  )
}

/** Everything that a task has printed; `undefined` where the engine's copy cannot be shown to hold every byte. */
export async function readTaskLog(
  container: Docker.Container,
): Promise<readonly LoggedLine[] | undefined> {
  return wholeLog(await container.logs({ stdout: true, stderr: true, follow: false }))
}

/**
 * The lines of the engine's answer, if nothing is missing. A file that was begun anew leaves LOG_FILE_BYTES or more of
 * the one before it; and of a line that is too long for one frame the engine does not say whether it ended.
 */
export function wholeLog(answer: Buffer): readonly LoggedLine[] | undefined {
  const lines: LoggedLine[] = []
  const unended = new Set<OutputStream>()
  let storedBytes = 0
  for (let at = 0; at < answer.length;) {
    const stream = streamOf(answer, at)
    const start = at + FRAME_HEADER_BYTES
    at = start + answer.readUInt32BE(start - 4)
    const bytes = answer.subarray(start, at)
    storedBytes += bytes.length + BYTES_PER_LINE
    if (unended.has(stream) || storedBytes >= LOG_FILE_BYTES) return undefined
    if (bytes.at(-1) !== NEWLINE) unended.add(stream)
    lines.push({ stream, bytes })
  }
  return lines
}
