import { ContractFactory, JsonRpcProvider, parseEther, type Signer, ZeroAddress } from 'ethers'
import type { Address } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { ESCROW_BYTECODE, ESCROW_INTERFACE, TOKEN_BYTECODE, TOKEN_INTERFACE } from './artifact.ts'

/** A fresh escrow with a token of its own, on a chain whose endpoint has unlocked accounts. */
export interface DevnetContracts {
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  readonly treasury: Address
  /** Gives an account coin for gas, and tokens if the escrow is of a token. */
  fund(account: Address, tokens: Amount): Promise<void>
}

/** Coin that a funded account gets for gas. */
const GAS_MONEY = parseEther('10')

/**
 * Deploys an escrow on a development chain, of a test token or of the chain's own coin. Not for chains
 * with real money.
 */
export async function deployDevnet(
  rpc: string,
  feeBps: number,
  settlesIn: 'token' | 'coin' = 'token',
): Promise<DevnetContracts & AsyncDisposable> {
  const provider = new JsonRpcProvider(rpc, undefined, {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 100,
  })
  const [deployer, treasurer] = [await provider.getSigner(0), await provider.getSigner(1)]
  const treasury = treasurer.address.toLowerCase() as Address
  const token =
    settlesIn === 'coin'
      ? (ZeroAddress as Address)
      : await deploy(TOKEN_BYTECODE, TOKEN_INTERFACE, deployer, [])
  const escrow = await deploy(ESCROW_BYTECODE, ESCROW_INTERFACE, deployer, [
    token,
    deployer.address,
    treasury,
    feeBps,
  ])
  return {
    chainId: Number((await provider.getNetwork()).chainId),
    escrow,
    token,
    treasury,
    async fund(account, tokens) {
      const coin = await deployer.sendTransaction({ to: account, value: GAS_MONEY })
      await coin.wait()
      if (settlesIn === 'coin') return
      const data = TOKEN_INTERFACE.encodeFunctionData('mint', [account, tokens])
      const minted = await deployer.sendTransaction({ to: token, data })
      await minted.wait()
    },
    async [Symbol.asyncDispose]() {
      provider.destroy()
    },
  }
}

async function deploy(
  bytecode: string,
  abi: ConstructorParameters<typeof ContractFactory>[0],
  signer: Signer,
  values: readonly unknown[],
): Promise<Address> {
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...values)
  await contract.waitForDeployment()
  return (await contract.getAddress()).toLowerCase() as Address
}
