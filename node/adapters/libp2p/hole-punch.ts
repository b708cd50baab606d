import { createServer, type AddressInfo } from 'node:net'
import { dcutr } from '@libp2p/dcutr'
import type { Connection, IdentifyResult, Startable, Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { HiveError } from '../../domain/errors.ts'
import { reachOf } from '../../domain/ip-address.ts'
import { second } from '../../domain/units.ts'
import type { ReachComponents } from './reach.ts'

/** How often to look whether others still see the port, ms. */
const LOOK_EVERY_MS = 15 * second
/** How long a dial from the port may take, ms. */
const DIAL_TIMEOUT_MS = 10 * second
/** Of the addresses that a peer says it is seen at, how many are dialled. */
const MAX_DIALLED = 4

type Managers = Pick<ReachComponents, 'addressManager' | 'connectionManager' | 'transportManager'>
type OpenConnection = Managers['connectionManager']['openConnection']
type OpenConnectionOptions = NonNullable<Parameters<OpenConnection>[1]>

/** One way out of this machine that others see at the same address whomever it leads to, if the router is such a one. */
interface Way {
  /** The local port. */
  readonly port: number
  /** What keeps the router from giving the port to another. */
  readonly connection: Connection
}

/**
 * DCUtR for two nodes that are both behind routers: at the moment that it agrees on, each dials the other from the port
 * at which the other sees it, and the two dials meet as one connection (simultaneous open, RFC 9293 §3.5). Node.js cannot
 * dial from a port that it listens on, so there is one for nothing else, which a public peer says the outside of.
 */
export class HolePunch implements Startable {
  readonly #components: ReachComponents
  readonly #dcutr: Startable
  /** How each connection's other end sees this one. */
  readonly #observed = new WeakMap<Connection, Multiaddr>()
  #way: Way | undefined
  #timer: NodeJS.Timeout | undefined
  #looking = Promise.resolve()
  /** When a port was last tried, Unix ms. */
  #triedAt = 0
  #running = new AbortController()
  readonly #onIdentify = ({ detail }: { readonly detail: IdentifyResult }): void => {
    const { connection, observedAddr } = detail
    if (observedAddr !== undefined) this.#observed.set(connection, observedAddr)
    this.#onTime()
  }
  readonly #onTime = (): void => {
    this.#looking = this.#looking.then(() => this.#look()).catch(() => undefined) // the next look tries again
  }

  constructor(components: ReachComponents) {
    this.#components = components
    const { logger, peerStore, registrar, addressManager, connectionManager, transportManager } =
      components
    this.#dcutr = dcutr()({
      logger,
      peerStore,
      registrar,
      transportManager,
      addressManager: replaced(addressManager, 'getAddresses', () => [
        ...addressManager.getAddresses(),
        ...this.#outside(),
      ]),
      connectionManager: replaced(connectionManager, 'openConnection', (target, options) =>
        this.#open(target, options),
      ),
    }) as Startable
  }

  async start(): Promise<void> {
    await this.#dcutr.start()
    this.#running = new AbortController()
    this.#components.events.addEventListener('peer:identify', this.#onIdentify)
    this.#timer = setInterval(this.#onTime, LOOK_EVERY_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#running.abort()
    this.#components.events.removeEventListener('peer:identify', this.#onIdentify)
    await this.#looking
    await this.#dcutr.stop()
  }

  /** The address at which others see the port; none while that is unknown. */
  #outside(): Multiaddr[] {
    const seen = this.#way && this.#observed.get(this.#way.connection)
    if (seen === undefined || !isPublic(seen)) return []
    // some say whom they see there, too
    const [where = ''] = seen.toString().split('/p2p/')
    return [multiaddr(`${where}/p2p/${this.#components.peerId.toString()}`)]
  }

  /** Gives a node that nobody can dial a port that others see, and takes it from one that somebody can. */
  async #look(): Promise<void> {
    const { addressManager, connectionManager, transportManager } = this.#components
    const isOpen = this.#way?.connection.status === 'open'
    if (addressManager.getAddresses().some(isPublic)) {
      if (isOpen) await this.#way?.connection.close()
      this.#way = undefined
      return
    }
    if (isOpen) return
    const known = connectionManager
      .getConnections()
      .filter(({ direction, remoteAddr }) => direction === 'outbound' && isPublic(remoteAddr))
    // every peer that says who it is leads here, and not all of them let this node in twice
    if (known.length === 0 || Date.now() - this.#triedAt < LOOK_EVERY_MS) return
    this.#triedAt = Date.now()
    for (const { remoteAddr } of known.slice(0, MAX_DIALLED)) {
      const port = await freePort()
      const patience = AbortSignal.timeout(DIAL_TIMEOUT_MS)
      const options = { localPort: port, signal: AbortSignal.any([this.#running.signal, patience]) }
      const dial = transportManager.dial(remoteAddr, options)
      // one met through a hole listens nowhere: another will do
      const connection = await dial.catch(() => undefined)
      if (this.#running.signal.aborted) return
      if (connection === undefined) continue
      this.#way = { port, connection }
      return
    }
  }

  /** Opens a connection for DCUtR: from the port where it is one that both ends open at once, which has a priority. */
  async #open(...[target, options]: Parameters<OpenConnection>): ReturnType<OpenConnection> {
    const { connectionManager } = this.#components
    const isMeeting = options?.priority !== undefined && Array.isArray(target)
    if (!isMeeting || this.#way === undefined)
      return connectionManager.openConnection(target, options)
    const { port } = this.#way
    const dials = target
      .filter(isPublic)
      .slice(0, MAX_DIALLED)
      .map(async (address) => this.#meet(address, port, options))
    return Promise.any(dials)
  }

  /** Dials an address from the port; returns the connection that there is, where another dial has met already. */
  async #meet(
    address: Multiaddr,
    localPort: number,
    options: OpenConnectionOptions,
  ): Promise<Connection> {
    const { connectionManager, transportManager, upgrader } = this.#components
    const [, peer] = address.toString().split('/p2p/')
    const met = connectionManager
      .getConnections()
      .find((one) => one.remotePeer.toString() === peer && one.limits === undefined)
    if (met !== undefined) return met
    const transport = transportManager.dialTransportForMultiaddr(address)
    if (transport === undefined)
      throw new HiveError('PEER_UNREACHABLE', { address: String(address) })
    const signal = options.signal ?? AbortSignal.timeout(DIAL_TIMEOUT_MS)
    const isServer = options.initiator === false
    const upgradeOutbound: Upgrader['upgradeOutbound'] = async (connection, upgrading) => {
      // libp2p itself tells only some of the layers above TCP which end is the server
      if (isServer) Object.assign(connection, { direction: 'inbound' })
      return upgrader.upgradeOutbound(connection, upgrading)
    }
    const from = {
      signal,
      localPort,
      ...(isServer && { initiator: false }),
      upgrader: replaced(upgrader, 'upgradeOutbound', upgradeOutbound),
    }
    return transport.dial(address, from)
  }
}

/** An object with one method replaced; not to be used as another's `this`. */
function replaced<T extends object, K extends keyof T>(target: T, name: K, method: T[K]): T {
  return new Proxy(target, {
    get: (from, key): unknown => (key === name ? method : Reflect.get(from, key)),
  })
}

/** Whether an address is a TCP port of a public IPv4 host, and leads there without a relay. */
function isPublic(address: Multiaddr): boolean {
  const ip = /^\/ip4\/([^/]+)\/tcp\/\d+(\/p2p\/[^/]+)?$/.exec(address.toString())?.[1]
  return ip !== undefined && reachOf(ip) === 'public'
}

/** A port that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '0.0.0.0', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
