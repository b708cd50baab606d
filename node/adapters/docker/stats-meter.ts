import type Docker from 'dockerode'
import type { Metered } from '../confinement/cgroup-meter.ts'

/**
 * Follows a running container's figures as the engine publishes them, once a second: coarse, and zero for a task that
 * is over before the first. Used where no control group of our own can be had.
 */
export interface StatsMeter extends AsyncDisposable {
  latest(): Metered
}

/** Longest line of figures, characters; real ones are some 3,000. */
const MAX_LINE_CHARS = 256_000

/** Starts to follow the container, which must be running. */
export async function followStats(container: Docker.Container): Promise<StatsMeter> {
  const stream = await container.stats({ stream: true })
  let metered: Metered = { cpuMs: 0, peakMemoryBytes: 0 }
  const following = (async () => {
    let line = ''
    for await (const piece of stream) {
      const lines = (line + String(piece)).split('\n')
      line = (lines.pop() ?? '').slice(-MAX_LINE_CHARS)
      for (const whole of lines) metered = latestOf(whole, metered)
    }
  })().catch(() => undefined) // the figures end with the container; a broken engine shows elsewhere
  return {
    latest: () => metered,
    [Symbol.asyncDispose]: async () => {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy()
      await following
    },
  }
}

function latestOf(line: string, before: Metered): Metered {
  try {
    const { cpu_stats: cpu, memory_stats: memory } = JSON.parse(line) as Docker.ContainerStats
    const peak = Math.max(memory.max_usage ?? 0, memory.usage ?? 0)
    return {
      cpuMs: Math.max(before.cpuMs, (cpu.cpu_usage.total_usage || 0) / 1e6),
      peakMemoryBytes: Math.max(before.peakMemoryBytes, peak || 0),
    }
  } catch {
    // a container that has just ended publishes an empty line
    return before
  }
}
