import { readdir, readFile } from 'node:fs/promises'
import { openWasmSandbox } from '../../node/adapters/wasm/wasm-sandbox.ts'
import type { Isolation } from '../../node/adapters/wasm/runner-command.ts'
import { sandboxKeepsItsPromises } from '../conformance/sandbox.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { WASM_PROGRAMS } from '../support/wasm-programs.ts'

/** Runners that are alive and descend from this process, by their command lines. */
async function runners(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
        const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return { pid, parent, command: command.replaceAll('\0', ' ') }
      } catch {
        // It ended while we looked.
        return undefined
      }
    }),
  )
  const family = new Set([String(process.pid)])
  const found: string[] = []
  for (let grown = true; grown;) {
    grown = false
    for (const stat of stats) {
      if (stat === undefined || family.has(stat.pid) || !family.has(stat.parent)) continue
      family.add(stat.pid)
      found.push(stat.command)
      grown = true
    }
  }
  return found.filter((command) => command.includes('runner/main'))
}

for (const isolation of ['bubblewrap', 'node permission model'] satisfies Isolation[]) {
  sandboxKeepsItsPromises(`wasm (${isolation})`, async () => ({
    sandbox: await openWasmSandbox(
      { logger: quietLogger() },
      { threads: 2, isolations: [isolation] },
    ),
    programs: WASM_PROGRAMS,
    leftovers: runners,
  }))
}
