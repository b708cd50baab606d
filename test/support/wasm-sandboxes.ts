import { codeOf } from '../../node/domain/errors.ts'
import type { Isolation } from '../../node/adapters/wasm/runner-command.ts'
import { openWasmSandbox, type WasmSandboxOptions } from '../../node/adapters/wasm/wasm-sandbox.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { quietLogger } from './quiet-logger.ts'

/** A WASM sandbox for a test: two threads, nothing logged. */
export async function openTestWasm(options: WasmSandboxOptions = {}): Promise<Sandbox> {
  return await openWasmSandbox({ logger: quietLogger() }, { threads: 2, ...options })
}

/** Why tests with `isolation` cannot run here, or `false`. */
export async function isolationMissing(isolation: Isolation): Promise<string | false> {
  try {
    await using _ = await openTestWasm({ threads: 1, isolations: [isolation] })
    return false
  } catch (error) {
    if (codeOf(error) !== 'SANDBOX_UNAVAILABLE') throw error
    return `skipped: ${isolation} does not work on this machine`
  }
}
