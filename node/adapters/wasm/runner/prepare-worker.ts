// The thread that looks through modules and rewrites them.
import { parentPort } from 'node:worker_threads'
import { codeOf, HiveError } from '../../../domain/errors.ts'
import { admitModule } from '../module/admit.ts'
import { invalidModule } from '../module/byte-reader.ts'
import { meterModule } from '../module/meter.ts'
import type { Prepared, ToPrepare } from './preparation.ts'

function prepare({ bytes, form }: ToPrepare): Prepared {
  try {
    const admitted = admitModule(bytes, form.maxPages)
    if (form.mode === 'plain') return { bytes: admitted }
    // Rewriting makes room for numbers that a module must not have used before, so it must be valid now.
    if (!WebAssembly.validate(admitted)) throw invalidModule(faultOf(admitted))
    return { bytes: meterModule(admitted, form.mode === 'deterministic') }
  } catch (error) {
    const why = error instanceof HiveError ? error.data['why'] : undefined
    return { why: String(why ?? codeOf(error)) }
  }
}

function faultOf(bytes: Uint8Array): string {
  try {
    void new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof Error) return error.message
  }
  return 'it does not validate'
}

parentPort?.on('message', (message: ToPrepare) => {
  parentPort?.postMessage(prepare(message))
})
