/** `npm run demo`: real jobs cross real peers, run in sandboxes and are paid from a real contract. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ERROR_CODES } from '../../node/domain/error-codes.ts'
import { codeOf, HiveError } from '../../node/domain/errors.ts'
import { Screen } from './screen.ts'
import { tellStory } from './story.ts'

const INTERRUPTED = 130
const screen = new Screen(process.stdout)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(new HiveError('CANCELLED', { signal })))
}

const dir = await mkdtemp(join(tmpdir(), 'hive-demo-'))
try {
  await tellStory(screen, dir, stop.signal)
  await rm(dir, { recursive: true })
  process.exitCode = 0
} catch (error) {
  if (stop.signal.aborted) {
    await rm(dir, { recursive: true, force: true })
    screen.line('Stopped. No process and no file is left behind.')
    process.exitCode = INTERRUPTED
  } else {
    const code = codeOf(error)
    const data =
      error instanceof HiveError
        ? JSON.stringify(error.data, (_, each: unknown) =>
            typeof each === 'bigint' ? String(each) : each,
          )
        : String(error)
    screen.line(
      `\n${code}: ${ERROR_CODES[code].what}\n  ${data}\n  ${ERROR_CODES[code].remedy}\n  Logs: ${dir}`,
    )
    process.exitCode = 1
  }
}
