import { hash } from 'node:crypto'
import { CHAIN_BLOCK_BYTES, CHAIN_STATE_BYTES, type ChainJob } from '../../../domain/challenge.ts'

/** The states at the ends of a chain's segments, one after the other. docs/protocol/challenge.md says what a link is. */
export function runChain({ start, lane, first, segments, links }: ChainJob): Uint8Array {
  const block = Buffer.alloc(CHAIN_BLOCK_BYTES)
  const states = Buffer.alloc(segments * CHAIN_STATE_BYTES)
  block.set(start)
  block.set(lane, CHAIN_STATE_BYTES)
  for (let segment = 0; segment < segments; segment += 1) {
    block.writeUInt32BE(first + segment, 2 * CHAIN_STATE_BYTES)
    for (let link = 0; link < links; link += 1) block.set(hash('sha256', block, 'buffer'))
    block.copy(states, segment * CHAIN_STATE_BYTES, 0, CHAIN_STATE_BYTES)
  }
  return states
}
