import { errorText as text, type ErrorText } from './error-text.ts'

/** What can be wrong with the chain and the money on it: part of ERROR_CODES. */
export const CHAIN_ERRORS = {
  // chain
  CHAIN_UNREACHABLE: text(
    'The chain’s RPC endpoint does not answer.',
    'Check chain.rpc in the config and that the endpoint is up.',
  ),
  CHAIN_WRONG: text(
    'The RPC endpoint serves another chain than configured.',
    'Set chain.id or chain.rpc so that both agree.',
  ),
  CHAIN_NO_CONTRACT: text(
    'There is no ComputeEscrow at the configured address.',
    'Set chain.escrow to the deployed address.',
  ),
  CHAIN_REVERTED: text(
    'The contract refused the transaction.',
    'The data names the contract’s own error.',
  ),
  CHAIN_ANSWER_INVALID: text(
    'The RPC endpoint answered with something that cannot be right.',
    'Use an endpoint that you trust.',
  ),
  CHANNEL_BUSY: text(
    'Shares are under way on the channel, or a voucher has not been acknowledged yet.',
    'Try again when its jobs have ended and its provider is online; --force does not wait.',
  ),
  CHANNEL_CLOSED: text(
    'The channel is gone from the contract, and what was done on it was not paid before.',
    'Nothing can be claimed any more; a smaller credit window risks less on a requester.',
  ),
  CHANNEL_UNKNOWN: text(
    'No such channel exists in the contract.',
    'Check the id and the contract address.',
  ),
  INSUFFICIENT_DEPOSIT: text(
    'The escrow account holds too little for this job.',
    'Run `hive wallet deposit AMOUNT`.',
  ),
  INSUFFICIENT_GAS: text(
    'The node’s account cannot pay for gas.',
    'Send some of the chain’s coin to the address that `hive wallet` shows.',
  ),
} as const satisfies Record<string, ErrorText>
