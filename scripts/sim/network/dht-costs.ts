import { ACK_BYTES, FRAME_BYTES } from './wire-costs.ts'

/** Nodes that hold each record. Source: k of the Kademlia specification of libp2p. */
const COPIES = 20
/** Bytes of one peer in an answer: its id and two addresses. Source: the Kademlia specification, Message.Peer. */
const PEER_BYTES = 100
/** Bytes of a question: its type, a key of 36 bytes and their tags. */
const QUESTION_BYTES = 50

/**
 * What it takes to store one record in a network of so many nodes: a walk that asks nodes until the nearest have
 * answered, each with the nodes nearest to the key that it knows, and the record to each of those.
 */
export function dhtCost(
  nodes: number,
  recordBytes: number,
): { readonly messages: number; readonly bytes: number } {
  const holders = Math.min(COPIES, Math.max(nodes - 1, 1))
  // each step halves the distance as often as a bucket has bits to offer: log2(n) / log2(k), three at once
  const steps = Math.ceil((3 * Math.log2(Math.max(nodes, 2))) / Math.log2(COPIES))
  const asked = Math.min(holders + steps, Math.max(nodes - 1, 1))
  const wire = FRAME_BYTES + ACK_BYTES / 2
  const question = QUESTION_BYTES + wire
  const answer = holders * PEER_BYTES + wire
  const record = QUESTION_BYTES + PEER_BYTES + recordBytes + wire
  return {
    messages: 2 * asked + 2 * holders,
    bytes: asked * (question + answer) + holders * (record + question),
  }
}
