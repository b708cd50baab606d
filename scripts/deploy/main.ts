/**
 * Deploys ComputeEscrow to the chain that HIVE_DEPLOY_… variables name, prints what is there now and
 * writes it as JSON. docs/operations/deploy.md describes the variables.
 */
import { writeFile } from 'node:fs/promises'
import { asChainError } from '../../node/adapters/chain/chain-error.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { deployEscrow } from './deploy-escrow.ts'
import { deploySettings } from './settings.ts'

// A second signal ends it at once; whatever was sent is in the journal.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new HiveError('CANCELLED')))

try {
  // oxlint-disable-next-line node/no-process-env -- variables are all that this script is told
  const settings = deploySettings(process.env)
  const deployment = await deployEscrow(settings, stop.signal)
  const text = `${JSON.stringify(deployment, null, 2)}\n`
  // Printed first: a folder that cannot be written must not hide where the contract is.
  process.stdout.write(text)
  await writeFile(settings.out, text)
  const { chainId, escrow, block } = deployment
  process.stderr.write(
    `Written to ${settings.out}. A node of it:\n  hive init --rpc URL --chain-id ${chainId} --escrow ${escrow} --from-block ${block}\n`,
  )
} catch (error) {
  const { message, data } = asChainError(error, 'deploy')
  const problems = Array.isArray(data['problems']) ? (data['problems'] as string[]) : []
  const rest = Object.entries(data).filter(([key]) => key !== 'problems')
  const details = [...problems, ...rest.map(([key, value]) => `${key}: ${String(value)}`)]
  process.stderr.write([message, ...details.map((line) => `  ${line}`), ''].join('\n'))
  process.exitCode = 1
}
