import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import {
  covers,
  destinationText,
  isOpen,
  parseDestination,
  type Destination,
  type EgressPolicy,
} from '../../domain/egress.ts'
import { second } from '../../domain/units.ts'
import { lookUp, type Lookup } from './name-lookup.ts'
import type { Refusal } from './refusals.ts'

/** What a provider lets jobs reach, and what never. */
export interface Egress {
  readonly policy: EgressPolicy
  /** The node's own services, which no job may reach though a policy should cover them. @default none */
  readonly closed?: () => readonly Destination[]
  /** @default lookUp */
  readonly lookup?: Lookup
}

/** An open connection, or why there is none. */
export type Dialled = { readonly socket: Socket } | { readonly refusal: Refusal }

/** How long one address may take to answer, ms. */
const CONNECT_TIMEOUT_MS: number = 8 * second
/** Most addresses of one name that are tried. */
const MAX_TRIES = 3

/** Opens connections for one job: to what it named and the provider lets through, and to nothing else. */
export class EgressGate {
  readonly #egress: Egress
  readonly #allowed: ReadonlySet<string>

  constructor(egress: Egress, destinations: readonly string[]) {
    this.#egress = egress
    const covered = destinations.flatMap((text) => {
      const one = parseDestination(text)
      return one !== undefined && covers(egress.policy, one) ? [destinationText(one)] : []
    })
    this.#allowed = new Set(covered)
  }

  /** Connects. The name is looked up once, and the address that was judged is the one that is called. Never rejects. */
  async dial(destination: Destination, signal: AbortSignal): Promise<Dialled> {
    if (!this.#allowed.has(destinationText(destination))) return { refusal: 'http_request_denied' }
    const found = await this.#lookup(destination.host, signal)
    if (found.length === 0) return { refusal: 'dns_error' }
    const closed = await this.#closedAddresses(destination, signal)
    const open = found.filter((address) => this.#isOpen(address) && !closed(address))
    if (open.length === 0) return { refusal: 'destination_ip_prohibited' }
    let last: Dialled = { refusal: 'connection_refused' }
    for (const address of open.slice(0, MAX_TRIES)) {
      last = await call(address, destination.port, signal)
      if ('socket' in last) break
    }
    return last
  }

  async #lookup(host: string, signal: AbortSignal): Promise<readonly string[]> {
    return await (this.#egress.lookup ?? lookUp)(host, signal)
  }

  #isOpen(address: string): boolean {
    const { policy } = this.#egress
    // its public addresses lead into this machine as well, past whatever guards it from outside
    return isOpen(policy, address) && (policy.private || !isOwn(address))
  }

  /** Whether an address together with the port of `destination` is one of the node's own services. */
  async #closedAddresses(
    { host, port }: Destination,
    signal: AbortSignal,
  ): Promise<(address: string) => boolean> {
    const closed = (this.#egress.closed?.() ?? []).filter((one) => one.port === port)
    if (closed.some((one) => one.host === host)) return () => true
    const addresses = (
      await Promise.all(closed.map((one) => this.#lookup(one.host, signal)))
    ).flat()
    const isHere = addresses.some(isOwn)
    return (address) => addresses.includes(address) || (isHere && isOwn(address))
  }
}

/** Whether this machine itself answers there. */
function isOwn(address: string): boolean {
  if (address.startsWith('127.') || address === '::1') return true
  return Object.values(networkInterfaces()).some((one) =>
    one?.some((entry) => entry.address === address),
  )
}

/** One attempt. The address is a number, so that nothing is looked up again. */
async function call(address: string, port: number, signal: AbortSignal): Promise<Dialled> {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  const patience = setTimeout(() => {
    socket.destroy()
  }, CONNECT_TIMEOUT_MS)
  const onAbort = () => {
    socket.destroy()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const answer = Promise.withResolvers<Dialled>()
  socket.once('connect', () => {
    answer.resolve({ socket })
  })
  socket.once('error', () => {
    answer.resolve({ refusal: 'connection_refused' })
  })
  socket.once('close', () => {
    answer.resolve({ refusal: 'connection_timeout' })
  })
  try {
    return await answer.promise
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', onAbort)
  }
}
