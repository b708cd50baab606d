import { ACK_BYTES, FRAME_BYTES } from './wire-costs.ts'

/** Nodes that hold each record. Source: k of the Kademlia specification of libp2p. */
const COPIES = 20
/** Nodes asked at a time in each step. Source: alpha of the same. */
const AT_ONCE = 3
/** Bytes of one peer in an answer: an id of 37 bytes, two addresses of 8, tags and lengths. Source: the Kademlia specification, Message.Peer. */
const PEER_BYTES = 70
/** Bytes of a question: its type, a key of 36 bytes and their tags. */
const QUESTION_BYTES = 50
const WIRE_BYTES: number = FRAME_BYTES + ACK_BYTES / 2

/** Messages, and bytes of all of them together. */
export interface DhtCost {
  readonly messages: number
  readonly bytes: number
}

/** Steps of a walk, one after another. */
export function walkSteps(nodes: number): number {
  return Math.ceil(walkLength(nodes))
}

/**
 * What it takes to find the nodes nearest to a key in a network of so many: a walk that asks until the nearest have
 * answered, each with the nodes nearest to the key that it knows.
 */
export function walkCost(nodes: number): DhtCost {
  const asked = Math.min(
    holdersOf(nodes) + Math.ceil(AT_ONCE * walkLength(nodes)),
    Math.max(nodes - 1, 1),
  )
  const answer = holdersOf(nodes) * PEER_BYTES + WIRE_BYTES
  return { messages: 2 * asked, bytes: asked * (QUESTION_BYTES + WIRE_BYTES + answer) }
}

/** What it takes to store one record: a walk, and then the record to each of the nearest, who answer shortly. */
export function storeCost(nodes: number, recordBytes: number): DhtCost {
  const walk = walkCost(nodes)
  const holders = holdersOf(nodes)
  const record = QUESTION_BYTES + PEER_BYTES + recordBytes + WIRE_BYTES
  return {
    messages: walk.messages + 2 * holders,
    bytes: walk.bytes + holders * (record + QUESTION_BYTES + WIRE_BYTES),
  }
}

/** What it takes to find one record: a walk, in which the holders, who are the nearest, answer with it too. */
export function fetchCost(nodes: number, recordBytes: number): DhtCost {
  const { messages, bytes } = walkCost(nodes)
  return { messages, bytes: bytes + holdersOf(nodes) * recordBytes }
}

/** Each step halves the distance as often as a bucket has bits to offer. */
function walkLength(nodes: number): number {
  return Math.log2(Math.max(nodes, 2)) / Math.log2(COPIES)
}

function holdersOf(nodes: number): number {
  return Math.min(COPIES, Math.max(nodes - 1, 1))
}
