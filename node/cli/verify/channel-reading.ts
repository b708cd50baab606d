import type { Bytes32 } from '../../domain/ids.ts'
import { codeOf } from '../../domain/errors.ts'
import type { EscrowChannel, EscrowEvent, EscrowReads } from '../../ports/escrow.ts'
import { channelId, requesterSignerOf } from '../../protocol/channel-id.ts'
import { sumsOf } from './channel-sums.ts'

/** What one endpoint says of a channel. */
export interface ChannelReading {
  readonly id: Bytes32
  /** The events are complete up to this block. */
  readonly newestBlock: number
  /** `undefined` when the contract has never opened it. */
  readonly channel: EscrowChannel | undefined
  readonly events: readonly EscrowEvent[]
  /** Why no contract can be in this state; `undefined` when one can. */
  readonly fault: string | undefined
}

/** Something may be mined between two questions: readings that do not fit are taken so often. */
const READINGS = 3

/** Answers of an endpoint that no contract would give. */
const IMPOSSIBLE: ReadonlySet<string> = new Set(['CHAIN_ANSWER_INVALID', 'CHANNEL_UNKNOWN'])

/** What may still happen to a channel that is closed: cases go on, and money comes back. */
const AFTER_THE_CLOSE: ReadonlySet<EscrowEvent['type']> = new Set([
  'case-opened',
  'case-ended',
  'bond-released',
  'refunded',
])

/** Reads a channel's state and events, and holds them against each other. */
export async function readChannel(
  escrow: EscrowReads,
  id: Bytes32,
  signal: AbortSignal,
): Promise<ChannelReading> {
  for (let left = READINGS; ; left--) {
    const reading = await readOnce(escrow, id, signal)
    if (reading.fault === undefined || left <= 1) return reading
  }
}

async function readOnce(
  escrow: EscrowReads,
  id: Bytes32,
  signal: AbortSignal,
): Promise<ChannelReading> {
  const newestBlock = await escrow.newestBlock({ signal })
  try {
    const events = await escrow.events({ fromBlock: 0, channel: id }, { signal })
    const channel = await escrow.channel(id, { signal })
    const reading = { id, newestBlock, channel, events }
    return { ...reading, fault: faultOfEvents(escrow, reading) ?? faultOfState(reading) }
  } catch (error) {
    const code = codeOf(error)
    if (!IMPOSSIBLE.has(code)) throw error
    const fault = `its answer cannot be one of the contract (${code})`
    return { id, newestBlock, channel: undefined, events: [], fault }
  }
}

type Told = Omit<ChannelReading, 'fault'>

function faultOfEvents(
  { chainId, address }: EscrowReads,
  { id, events }: Told,
): string | undefined {
  const [first, ...later] = events
  if (first === undefined) return undefined
  if (first.type !== 'opened' || later.some(({ type }) => type === 'opened'))
    return 'the channel’s story does not begin with one opening'
  // An endpoint cannot make up parties or keys: their hash is the id that was asked for.
  const isTheirs = channelId({ chainId, escrow: address }, first) === id
  if (!isTheirs || first.requesterSigner !== requesterSignerOf(first.nonce))
    return 'the parties that it names are not those of the channel’s id'
  if (events.some(({ channel }) => channel !== id))
    return 'it answers with another channel’s events'
  if (later.some(({ block }, at) => block < (events[at]?.block ?? 0)))
    return 'its events are not in the order of their blocks'
  const end = events.findIndex(({ type }) => type === 'closed')
  if (end >= 0 && events.slice(end + 1).some(({ type }) => !AFTER_THE_CLOSE.has(type)))
    return 'something happened in the channel after its close'
  const { claims, settled, deposit } = sumsOf(events)
  if (claims.some(({ claim: { paid, fee } }) => paid <= 0n || fee > paid))
    return 'a claim paid nothing'
  return settled > deposit ? 'the channel paid more than its deposit' : undefined
}

function faultOfState({ channel, events }: Told): string | undefined {
  const { opened, settled, deposit, closing, closed } = sumsOf(events)
  if (channel === undefined)
    return opened === undefined ? undefined : 'it tells of a channel that its state does not know'
  if (opened === undefined) return 'its state knows a channel that was never opened'
  if (channel.settled !== settled) return 'what was paid differs between the events and the state'
  if (closed !== undefined) {
    const before = sumsOf(events.slice(0, events.indexOf(closed)))
    if (closed.settled !== before.settled)
      return 'what was paid differs between the close and the events before it'
  }
  const status = closed !== undefined ? 'closed' : closing !== undefined ? 'closing' : 'open'
  if (channel.status !== status) return `the events say ${status}, the state ${channel.status}`
  if (closed === undefined && channel.deposit !== deposit)
    return 'the deposit differs between the events and the state'
  if (status === 'closing' && channel.closeAt !== closing?.closeAt)
    return 'the end of the notice differs between the events and the state'
  return undefined
}
