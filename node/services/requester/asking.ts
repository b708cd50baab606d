import { nextBidShare, offerDepth, prefixOf } from '../../domain/rendezvous.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Store } from '../../ports/store.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { groupsOf, offerTopic, pointOfOffer } from '../../protocol/topics.ts'
import { Table } from '../table.ts'

/** One step of the widening: a topic, and about how many listen there. */
export interface Rung {
  readonly topic: string
  readonly hearers: number
  /** Its nodes are not expected to bid, only to say why not: worth asking when nobody has bid. */
  readonly sample: boolean
}

/** The way that an offer widens. */
export interface Ladder {
  /** The group that its taking is learned for. */
  readonly group: string
  /** About how many nodes take such offers in all. */
  readonly listeners: number
  readonly rungs: readonly Rung[]
}

interface BidShare {
  readonly group: string
  readonly bidShare: number
}

/** Decides how many nodes are asked for bids at first and next, and learns from what came back. */
export class Asking {
  readonly #gossip: Gossip
  readonly #table: Table<BidShare>
  readonly #shares = new Map<string, number>()

  constructor(parts: { readonly gossip: Gossip; readonly store: Store }) {
    this.#gossip = parts.gossip
    this.#table = new Table(parts.store, 'asked/')
  }

  /** Reads back what was learned before a restart. */
  async load(): Promise<void> {
    for await (const { group, bidShare } of this.#table.all()) this.#shares.set(group, bidShare)
  }

  /**
   * Whom to ask for `wanted` bids: a shelf of those most likely to take it, then twice as many each time up to
   * all of them. Where others could at least say why they do not, a sample of these comes last.
   */
  ladder({ id, message }: Signed<'Offer'>, wanted: number): Ladder {
    const [group = message.class, ...others] = groupsOf(message)
    const bidShare = this.#shares.get(group) ?? 1
    const point = pointOfOffer(id)
    const listeners = this.#listeners(message.network, group)
    const rungAt = (name: string, all: number, depth: number): Rung => ({
      topic: offerTopic(message.network, name, prefixOf(point, depth)),
      hearers: all / 2 ** depth,
      sample: name !== group,
    })
    const deepest = offerDepth(listeners, bidShare, wanted)
    const own = Array.from({ length: deepest + 1 }, (_, step) =>
      rungAt(group, listeners, deepest - step),
    )
    const samples = others.map((name) => {
      const all = this.#listeners(message.network, name)
      return rungAt(name, all, offerDepth(all, 1, wanted))
    })
    return { group, listeners, rungs: [...own, ...samples] }
  }

  /** Remembers how many bids came of how many hearers. `closedEarly`: enough did, and more might have. */
  async learn(group: string, hearers: number, bids: number, closedEarly: boolean): Promise<void> {
    if (hearers < 1) return
    const before = this.#shares.get(group) ?? 1
    const bidShare = nextBidShare(before, hearers, bids, closedEarly)
    if (Math.abs(bidShare - before) < before / 100) return
    this.#shares.set(group, bidShare)
    await this.#table.put(group, { group, bidShare })
  }

  #listeners(network: string, group: string): number {
    return this.#gossip.listeners(offerTopic(network, group))
  }
}
