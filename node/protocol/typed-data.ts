import { concat, keccak256, TypedDataEncoder } from 'ethers'
import type { Address, Bytes32, Hex } from '../domain/ids.ts'
import { fromHex, toHex } from './bytes.ts'
import { MESSAGES, type MessageName, type Messages } from './messages.ts'
import type { Field } from './schema.ts'

/** Where a signature counts: one chain, one contract. */
export interface SigningDomain {
  readonly chainId: number
  readonly escrow: Address
}

/** Name and version that the contract declares. Source: contracts/ComputeEscrow.sol. */
const DOMAIN_NAME = 'ComputeEscrow'
const DOMAIN_VERSION = '1'

const encoders = new Map<MessageName, TypedDataEncoder>()

/** EIP-712 struct hash: the id of a message. */
export function structHash<N extends MessageName>(name: N, message: Messages[N]): Bytes32 {
  return encoderOf(name).hash(message) as Bytes32
}

/** EIP-712 separator of a signing domain. */
export function domainSeparator(domain: SigningDomain): Bytes32 {
  return TypedDataEncoder.hashDomain({
    name: DOMAIN_NAME,
    version: DOMAIN_VERSION,
    chainId: domain.chainId,
    verifyingContract: domain.escrow,
  }) as Bytes32
}

/** What is signed: the digest of `hash` under a domain separator. */
export function digestOf(separator: Bytes32, hash: Bytes32): Uint8Array {
  return fromHex(keccak256(concat(['0x1901', separator, hash])) as Hex)
}

/** EIP-712 hash of a `uint32[]`, by which an agreement commits to its award's tasks. */
export function taskListHash(tasks: readonly number[]): Bytes32 {
  return keccak256(
    `0x${tasks.map((task) => task.toString(16).padStart(64, '0')).join('')}`,
  ) as Bytes32
}

/** keccak-256 of bytes. */
export function keccak(bytes: Uint8Array): Bytes32 {
  return keccak256(toHex(bytes)) as Bytes32
}

function encoderOf(name: MessageName): TypedDataEncoder {
  let encoder = encoders.get(name)
  if (encoder === undefined) {
    const fields = Object.entries(MESSAGES[name].fields as Record<string, Field<unknown>>)
    encoder = TypedDataEncoder.from({
      [name]: fields.map(([field, { solidity }]) => ({ name: field, type: solidity })),
    })
    encoders.set(name, encoder)
  }
  return encoder
}
