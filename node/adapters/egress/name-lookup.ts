import { Resolver } from 'node:dns/promises'
import { parseAddress } from '../../domain/ip-address.ts'

/** The addresses of a name, in the order to try them; none when it has none. Never rejects. */
export type Lookup = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/** Patience with a name server: `tries` times this long, ms; a job waits for it. */
const TIMEOUT = { timeout: 2000, tries: 2 }

/**
 * Asks the machine's name servers for exactly that name. Not the C library: it would add the search domains of the
 * provider's network, read its hosts file, and block one of four threads that the whole node shares.
 */
export const lookUp: Lookup = async (host, signal) => {
  if (parseAddress(host) !== undefined) return [host]
  // by RFC 6761 never asked of a server
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
  if (signal.aborted) return []
  const resolver = new Resolver(TIMEOUT)
  const onAbort = () => {
    resolver.cancel()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  signal.removeEventListener('abort', onAbort)
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}
