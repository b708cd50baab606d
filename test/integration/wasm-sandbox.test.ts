import { test } from 'node:test'
import { ISOLATIONS } from '../../node/adapters/wasm/runner-command.ts'
import { sandboxKeepsItsPromises } from '../conformance/sandbox.ts'
import { descendants } from '../support/child-processes.ts'
import { WASM_PROGRAMS } from '../support/wasm-programs.ts'
import { isolationMissing, openTestWasm } from '../support/wasm-sandboxes.ts'

for (const isolation of ISOLATIONS) {
  const missing = await isolationMissing(isolation)
  if (missing !== false) {
    test(`wasm (${isolation}) as a sandbox`, { skip: missing }, () => {})
    continue
  }
  sandboxKeepsItsPromises(`wasm (${isolation})`, async () => ({
    sandbox: await openTestWasm({ isolations: [isolation] }),
    programs: WASM_PROGRAMS,
    leftovers: async () => (await descendants('runner/main')).map(({ command }) => command),
  }))
}
