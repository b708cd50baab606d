import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeError } from 'ethers'
import { sendRefusal, type SendRefusal } from '../../../../node/adapters/chain/send-refusal.ts'

/** What each client says, as JSON-RPC error messages. */
const SAID: Readonly<Record<SendRefusal, readonly string[]>> = {
  'already-known': [
    'already known',
    'Known transaction',
    'Known transaction: 0xa2b8c553de67bd6c',
    'AlreadyKnown',
    'ALREADY_EXISTS: already known',
  ],
  'nonce-too-low': [
    'nonce too low: next nonce 5, tx nonce 4',
    'Nonce too low',
    'OldNonce, Current nonce: 5, nonce of rejected tx: 4',
    'Transaction nonce too low. Expected nonce to be at least 1 but got 0.',
  ],
  underpriced: [
    'replacement transaction underpriced',
    'transaction underpriced: gas tip cap 1, minimum needed 25000000000',
    'ReplacementNotAllowed',
    'FeeTooLow, MaxFeePerGas too low.',
    'Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 11000000000 is necessary',
  ],
  'insufficient-funds': [
    'insufficient funds for gas * price + value: balance 0, tx cost 1',
    'InsufficientFunds, Account balance: 0',
    'Upfront cost exceeds account balance',
    "Sender doesn't have enough funds to send tx. The max upfront cost is: 3",
  ],
  unreachable: ['daily request count exceeded, request rate limited: too many requests'],
  other: ['exceeds block gas limit', 'invalid sender', 'execution reverted'],
}

for (const [refusal, messages] of Object.entries(SAID)) {
  for (const message of messages) {
    test(`“${message}” is ${refusal}`, () => {
      const error = { code: -32000, message }
      const payload = {
        method: 'eth_sendRawTransaction',
        params: [],
        id: 1,
        jsonrpc: '2.0',
      } as const
      assert.equal(
        sendRefusal(makeError('could not coalesce error', 'UNKNOWN_ERROR', { error, payload })),
        refusal,
      )
    })
  }
}

test('what the library read for itself is taken over', () => {
  const transaction = {} as never
  const used = makeError('nonce has already been used', 'NONCE_EXPIRED', { transaction })
  assert.equal(sendRefusal(used), 'nonce-too-low')
  const cheap = makeError('replacement fee too low', 'REPLACEMENT_UNDERPRICED', { transaction })
  assert.equal(sendRefusal(cheap), 'underpriced')
  const poor = makeError('insufficient funds', 'INSUFFICIENT_FUNDS', { transaction })
  assert.equal(sendRefusal(poor), 'insufficient-funds')
})

test('no answer is unreachable, whatever its text says', () => {
  assert.equal(sendRefusal(new TypeError('fetch failed: already known')), 'unreachable')
  assert.equal(
    sendRefusal(makeError('timeout', 'TIMEOUT', { operation: 'x', reason: 'y' } as never)),
    'unreachable',
  )
  assert.equal(sendRefusal(undefined), 'unreachable')
})
