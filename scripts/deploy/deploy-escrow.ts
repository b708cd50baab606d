import { Contract, type Interface, type JsonRpcProvider } from 'ethers'
import {
  ESCROW_BYTECODE,
  ESCROW_INTERFACE,
  TOKEN_BYTECODE,
  TOKEN_INTERFACE,
} from '../../node/adapters/chain/artifact.ts'
import { asChainError } from '../../node/adapters/chain/chain-error.ts'
import { connectRpc } from '../../node/adapters/chain/rpc-endpoint.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { TOKEN_DECIMALS } from '../../node/domain/money.ts'
import { openDeployer } from './deployer.ts'
import type { DeploySettings } from './settings.ts'

/** What others need to know of a deployment. */
export interface Deployment {
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  readonly owner: Address
  readonly treasury: Address
  readonly feeBps: number
  /** Of the escrow's creation: nothing of it is older. */
  readonly block: number
  readonly transaction: Bytes32
}

/**
 * Deploys ComputeEscrow, and reads back that it says what it was told. Throws `CHAIN_WRONG` or
 * `INPUT_INVALID` before anything is sent.
 */
export async function deployEscrow(
  settings: DeploySettings,
  signal: AbortSignal,
): Promise<Deployment> {
  const { chainId, owner, treasury, feeBps } = settings
  const rpc = await connectRpc(settings.rpc, chainId, signal)
  try {
    const deployer = await openDeployer(rpc, settings)
    if (settings.token !== 'test') await checkToken(rpc, settings.token)
    const token =
      settings.token === 'test'
        ? (await deployer('deploy TestToken', TOKEN_BYTECODE, signal)).address
        : settings.token
    const values = ESCROW_INTERFACE.encodeDeploy([token, owner, treasury, feeBps]).slice(2)
    const made = await deployer('deploy ComputeEscrow', ESCROW_BYTECODE + values, signal)
    const { address: escrow, block, transaction } = made
    const said = await read(rpc, escrow, ESCROW_INTERFACE, ['token', 'owner', 'treasury', 'feeBps'])
    const told = [token, owner, treasury, feeBps].map(String)
    if (said.some((value, at) => value.toLowerCase() !== told[at]))
      throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'read back', escrow })
    return { chainId, escrow, token, owner, treasury, feeBps, block, transaction }
  } catch (error) {
    throw asChainError(error, 'deploy')
  } finally {
    rpc.destroy()
  }
}

async function checkToken(rpc: JsonRpcProvider, token: Address): Promise<void> {
  const [decimals] = await read(rpc, token, TOKEN_INTERFACE, ['decimals']).catch(
    (cause: unknown) => {
      const problems = [`HIVE_DEPLOY_TOKEN: no token answers at ${token}`]
      throw new HiveError('INPUT_INVALID', { problems }, { cause })
    },
  )
  // Nodes would be off by powers of ten.
  if (decimals === String(TOKEN_DECIMALS)) return
  const problems = [`HIVE_DEPLOY_TOKEN: has ${decimals} decimals, not ${TOKEN_DECIMALS}`]
  throw new HiveError('INPUT_INVALID', { problems })
}

async function read(
  rpc: JsonRpcProvider,
  address: Address,
  abi: Interface,
  names: readonly string[],
): Promise<string[]> {
  const contract = new Contract(address, abi, rpc)
  return Promise.all(names.map(async (name) => String(await contract.getFunction(name)())))
}
