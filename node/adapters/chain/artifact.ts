import { Interface } from 'ethers'
import artifact from './compute-escrow.artifact.json' with { type: 'json' }

/** The escrow's functions, events and errors, as built from contracts/. */
export const ESCROW_INTERFACE = new Interface(artifact.ComputeEscrow.abi)
/** Creation code of the escrow. */
export const ESCROW_BYTECODE: string = artifact.ComputeEscrow.bytecode
/** The token of devnets, which also has what any settlement token has. */
export const TOKEN_INTERFACE = new Interface(artifact.TestToken.abi)
/** Creation code of the devnet token. */
export const TOKEN_BYTECODE: string = artifact.TestToken.bytecode
