import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openWasmSandbox } from '../../node/adapters/wasm/wasm-sandbox.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Sandbox, SandboxImage } from '../../node/ports/sandbox.ts'
import { figure, median, type Figure } from './figures.ts'
import { imageTask } from './image-task.ts'
import { SILENT } from './silent.ts'

const RUNS = 5
const PROGRAMS = fileURLToPath(new URL('../../test/vectors/wasm/programs.wasm', import.meta.url))

/** Of a module that computes for ever. */
export async function wasmCancelFigure(): Promise<Figure> {
  await using sandbox = await openWasmSandbox({ logger: SILENT }, { threads: 1 })
  const image = { id: 'programs', load: async () => readFile(PROGRAMS) }
  return await cancelFigure('wasm', sandbox, image, ['line-then-spin'])
}

/**
 * From the cancel of a task that has begun, to its result with nothing left of it. The program must
 * print something, and not end by itself.
 */
export async function cancelFigure(
  name: string,
  sandbox: Sandbox,
  image: SandboxImage,
  args: readonly string[],
): Promise<Figure> {
  const times: number[] = []
  for (let at = 0; at < RUNS; at++) times.push(await cancelled(sandbox, image, args))
  return figure(`cancelled: ${name}, median`, median(times), 'ms', RUNS)
}

async function cancelled(
  sandbox: Sandbox,
  image: SandboxImage,
  args: readonly string[],
): Promise<number> {
  const stop = new AbortController()
  let began = NaN
  const onOutput = () => {
    if (stop.signal.aborted) return
    began = performance.now()
    stop.abort(new HiveError('CANCELLED'))
  }
  const { reason, detail } = await sandbox.run(imageTask(image, args), {
    signal: stop.signal,
    onOutput,
  })
  if (reason !== 'killed') throw new HiveError('INTERNAL', { reason, detail })
  return performance.now() - began
}
