import { Contract, type Interface, type JsonRpcProvider, ZeroAddress } from 'ethers'
import computeEscrow from '../../ignition/modules/compute-escrow.ts'
import testToken from '../../ignition/modules/test-token.ts'
import { ESCROW_INTERFACE, TOKEN_INTERFACE } from '../../node/adapters/chain/artifact.ts'
import { asChainError } from '../../node/adapters/chain/chain-error.ts'
import { connectRpc } from '../../node/adapters/chain/rpc-endpoint.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { TOKEN_DECIMALS } from '../../node/domain/money.ts'
import { type Deployer, openDeployer } from './deployer.ts'
import type { DeploySettings } from './settings.ts'

/** What others need to know of a deployment. */
export interface Deployment {
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  readonly owner: Address
  readonly treasury: Address
  readonly feeBps: number
  /** A verifier that agreements may name: silence is consent. */
  readonly optimisticVerifier: Address
  /** Of the escrow's creation: nothing of it is older. */
  readonly block: number
  readonly transaction: Bytes32
}

/**
 * Deploys ComputeEscrow, or goes on with a deployment that was interrupted, and reads back that it says what it was told.
 * Throws `CHAIN_WRONG` or `INPUT_INVALID` before anything is sent.
 */
export async function deployEscrow(
  settings: DeploySettings,
  signal: AbortSignal,
): Promise<Deployment> {
  const { chainId, owner, treasury, feeBps } = settings
  const rpc = await connectRpc(settings.rpc, chainId, signal)
  try {
    if (settings.token !== 'test' && settings.token !== 'coin')
      await checkToken(rpc, settings.token)
    await using deployer = await openDeployer(settings)
    const token = await tokenOf(settings.token, deployer)
    signal.throwIfAborted()
    const made = await deployer.run(computeEscrow, { token, owner, treasury, feeBps })
    const escrow = contractOf(made, 'ComputeEscrow')
    const optimisticVerifier = contractOf(made, 'OptimisticVerifier')
    const transaction = await deployer.creationOf('ComputeEscrow')
    const receipt = await rpc.getTransactionReceipt(transaction)
    if (receipt === null)
      throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'read back', transaction })
    const block = receipt.blockNumber
    const said = await read(rpc, escrow, ESCROW_INTERFACE, ['token', 'owner', 'treasury', 'feeBps'])
    const told = [token, owner, treasury, feeBps].map(String)
    if (said.some((value, at) => value.toLowerCase() !== told[at]))
      throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'read back', escrow })
    return {
      chainId,
      escrow,
      token,
      owner,
      treasury,
      feeBps,
      optimisticVerifier,
      block,
      transaction,
    }
  } catch (error) {
    throw asChainError(error, 'deploy')
  } finally {
    rpc.destroy()
  }
}

async function tokenOf(wanted: DeploySettings['token'], deployer: Deployer): Promise<Address> {
  if (wanted === 'coin') return ZeroAddress as Address
  return wanted === 'test' ? contractOf(await deployer.run(testToken, {}), 'TestToken') : wanted
}

function contractOf(made: Readonly<Record<string, Address>>, name: string): Address {
  const address = made[name]
  if (address === undefined)
    throw new HiveError('CHAIN_ANSWER_INVALID', { action: `deploy ${name}` })
  return address
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
