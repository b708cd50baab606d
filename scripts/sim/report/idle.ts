import { hour, minute, second } from '../../../node/domain/units.ts'
import { World } from '../market/world.ts'
import { walkCost } from '../network/dht-costs.ts'
import { ACK_BYTES, FRAME_BYTES, MESH_DEGREE, OTHER_NEIGHBOURS } from '../network/wire-costs.ts'
import { seededSource } from '../time/randomness.ts'

/** One kind of what an idle node sends. */
export interface IdleFigure {
  readonly name: string
  /** Whether it is gossip: what nodes tell of themselves and of messages. The rest keeps the DHT and connections up. */
  readonly gossip: boolean
  readonly bytesPerHour: number
}

/** How long nodes are watched, ms: whole rounds of adverts (10 minutes), of the self-check (30) and of tags (60). */
const WATCHED_MS: number = 2 * hour
/** Names of traffic that belong together: adverts, tags, the self-check, and the rest of gossip. */
const COUNTED = [
  ['dht put'],
  ['dht provide'],
  ['direct sight', 'dht get', 'look'],
  ['gossip '],
] as const
const CONNECTIONS = MESH_DEGREE + OTHER_NEIGHBOURS
/** Source: QUERY_SELF_INTERVAL and TABLE_REFRESH_INTERVAL of the DHT, @libp2p/kad-dht 16. */
const DHT_UPKEEP_MS: number = 5 * minute
/** Source: DEFAULT_PING_INTERVAL_MS of the connection monitor, libp2p 3. */
const PING_MS: number = 10 * second
/** Multistream header and protocol name, 32 bytes, and the frames that open and close: what one end of a ping sends. */
const PING_BYTES: number = 20 + 17 + 32 + 2 * 12 + 2 * FRAME_BYTES + ACK_BYTES
/** Source: keepAliveInterval of yamux 8; a header each way. */
const KEEP_ALIVE_MS: number = 30 * second

/**
 * What a node sends in an hour in which nobody asks for anything, by what for, bytes. Adverts, their tags and the
 * self-check are counted where the node's own code has them sent; the rest follows from what the libraries do on their own.
 */
export async function idleFigures(nodes: number, seed: number): Promise<readonly IdleFigure[]> {
  const counted = await countedIdle(nodes, seed)
  const perHour = (ms: number) => hour / ms
  const { bytes: walk } = walkCost(nodes)
  // one walk for each length of prefix that the node has in common with others
  const buckets = Math.ceil(Math.log2(nodes)) + 1
  return [
    { name: 'adverts', gossip: true, bytesPerHour: counted.put },
    { name: 'capability tags', gossip: true, bytesPerHour: counted.provide },
    {
      name: 'self-check: asking, searching, connecting',
      gossip: true,
      bytesPerHour: counted.check,
    },
    // neither heartbeats nor IHAVE send anything while there is no message to tell of
    { name: 'gossip heartbeats and IHAVE', gossip: true, bytesPerHour: counted.gossip },
    { name: 'DHT self-query', gossip: false, bytesPerHour: perHour(DHT_UPKEEP_MS) * walk },
    {
      name: 'DHT table refresh',
      gossip: false,
      bytesPerHour: perHour(DHT_UPKEEP_MS) * buckets * walk,
    },
    {
      name: 'pings of the connection monitor',
      gossip: false,
      // each end asks, and answers the other
      bytesPerHour: perHour(PING_MS) * CONNECTIONS * 2 * PING_BYTES,
    },
    {
      name: 'yamux keep-alive',
      gossip: false,
      bytesPerHour: perHour(KEEP_ALIVE_MS) * CONNECTIONS * 2 * (12 + FRAME_BYTES),
    },
  ]
}

async function countedIdle(nodes: number, seed: number) {
  using _source = seededSource(seed)
  const world = new World({ nodes, seed, reorganises: false, twist: () => undefined })
  await world.start()
  // the first adverts are those of nodes that start, not of nodes that are idle
  await world.clock.run(() => false, world.clock.now() + 1 * minute)
  const sums = () =>
    COUNTED.map((names) => names.reduce((sum, name) => sum + world.traffic.sum(name).bytes, 0))
  const before = sums()
  await world.clock.run(() => false, world.clock.now() + WATCHED_MS)
  const rates = sums().map((sum, at) => ((sum - (before[at] ?? 0)) / nodes) * (hour / WATCHED_MS))
  await world.stop()
  const [put = 0, provide = 0, check = 0, gossip = 0] = rates
  return { put, provide, check, gossip }
}
