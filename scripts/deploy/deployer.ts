import { readFile } from 'node:fs/promises'
import { type JsonRpcProvider, Wallet } from 'ethers'
import { openKeystore } from '../../node/adapters/chain/keystore.ts'
import { TransactionLane } from '../../node/adapters/chain/transaction-lane.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { toHex } from '../../node/protocol/bytes.ts'
import type { DeploySettings } from './settings.ts'

/** A contract that is there now. */
export interface Deployed {
  readonly address: Address
  readonly transaction: Bytes32
  readonly block: number
}

/** Sends creation code and waits until it is mined and confirmed. */
export type Deployer = (action: string, creation: string, signal: AbortSignal) => Promise<Deployed>

/** Deploys with the key of a keystore, or with an account that the endpoint itself has unlocked. */
export async function openDeployer(
  rpc: JsonRpcProvider,
  { payer, confirmations }: DeploySettings,
): Promise<Deployer> {
  if ('account' in payer) {
    const signer = await rpc.getSigner(payer.account)
    return async (action, data) => {
      const sent = await signer.sendTransaction({ data })
      await sent.wait(confirmations)
      return created(rpc, action, sent.hash as Bytes32)
    }
  }
  const passphrase = (await readFile(payer.passphraseFile, 'utf8')).replace(/\r?\n$/, '')
  const key = await openKeystore(await readFile(payer.keystore, 'utf8'), passphrase)
  const wallet = new Wallet(toHex(key), rpc)
  const lane = new TransactionLane({ clock: systemClock, rpc, wallet }, { confirmations })
  return async (action, data, signal) => {
    const { hash } = await lane.send(action, { data }, signal)
    return created(rpc, action, hash)
  }
}

async function created(rpc: JsonRpcProvider, action: string, hash: Bytes32): Promise<Deployed> {
  const receipt = await rpc.getTransactionReceipt(hash)
  const address = receipt?.contractAddress
  if (typeof address !== 'string' || receipt === null)
    throw new HiveError('CHAIN_ANSWER_INVALID', { action, transaction: hash })
  return {
    address: address.toLowerCase() as Address,
    transaction: hash,
    block: receipt.blockNumber,
  }
}
