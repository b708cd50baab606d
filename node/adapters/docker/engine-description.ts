import type { Engine } from './engine.ts'

/** What of an engine decides how it is used. */
export interface EngineDescription {
  readonly architecture: string
  readonly runtimes: readonly string[]
  readonly defaultRuntime: string
  readonly cgroupVersion: string
  readonly cgroupDriver: string
}

/** Asks the engine what it is. Fails with the engine's own error when none answers. */
export async function describeEngine(engine: Engine): Promise<EngineDescription> {
  const info: Readonly<Record<string, unknown>> = await engine.info()
  const text = (key: string, otherwise: string) => {
    const value = info[key]
    return typeof value === 'string' ? value : otherwise
  }
  const runtimes = info['Runtimes']
  return {
    architecture: text('Architecture', ''),
    runtimes: typeof runtimes === 'object' && runtimes !== null ? Object.keys(runtimes) : [],
    defaultRuntime: text('DefaultRuntime', 'runc'),
    cgroupVersion: text('CgroupVersion', '1'),
    cgroupDriver: text('CgroupDriver', ''),
  }
}
