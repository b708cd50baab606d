import { HiveError } from './errors.ts'

/** An amount of the settlement token in its smallest unit. */
export type Amount = bigint

/** Decimal places of the settlement token that people read and type. Source: ERC-20's usual 18. */
export const TOKEN_DECIMALS = 18
/** Largest amount a message or the contract can carry: uint96. */
export const MAX_AMOUNT: Amount = 2n ** 96n - 1n
/** One hundred per cent in basis points. */
export const BASIS_POINTS = 10_000n

/** Platform fee of `amount`, rounded up: the contract never rounds in a payee's favour. */
export function feeUp(amount: Amount, feeBps: bigint): Amount {
  return (amount * feeBps + BASIS_POINTS - 1n) / BASIS_POINTS
}

/** Reads `1`, `0.25` or `12.5` tokens. Throws `INPUT_INVALID` for anything else. */
export function parseAmount(text: string): Amount {
  const match = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(text.trim())
  if (match === null)
    throw new HiveError('INPUT_INVALID', {
      amount: text.slice(0, 60),
      expected: 'a decimal number of tokens, such as 0.25',
    })
  const [, whole = '0', fraction = ''] = match
  const amount =
    BigInt(whole) * 10n ** BigInt(TOKEN_DECIMALS) + BigInt(fraction.padEnd(TOKEN_DECIMALS, '0'))
  if (amount > MAX_AMOUNT)
    throw new HiveError('INPUT_INVALID', { amount: text, expected: 'at most 2^96-1 units' })
  return amount
}

/** Writes an amount in tokens, without trailing zeros. */
export function formatAmount(amount: Amount): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(TOKEN_DECIMALS + 1, '0')
  const whole = digits.slice(0, -TOKEN_DECIMALS)
  const fraction = digits.slice(-TOKEN_DECIMALS).replace(/0+$/, '')
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}
