import { short } from '../../domain/ids.ts'
import type { EscrowEvent } from '../../ports/escrow.ts'
import type { ChannelReading } from './channel-reading.ts'
import type { Findings } from './findings.ts'

/** One endpoint's name and what it says of a channel. */
export interface Told {
  readonly endpoint: string
  readonly reading: ChannelReading
}

/** Holds two endpoints' words against each other, up to the last block that both know. */
export function compare(one: Told, other: Told, findings: Findings): void {
  const { id } = one.reading
  const upTo = Math.min(one.reading.newestBlock, other.reading.newestBlock)
  const [left, right] = [keysUpTo(one, upTo), keysUpTo(other, upTo)]
  const at = left.findIndex((key, place) => key !== right[place])
  const place = at < 0 ? left.length : at
  if (at < 0 && left.length === right.length) {
    findings.onChain(
      `${one.endpoint} and ${other.endpoint} tell the same of channel ${short(id)} up to block ${upTo}.`,
    )
    return
  }
  findings.refuted(
    `The endpoints disagree about channel ${short(id)}: ${said(one, place, upTo)}, ${said(other, place, upTo)}. One of them lies, or follows a chain that was reorganised; it cannot be told from here which. What is said to be proven by the chain is as ${one.endpoint} tells it.`,
  )
}

function keysUpTo({ reading }: Told, block: number): string[] {
  return reading.events.filter((event) => event.block <= block).map(keyOf)
}

/** The same event always gives the same text. */
function keyOf(event: EscrowEvent): string {
  const fields = Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(fields.map(([name, value]) => [name, String(value)]))
}

function said({ endpoint, reading }: Told, place: number, upTo: number): string {
  const event = reading.events.filter(({ block }) => block <= upTo)[place]
  return event === undefined
    ? `${endpoint} knows of nothing more up to block ${upTo}`
    : `${endpoint} says “${event.type}” in block ${event.block}`
}
