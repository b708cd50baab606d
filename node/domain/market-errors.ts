import { errorText as text, type ErrorText } from './error-text.ts'

/** What can be wrong between a requester and a provider, from the offer to the voucher: part of ERROR_CODES. */
export const MARKET_ERRORS = {
  // bytes and messages
  MESSAGE_TOO_LARGE: text(
    'A message is larger than its protocol allows.',
    'Send a smaller message; docs/limits.md lists the limits.',
  ),
  MESSAGE_MALFORMED: text(
    'A message does not have the shape of its type.',
    'Check that both nodes run the same protocol version.',
  ),
  MESSAGE_NOT_CANONICAL: text(
    'A message decodes but is not in canonical form.',
    'Encode with canonical dag-cbor: sorted keys, shortest integers.',
  ),
  SIGNATURE_INVALID: text(
    'A signature does not recover to the account named in the message.',
    'Sign with the key of the named account, for this chain and contract.',
  ),
  SEAL_BROKEN: text(
    'A sealed box is not for this node, not from its sender, or was changed.',
    'Nothing to do: it is treated as if it had not come.',
  ),
  // offers and bids
  OFFER_EXPIRED: text(
    'The offer is past its bidding deadline.',
    'Publish a new offer, or check that the clocks agree.',
  ),
  OFFER_FROM_FUTURE: text(
    'The offer is dated ahead of this node’s clock.',
    'Set both clocks by NTP.',
  ),
  OFFER_INVALID: text(
    'The offer breaks a rule of the market.',
    'See docs/protocol/offers.md for the numbered rules.',
  ),
  OFFER_UNKNOWN: text(
    'No such offer is open on this node.',
    'The offer may be closed; look at `hive jobs`.',
  ),
  OFFER_OTHER_NETWORK: text(
    'The offer belongs to another network.',
    'Use the same network name on both nodes.',
  ),
  BID_INVALID: text(
    'The bid breaks a rule of the market.',
    'See docs/protocol/bids.md for the numbered rules.',
  ),
  BID_EXPIRED: text('The bid is past its validity.', 'Publish the offer again to get new bids.'),
  NO_BIDS: text(
    'No provider made an acceptable bid in time.',
    'Run `hive why JOB` for the reasons; `hive peers` shows who is there.',
  ),
  NO_PROVIDER_LEFT: text(
    'Tasks are left over and every provider that bid has been tried.',
    'Run the job again later, allow more attempts, or raise the price.',
  ),
  // measuring
  BENCHMARK_BUSY: text(
    'The machine is in use, so that measuring it would be wrong and in the way.',
    'Try again when no task runs and no other measurement does.',
  ),
  BENCHMARK_FAILED: text(
    'The machine could not be measured.',
    'See the reason; the data folder must be writable and a process must be able to start.',
  ),
  CHALLENGE_BUSY: text(
    'The peer does not take a challenge now.',
    'It answers a few an hour, and only while no task runs there; try again later.',
  ),
  // agreements, receipts, vouchers
  AGREEMENT_INVALID: text(
    'The agreement does not follow from the offer, the bid and the channel.',
    'See docs/protocol/agreements.md for the numbered rules.',
  ),
  AGREEMENT_UNKNOWN: text(
    'No such agreement is known here.',
    'Check the id; `hive jobs` lists them.',
  ),
  RECEIPT_INVALID: text(
    'The receipt does not match the agreement or the results.',
    'Nothing was paid for it; the tasks are tried elsewhere.',
  ),
  HEARTBEAT_INVALID: text(
    'The heartbeat does not follow from the one before it, or from the time that has passed.',
    'Nothing was paid for it; docs/protocol/heartbeats.md has the numbered rules.',
  ),
  UNPAID: text(
    'No voucher followed the heartbeats of a metered share, so that its provider stopped it.',
    'Keep the node online while a service runs, and enough in its account for two more intervals.',
  ),
  VOUCHER_INVALID: text(
    'The voucher does not raise its channel correctly.',
    'See docs/protocol/vouchers.md for the numbered rules.',
  ),
  RESULT_UNAVAILABLE: text(
    'The provider did not deliver result bytes that match the receipt.',
    'Nothing was paid for them; the tasks are tried elsewhere.',
  ),
  PROVIDER_LOST: text(
    'The provider fell silent and did not come back in time.',
    'Nothing to do: the tasks are tried elsewhere.',
  ),
  PROVIDER_FAILED: text(
    'The provider could not finish its share.',
    'Nothing to do: the tasks are tried elsewhere.',
  ),
  INTERRUPTED: text(
    'The node stopped while the task was running.',
    'The requester tries the task elsewhere; nothing is owed for it.',
  ),
} as const satisfies Record<string, ErrorText>
