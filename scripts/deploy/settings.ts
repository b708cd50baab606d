import { isAddress } from 'ethers'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address } from '../../node/domain/ids.ts'

/** What a deployment is told. docs/operations/deploy.md describes each. */
export interface DeploySettings {
  readonly rpc: string
  readonly chainId: number
  /** `test` deploys a worthless token that anyone may mint; `coin` is the chain's own coin. */
  readonly token: Address | 'test' | 'coin'
  readonly owner: Address
  readonly treasury: Address
  readonly feeBps: number
  readonly confirmations: number
  /** Where the addresses are written. */
  readonly out: string
  /** Folder of what was sent so far, beside `out`: with it an interrupted deployment goes on where it was. */
  readonly journal: string
  readonly payer:
    { readonly keystore: string; readonly passphraseFile: string } | { readonly account: Address }
}

/** As in contracts/base/FeePolicy.sol. */
const MAX_FEE_BPS = 500
const MAX_CONFIRMATIONS = 1000

/** Reads `HIVE_DEPLOY_…` variables. Throws `INPUT_INVALID` that lists all that is wrong. */
export function deploySettings(env: Readonly<Record<string, string | undefined>>): DeploySettings {
  const problems: string[] = []
  const read = <T>(name: string, what: string, parse: (text: string) => T | undefined): T => {
    const variable = `HIVE_DEPLOY_${name}`
    const value = parse(env[variable] ?? '')
    if (value === undefined) problems.push(`${variable}: ${what}`)
    return value as T // a problem is thrown before anyone sees it
  }
  const whole = (min: number, max: number) => (text: string) =>
    /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined
  const account = (text: string) =>
    isAddress(text) && !/^0x0{40}$/.test(text) ? (text.toLowerCase() as Address) : undefined
  const file = (text: string) => (text === '' ? undefined : text)

  const isUnlocked = (env['HIVE_DEPLOY_ACCOUNT'] ?? '') !== ''
  const out = read('OUT', 'a file to write', file)
  const settings: DeploySettings = {
    rpc: read('RPC', 'an http or https URL', (text) =>
      URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined,
    ),
    chainId: read('CHAIN_ID', 'the id of the chain', whole(1, Number.MAX_SAFE_INTEGER)),
    token: read('TOKEN', 'an address, test or coin', (text) =>
      text === 'test' || text === 'coin' ? text : account(text),
    ),
    owner: read('OWNER', 'an address that is not zero', account),
    treasury: read('TREASURY', 'an address that is not zero', account),
    feeBps: read('FEE_BPS', `0 to ${MAX_FEE_BPS}`, whole(0, MAX_FEE_BPS)),
    confirmations: read('CONFIRMATIONS', `1 to ${MAX_CONFIRMATIONS}, or nothing for 1`, (text) =>
      text === '' ? 1 : whole(1, MAX_CONFIRMATIONS)(text),
    ),
    out,
    journal: `${out}.journal`,
    payer: isUnlocked
      ? { account: read('ACCOUNT', 'an address that the endpoint has unlocked', account) }
      : {
          keystore: read('KEYSTORE', 'a keystore file (or HIVE_DEPLOY_ACCOUNT)', file),
          passphraseFile: read('PASSPHRASE_FILE', 'a file with the passphrase', file),
        },
  }
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
  return settings
}
