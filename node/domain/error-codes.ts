import { DECLINE_ERRORS } from './decline-errors.ts'
import { errorText as text, type ErrorText } from './error-text.ts'

/** Every code the project can answer with. `docs/errors.md` lists the same; a test compares them. */
export const ERROR_CODES = {
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
  // a provider's reasons to decline
  ...DECLINE_ERRORS,
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
  // jobs
  JOB_UNKNOWN: text(
    'No job with this id is known to this node.',
    'Use an id, or a unique start of one, from `hive jobs`.',
  ),
  JOB_CANCELLED: text('The job was cancelled.', 'Run it again if this was not intended.'),
  JOB_TIMEOUT: text(
    'The job did not finish within its total time.',
    'Raise --timeout or split the job into more tasks.',
  ),
  JOB_TRANSITION: text(
    'A job cannot change state in this way.',
    'This is a bug: please report it with the data below.',
  ),
  SPEC_INVALID: text(
    'The job spec has mistakes.',
    'Mend the paths listed; docs/job-spec.md describes every field.',
  ),
  SPEC_FILE_MISSING: text(
    'A file that the job names cannot be read.',
    'Check the path; it is relative to the spec file.',
  ),
  SECRET_ON_COMMAND_LINE: text(
    'A secret must come from a variable or a file: every user of the machine can read a command line, and shells keep it.',
    'Write --secret NAME=env:VARIABLE or --secret NAME=file:PATH.',
  ),
  SECRETS_UNAVAILABLE: text(
    'The secrets of the job could not be handed over.',
    'Keep the node that has the job online; the data says what was missing.',
  ),
  OUTPUT_UNWRITABLE: text(
    'An output file cannot be written.',
    'Choose another folder with --out, or fetch it later with `hive job ID --out DIR`.',
  ),
  // sandboxes
  SANDBOX_UNAVAILABLE: text(
    'This node has no sandbox for that kind of job.',
    'Install the engine (see docs/operations/provider.md) or pick another provider.',
  ),
  IMAGE_INVALID: text(
    'The program image cannot be run safely.',
    'Use a WASI preview 1 module or an image archive as docs/job-spec.md describes.',
  ),
  IMAGE_UNREADABLE: text(
    'The image cannot be read from where it was said to be.',
    'Give a folder, an archive, docker:TAG or a Dockerfile; the last two need a Docker engine that runs.',
  ),
  IMAGE_UNKNOWN: text(
    'No image with this CID was added to this node.',
    'See `hive image ls`; add it with `hive image add`.',
  ),
  TASK_START_FAILED: text(
    'The sandbox could not start the task.',
    'See the data below; the requester tries another provider.',
  ),
  // network and content
  PEER_UNREACHABLE: text(
    'The peer cannot be reached.',
    'Check its address, your network and `hive peers`.',
  ),
  PEER_PROTOCOL: text(
    'The peer answered against the protocol.',
    'It may run another version; it is treated as faulty.',
  ),
  PEER_QUOTA: text(
    'The peer sent more requests than its quota.',
    'Slow down; quotas are listed in docs/limits.md.',
  ),
  STREAM_CUT: text('A stream ended before its end frame.', 'The transfer is tried again.'),
  CONTENT_BUDGET: text(
    'The job’s content is more than the provider gives to content now.',
    'Send less per share, or ask providers with more room; storage.cacheBytes is the provider’s setting.',
  ),
  CONTENT_NOT_FOUND: text(
    'Content could not be fetched.',
    'Keep the node that has it online, or add the file again.',
  ),
  CONTENT_TOO_LARGE: text(
    'Content is larger than allowed.',
    'Use a smaller file; docs/limits.md lists the limits.',
  ),
  FETCH_TIMEOUT: text(
    'A job’s program and files did not reach the provider in time.',
    'Keep the node that has them online; a smaller image or a faster line helps.',
  ),
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
  // the node itself
  CONFIG_INVALID: text(
    'The configuration has mistakes.',
    'Mend the paths listed; docs/operations/config.md describes every field.',
  ),
  CONFIG_MISSING: text(
    'There is no node in this folder yet.',
    'Run `hive init` first, or point --data at an existing folder.',
  ),
  ALREADY_INITIALISED: text(
    'This folder already holds a node.',
    'Use another --data folder; nothing was changed.',
  ),
  PASSPHRASE_WRONG: text(
    'The passphrase does not open the keystore.',
    'Try again; the keystore cannot be opened without it.',
  ),
  PASSPHRASE_MISSING: text(
    'The keystore needs a passphrase and none was given.',
    'Set HIVE_PASSPHRASE_FILE, or answer the prompt on a terminal.',
  ),
  KEYSTORE_INVALID: text(
    'The keystore file is damaged or not a keystore.',
    'Restore keystore.json from your backup.',
  ),
  DATA_LOCKED: text(
    'Another process uses this data folder.',
    'Stop the other node, or give this one its own --data folder.',
  ),
  DATA_DAMAGED: text(
    'A record in the data folder cannot be read.',
    'Restore the folder from a backup, or start with a new one.',
  ),
  DATA_UNUSABLE: text(
    'The data folder cannot be read or written.',
    'Free some disk space, check the folder’s permissions, and start the node again.',
  ),
  PORT_IN_USE: text(
    'A port that the node needs is taken.',
    'Change network.listen or api.port, or stop the other program.',
  ),
  NODE_NOT_RUNNING: text('No node is running in this data folder.', 'Start it with `hive up`.'),
  API_HOST_REFUSED: text(
    'The request names another host than this machine.',
    'Use 127.0.0.1 or localhost as the host.',
  ),
  API_ROUTE_UNKNOWN: text(
    'The node’s API has no such route.',
    'GET /v1/openapi.json lists every route; check that node and client are of one version.',
  ),
  API_UNAUTHORISED: text(
    'The request carries no valid token.',
    'Use the token in the data folder’s api.json.',
  ),
  INPUT_INVALID: text('The request has mistakes.', 'Mend the paths listed.'),
  TILE_INVALID: text('A picture tile is damaged or does not fit.', 'Render the tile again.'),
  CANCELLED: text('The operation was cancelled.', 'Start it again if this was not intended.'),
  INTERNAL: text(
    'Something failed that should not.',
    'This is a bug: please report it with the data below.',
  ),
} as const satisfies Record<string, ErrorText>

/** A code of the table above. */
export type ErrorCode = keyof typeof ERROR_CODES
