import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a run of forge printed, and how it ended. */
export interface ForgeRun {
  readonly code: number | null
  readonly stdout: string
}

/** Binary of forge, or undefined on a platform that the optional npm packages do not serve. */
export function findForge(): string | undefined {
  const file = join(ROOT, 'node_modules/.bin/forge')
  return existsSync(file) ? file : undefined
}

/** What to print where there is none. */
export const NO_FORGE = `no forge binary is installed for ${process.platform}-${process.arch}`

/**
 * Runs forge in the repository root; `settings` are environment variables over foundry.toml. Its stderr is passed
 * through, its stdout is too when `shown`.
 */
export async function runForge(
  forge: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  shown = false,
): Promise<ForgeRun> {
  const child = spawn(forge, args, {
    cwd: ROOT,
    // oxlint-disable-next-line node/no-process-env -- forge starts the compiler by the PATH that this script has
    env: { ...process.env, ...settings },
    stdio: ['ignore', shown ? 'inherit' : 'pipe', 'inherit'],
  })
  const [stdout, [code]] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout }
}
