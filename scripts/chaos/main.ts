/**
 * `npm run chaos`: faults against real processes and a real chain, and what the market makes of them. Ends by saying
 * how many were injected and survived, by kind.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { minute } from '../../node/domain/units.ts'

/** What test/chaos/support/faults.ts says of each fault. */
const SAID = /chaos: (injected|survived) (.+)$/
const TEST_TIMEOUT_MS: number = 3 * minute

const files = globSync('test/chaos/*.test.ts').sort()
const child = spawn(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=1',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...files,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
const kinds = new Map<string, { injected: number; survived: number }>()
for await (const line of createInterface({ input: child.stdout })) {
  const [, what, kind] = SAID.exec(line) ?? []
  if (kind === undefined) {
    process.stdout.write(`${line}\n`)
    continue
  }
  const counts = kinds.get(kind) ?? { injected: 0, survived: 0 }
  counts[what === 'injected' ? 'injected' : 'survived']++
  kinds.set(kind, counts)
}
const code = child.exitCode ?? ((await once(child, 'exit')) as [number | null])[0]
const sum = (key: 'injected' | 'survived') =>
  [...kinds.values()].reduce((total, each) => total + each[key], 0)
const each = [...kinds].map(([kind, { injected, survived }]) =>
  injected === survived ? `${kind} ${injected}` : `${kind} ${survived} of ${injected}`,
)
process.stdout.write(
  `chaos: ${sum('injected')} faults injected, ${sum('survived')} survived: ${each.join(', ')}\n`,
)
process.exitCode = code === 0 && sum('injected') > 0 ? 0 : 1
