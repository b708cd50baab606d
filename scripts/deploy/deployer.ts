import { readFile } from 'node:fs/promises'
import { HardhatArtifactResolver } from '@nomicfoundation/hardhat-ignition/helpers'
import {
  deploy,
  DeploymentResultType,
  listTransactions,
  type DeploymentResult,
  type IgnitionModule,
  type ModuleParameters,
} from '@nomicfoundation/ignition-core'
import hre from 'hardhat'
import { openKeystore } from '../../node/adapters/chain/keystore.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { second } from '../../node/domain/units.ts'
import { toHex } from '../../node/protocol/bytes.ts'
import type { DeploySettings } from './settings.ts'

/** Runs Ignition modules with one journal. */
export interface Deployer extends AsyncDisposable {
  /**
   * Deploys what the journal does not have yet, waits for the confirmations, and gives the address of each contract by
   * name. Throws `INPUT_INVALID` when the journal is of other settings, and `CHAIN_REVERTED`.
   */
  run(module: IgnitionModule, parameters: ModuleParameters): Promise<Record<string, Address>>
  /** Transaction that created a contract. */
  creationOf(contract: string): Promise<Bytes32>
}

/** How long a transaction may wait before it is sent again with a higher fee, ms. */
const FEE_BUMP_MS: number = 60 * second
const BLOCK_POLL_MS: number = 1 * second

/** Deploys with the key of a keystore, or with an account that the endpoint itself has unlocked. */
export async function openDeployer(settings: DeploySettings): Promise<Deployer> {
  const { payer, rpc, chainId, confirmations, journal } = settings
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true })
  const accounts = 'account' in payer ? 'remote' : [await keyOf(payer)]
  const connection = await hre.network.create({
    network: 'target',
    override: { url: rpc, chainId, accounts },
  })
  const artifactResolver = new HardhatArtifactResolver(hre.artifacts)
  const known = (await connection.provider.request({ method: 'eth_accounts' })) as string[]
  const sender =
    'account' in payer
      ? known.find((account) => account.toLowerCase() === payer.account)
      : known.at(0)
  if (sender === undefined) {
    await connection.close()
    const problems = ['HIVE_DEPLOY_ACCOUNT: the endpoint has not unlocked it']
    throw new HiveError('INPUT_INVALID', { problems })
  }
  return {
    async run(module, parameters) {
      const result = await deploy({
        config: {
          requiredConfirmations: confirmations,
          timeBeforeBumpingFees: FEE_BUMP_MS,
          blockPollingInterval: BLOCK_POLL_MS,
        },
        provider: connection.provider,
        artifactResolver,
        deploymentDir: journal,
        ignitionModule: module,
        deploymentParameters: { [module.id]: parameters },
        accounts: known,
        defaultSender: sender,
      })
      return addressesOf(result, journal)
    },
    async creationOf(contract) {
      const transactions = await listTransactions(journal, artifactResolver)
      const made = transactions.find(
        ({ name, status }) => name === contract && status === 'SUCCESS',
      )
      if (made === undefined)
        throw new HiveError('CHAIN_ANSWER_INVALID', { action: `deploy ${contract}` })
      return made.txHash as Bytes32
    },
    [Symbol.asyncDispose]: () => connection.close(),
  }
}

async function keyOf(payer: { readonly keystore: string; readonly passphraseFile: string }) {
  const passphrase = (await readFile(payer.passphraseFile, 'utf8')).replace(/\r?\n$/, '')
  return toHex(await openKeystore(await readFile(payer.keystore, 'utf8'), passphrase))
}

function addressesOf(result: DeploymentResult, journal: string): Record<string, Address> {
  switch (result.type) {
    case DeploymentResultType.SUCCESSFUL_DEPLOYMENT: {
      const contracts = Object.values(result.contracts)
      return Object.fromEntries(
        contracts.map(({ id, address }) => [id.split('#').at(-1), address.toLowerCase()]),
      ) as Record<string, Address>
    }
    case DeploymentResultType.VALIDATION_ERROR:
    case DeploymentResultType.RECONCILIATION_ERROR: {
      const faults = Object.values(result.errors).flat()
      const problems = [
        ...faults,
        `${journal} may be of another deployment: take another HIVE_DEPLOY_OUT`,
      ]
      throw new HiveError('INPUT_INVALID', { problems })
    }
    case DeploymentResultType.EXECUTION_ERROR: {
      const [failed] = result.failed
      if (failed !== undefined)
        throw new HiveError('CHAIN_REVERTED', { action: failed.futureId, error: failed.error })
      const waiting = result.timedOut.map(({ futureId }) => futureId).join(', ')
      throw new HiveError('CHAIN_UNREACHABLE', {
        action: 'deploy',
        reason: `not mined: ${waiting}`,
      })
    }
    case DeploymentResultType.PREVIOUS_RUN_ERROR: {
      const problems = Object.values(result.errors).flat()
      throw new HiveError('INPUT_INVALID', {
        problems: [...problems, `remove ${journal} to begin again`],
      })
    }
  }
}
