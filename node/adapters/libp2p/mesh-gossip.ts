import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { Verdict } from '../../domain/offer.ts'
import type { Gossip, GossipHandler, TopicRules } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import { checkSize } from './answer-codec.ts'
import { MAX_GOSSIP_BYTES } from './options.ts'
import { TopicMeter } from './topic-meter.ts'
import { scoreTopic } from './topic-scores.ts'

/** What the service has beside its public type. */
interface Subscribers {
  getSubscribers(topic: string): readonly unknown[]
}

/** How many times the nodes connected to the network must seem to have before that is believed. */
const ESTIMATE_FROM = 1.5

const RESULTS: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** Gossip over GossipSub: handlers are topic validators, so a message is judged before it goes on. */
export class MeshGossip implements Gossip {
  readonly #pubsub: GossipSub
  readonly #logger: Logger
  readonly #networkSize: () => number

  constructor(parts: {
    readonly pubsub: GossipSub
    readonly logger: Logger
    /** About how many nodes the network has, this one included. */
    readonly networkSize: () => number
  }) {
    this.#pubsub = parts.pubsub
    this.#networkSize = parts.networkSize
    this.#logger = parts.logger
  }

  subscribe(
    topic: string,
    options: TopicRules & { readonly signal: AbortSignal },
    handler: GossipHandler,
  ): void {
    if (this.#pubsub.topicValidators.has(topic)) {
      throw new HiveError('INTERNAL', { topic, expected: 'one handler' })
    }
    options.signal.throwIfAborted()
    const meter = new TopicMeter(options.perMinute)
    scoreTopic(this.#pubsub, topic)
    this.#pubsub.topicValidators.set(topic, async (sender, message) => {
      const flow = meter.take(sender.toString(), Date.now())
      if (flow !== 'take') return RESULTS[flow === 'flood' ? 'reject' : 'ignore']
      return RESULTS[await this.#judge(topic, message, options.maxBytes, handler)]
    })
    this.#pubsub.subscribe(topic)
    options.signal.addEventListener('abort', () => this.#leave(topic), { once: true })
  }

  async publish(topic: string, bytes: Uint8Array): Promise<readonly PeerId[]> {
    checkSize(bytes, MAX_GOSSIP_BYTES)
    try {
      const { recipients } = await this.#pubsub.publish(topic, bytes)
      return recipients.map(String)
    } catch (cause) {
      // thrown before the message counts as seen, so the same one can be published again later
      if (isNobodyThere(cause)) return []
      throw new HiveError('INTERNAL', { topic }, { cause })
    }
  }

  listeners(topic: string): number {
    // getSubscribers is there, but not in the service's public type
    const { length } = (this.#pubsub as unknown as Subscribers).getSubscribers(topic)
    const connected = this.#pubsub.getPeers().length
    const others = this.#networkSize() - 1
    // what few know of is known exactly; an estimate a little above it is chance
    return others > ESTIMATE_FROM * connected ? (length / connected) * others : length
  }

  async #judge(
    topic: string,
    message: Message,
    maxBytes: number,
    handler: GossipHandler,
  ): Promise<Verdict> {
    if (message.data.byteLength > maxBytes) return 'reject'
    try {
      return await handler(message.data)
    } catch (error) {
      // a handler's bug is not its sender's fault
      this.#logger.error('gossip handler failed', { topic, error: String(error) })
      return 'ignore'
    }
  }

  #leave(topic: string): void {
    this.#pubsub.topicValidators.delete(topic)
    try {
      this.#pubsub.unsubscribe(topic)
    } catch {
      // the node stopped first; it is in no topic any more
    }
  }
}

function isNobodyThere(cause: unknown): boolean {
  return cause instanceof Error && cause.message === 'PublishError.NoPeersSubscribedToTopic'
}
