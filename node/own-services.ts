import type { Config } from './config/config.ts'
import type { Destination } from './domain/egress.ts'

/** What is known of a node's own services from its config alone: where it listens and what it asks. */
export function configuredServices(config: Config): readonly Destination[] {
  const { protocol, hostname, port } = new URL(config.chain.rpc)
  const rpc = {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  }
  return [rpc, ...servicesHere(config.network.listen), serviceHere(config.api.port)]
}

/** The services behind multiaddrs of this machine. */
export function servicesHere(multiaddrs: readonly string[]): readonly Destination[] {
  return multiaddrs.flatMap((text) => {
    const port = /\/tcp\/(\d+)/.exec(text)?.[1]
    return port === undefined ? [] : [serviceHere(Number(port))]
  })
}

/** A port of this machine, under whichever of its addresses. */
export function serviceHere(port: number): Destination {
  return { host: 'localhost', port }
}
