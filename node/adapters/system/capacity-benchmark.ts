import { scoreOf, type FigureName } from '../../domain/capacity.ts'
import type { Benchmark } from '../../ports/benchmark.ts'
import { MeasuringProcess } from './measuring/measuring-process.ts'

export interface CapacityBenchmarkOptions {
  /** Folder whose disk is measured; nothing stays in it. */
  readonly dir: string
  /** Cores that work at once. */
  readonly cores: number
  /** After it the process is ended and the rest left out, ms. @default BENCHMARK_DEFAULTS.budgetMs */
  readonly budgetMs?: number
}

/** Under 3 s with the start and the end of a process. */
export const BENCHMARK_DEFAULTS = { budgetMs: 2_800 } as const

/** The benchmark of the machine that this runs on. */
export function createCapacityBenchmark(options: CapacityBenchmarkOptions): Benchmark {
  const { dir, cores, budgetMs } = { ...BENCHMARK_DEFAULTS, ...options }
  return {
    async measure({ signal }) {
      signal.throwIfAborted()
      const figures: Partial<Record<FigureName, number>> = {}
      const late = AbortSignal.timeout(budgetMs)
      await using measuring = new MeasuringProcess()
      try {
        const either = AbortSignal.any([signal, late])
        for await (const each of measuring.ask({ type: 'benchmark', dir, cores }, either))
          if (each.type === 'figure') figures[each.name] = each.value
      } catch (error) {
        signal.throwIfAborted()
        // What came in time is the score; a slow machine is told by what is missing.
        if (!late.aborted) throw error
      }
      return scoreOf(figures, cores, Date.now())
    },
  }
}
