import { second } from '../../domain/units.ts'
import type { Effort, EffortProcess } from '../../ports/effort.ts'
import { HiveError } from '../../domain/errors.ts'
import { MeasuringProcess } from './measuring/measuring-process.ts'
import type { FromMeasuring, ToMeasuring } from './measuring/messages.ts'

/** Longest that a process may work on one question, ms: four times what the largest takes. */
const QUESTION_MS: number = 20 * second

/** Work in processes of their own, each ended by disposal. */
export const effortProcesses: Effort = {
  async open(lanes, { signal }) {
    signal.throwIfAborted()
    const measuring = new MeasuringProcess()
    try {
      await answerOf(measuring, { type: 'lanes', lanes }, signal)
    } catch (error) {
      await measuring[Symbol.asyncDispose]()
      throw error
    }
    return {
      async chains(jobs, options) {
        const answer = await answerOf(measuring, { type: 'chains', jobs }, options.signal)
        return answer.type === 'chains' ? answer.states : []
      },
      async fills(salts, bytes, options) {
        const answer = await answerOf(measuring, { type: 'fills', salts, bytes }, options.signal)
        return answer.type === 'fills' ? answer.tags : []
      },
      [Symbol.asyncDispose]: async () => measuring[Symbol.asyncDispose](),
    } satisfies EffortProcess
  },
}

async function answerOf(
  measuring: MeasuringProcess,
  question: ToMeasuring,
  signal: AbortSignal,
): Promise<FromMeasuring> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS)])
  for await (const answer of measuring.ask(question, limited)) return answer
  throw new HiveError('BENCHMARK_FAILED', { said: 'nothing' })
}
