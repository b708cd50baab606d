import { test } from 'node:test'
import { ISOLATIONS } from '../../node/adapters/wasm/runner-command.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
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

sandboxKeepsItsPromises('wasm that counts instructions', async () => {
  const sandbox = await openTestWasm()
  return {
    sandbox: counting(sandbox),
    programs: WASM_PROGRAMS,
    leftovers: async () => (await descendants('runner/main')).map(({ command }) => command),
  }
})

/** The same sandbox with every module rewritten. */
function counting(sandbox: Sandbox): Sandbox {
  return {
    kind: sandbox.kind,
    isolation: sandbox.isolation,
    holds: (imageId) => sandbox.holds(imageId),
    run: async (task, options) =>
      await sandbox.run(
        { ...task, limits: { ...task.limits, fuel: Number.MAX_SAFE_INTEGER } },
        options,
      ),
    [Symbol.asyncDispose]: async () => sandbox[Symbol.asyncDispose](),
  }
}
