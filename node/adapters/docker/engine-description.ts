import type { Engine } from './engine.ts'

/** What of an engine decides how it is used. */
export interface EngineDescription {
  readonly isPodman: boolean
  readonly architecture: string
  /** Those that a container can be given: all of Docker's, of Podman only its own default. */
  readonly runtimes: readonly string[]
  /** The program of each runtime with its arguments, by the runtime's name; the name itself where the engine does not tell. */
  command(runtime: string): string
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
  const runtimes = recordOf(info['Runtimes'])
  const defaultRuntime = text('DefaultRuntime', 'runc')
  const podman = await isPodman(engine)
  return {
    isPodman: podman,
    architecture: text('Architecture', ''),
    // Podman lists all that it knows, and silently starts every container that comes this way under its default
    runtimes: podman ? [defaultRuntime] : Object.keys(runtimes),
    command: (name) => commandOf(runtimes[name]) ?? name,
    defaultRuntime,
    cgroupVersion: text('CgroupVersion', '1'),
    cgroupDriver: text('CgroupDriver', ''),
  }
}

async function isPodman(engine: Engine): Promise<boolean> {
  const { Components: parts } = await engine.version()
  return (parts as typeof parts | undefined)?.some(({ Name }) => Name === 'Podman Engine') === true
}

function commandOf(runtime: unknown): string | undefined {
  const { path, runtimeArgs } = recordOf(runtime)
  if (typeof path !== 'string' || path === '') return undefined
  return [path, ...(Array.isArray(runtimeArgs) ? runtimeArgs.map(String) : [])].join(' ')
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
