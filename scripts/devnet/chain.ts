import { join } from 'node:path'
import { startChild, type Child } from './child.ts'

/** Starts a local chain; its log goes into `dir`. */
export async function startChain(
  dir: string,
  signal: AbortSignal,
): Promise<Child<{ readonly url: string }>> {
  return startChild('scripts/devnet/chain-process.ts', { logFile: join(dir, 'chain.log'), signal })
}
