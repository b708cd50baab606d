import { second } from '../domain/units.ts'
import {
  MAX_ADVERT_BYTES,
  MAX_AWARD_BYTES,
  MAX_BID_BYTES,
  MAX_CHALLENGE_BYTES,
  MAX_COMMAND_BYTES,
  MAX_FRAME_BYTES,
  MAX_OFFER_BYTES,
  MAX_SEALED_SECRETS_BYTES,
  MAX_SMALL_BYTES,
  MAX_VOUCHER_BYTES,
  REQUEST_TIMEOUT_MS,
} from './limits.ts'

/** Which of the two ends send more than one message. */
type Streams = boolean | 'both'

/** Everything a direct protocol must declare before it can have a handler. */
interface ProtocolRow {
  readonly id: string
  readonly maxRequestBytes: number
  /** For one answer, or for each frame where `streams`; of a two-way stream for those of either end. */
  readonly maxResponseBytes: number
  /** For the answer, or between two frames where `streams`. */
  readonly timeoutMs: number
  /** Requests that one peer may send in a minute; beyond it the answer is PEER_QUOTA. */
  readonly perPeerPerMinute: number
  /** The answer is a sequence of frames closed by an end frame; `both`: and so is what the caller says. */
  readonly streams: Streams
}

/** The direct protocols. docs/limits.md prints this table; a test compares them. */
export const PROTOCOLS = {
  /** Requester → provider: an offer, where gossip does not do; answered, like one that was gossiped, by `bid`. */
  offer: row('offer', MAX_OFFER_BYTES, MAX_SMALL_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Provider → requester: a bid with its bond offer. */
  bid: row('bid', MAX_BID_BYTES, MAX_SMALL_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Requester → provider: agreement and award; answered by the countersigned agreement. */
  award: row('award', MAX_AWARD_BYTES, MAX_SMALL_BYTES * 2, 30 * second, 240),
  /** Requester → provider: what happens to a share, from an event number on. */
  follow: { ...row('follow', MAX_SMALL_BYTES, MAX_FRAME_BYTES, 30 * second, 240), streams: true },
  /** Requester → provider: a cumulative voucher. */
  voucher: row('voucher', MAX_VOUCHER_BYTES, MAX_SMALL_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Requester → provider: a share is given up. */
  cancel: row('cancel', MAX_SMALL_BYTES, MAX_SMALL_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Requester → provider: end a share with what it has so far. */
  stop: row('stop', MAX_SMALL_BYTES, MAX_SMALL_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Provider → requester: the countersigned agreement; answered by the secrets of its job, sealed to that provider. */
  secrets: row('secrets', MAX_SMALL_BYTES * 2, MAX_SEALED_SECRETS_BYTES, REQUEST_TIMEOUT_MS, 240),
  /** Anyone → anyone: your signed advert, please; the peer itself is the fact. */
  advert: row('advert', MAX_SMALL_BYTES, MAX_ADVERT_BYTES, REQUEST_TIMEOUT_MS, 60),
  /** Anyone → anyone: do you find my advert in the DHT, and can you connect to me? */
  sight: row('sight', MAX_SMALL_BYTES, MAX_SMALL_BYTES, 20 * second, 6),
  /** Anyone → anyone: stand ready for a challenge; answered when the cores that it names can begin. */
  challenge: row('challenge', MAX_SMALL_BYTES, MAX_SMALL_BYTES, 20 * second, 6),
  /** After it: one round, timed by who asks. */
  prove: row('prove', MAX_SMALL_BYTES, MAX_CHALLENGE_BYTES, 20 * second, 24),
  /** After it: bytes whose way is timed. */
  speed: { ...row('speed', MAX_SMALL_BYTES, MAX_FRAME_BYTES, 10 * second, 6), streams: true },
  /** Requester → provider: a program inside a task that runs, with its input and output. */
  exec: { ...row('exec', MAX_COMMAND_BYTES, MAX_FRAME_BYTES, 30 * second, 60), streams: 'both' },
  /** Requester → provider: a connection to a port inside a task that runs. */
  forward: {
    ...row('forward', MAX_SMALL_BYTES, MAX_FRAME_BYTES, 30 * second, 600),
    streams: 'both',
  },
} as const satisfies Record<string, ProtocolRow>

/** A row of the table above. */
export type ProtocolName = keyof typeof PROTOCOLS

function row(
  name: string,
  maxRequestBytes: number,
  maxResponseBytes: number,
  timeoutMs: number,
  perPeerPerMinute: number,
) {
  const id = `/computehive/${name}/1.0.0`
  return { id, maxRequestBytes, maxResponseBytes, timeoutMs, perPeerPerMinute, streams: false }
}
