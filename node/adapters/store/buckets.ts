/** What lives under one key prefix of the node's store. */
interface Bucket {
  /** Every key of the bucket starts with it. */
  readonly prefix: string
  /** What follows the prefix, and how the value is encoded. */
  readonly holds: string
}

/**
 * Every key prefix of the store. A write outside this table is refused, so a new kind of record
 * starts with a line here. A prefix is never used again for another kind.
 */
export const BUCKETS: readonly Bucket[] = [
  { prefix: 'job/', holds: 'offer id → JobRecord, the requester’s job' },
  { prefix: 'result/', holds: 'CID of a spec → CachedResults, of deterministic jobs' },
  { prefix: 'workflow/', holds: 'random id → WorkflowRecord, steps and the jobs that they became' },
  { prefix: 'share/', holds: 'agreement id → ShareRecord, a share that this node requested' },
  { prefix: 'channel/', holds: 'channel id → ChannelRecord, where this node pays' },
  {
    prefix: 'paid/',
    holds: 'channel id / number → PaidShare, a leaf under the channel’s jobsRoot',
  },
  { prefix: 'spent/', holds: 'offer id → what is paid and agreed for the job' },
  { prefix: 'today/', holds: '`own` → SpentDay, what was agreed in the current day' },
  { prefix: 'work/', holds: 'agreement id → WorkRecord, a share that this node runs for others' },
  { prefix: 'ended/', holds: 'agreement id / task → TaskResult, until its share is delivered' },
  {
    prefix: 'interval/',
    holds: 'agreement id / number → IntervalRecord, of a share run for others by the second',
  },
  {
    prefix: 'renewal/',
    holds: 'agreement id → RenewalRecord, an interval of a share that this node requested',
  },
  {
    prefix: 'attached/',
    holds: 'agreement id → the tasks that somebody was inside of, until the share is delivered',
  },
  { prefix: 'earning/', holds: 'channel id → EarningRecord, where this node is paid' },
  {
    prefix: 'earned/',
    holds: 'channel id / number → PaidShare, a leaf under the jobsRoot of a channel that pays',
  },
  { prefix: 'forgotten/', holds: 'channel id → ForgottenRecord, an own channel found on chain' },
  {
    prefix: 'openings/',
    holds: '`own` → the block up to which openings of own channels were read',
  },
  { prefix: 'over/', holds: 'channel id → since when nothing can happen in the channel any more' },
  { prefix: 'provider/', holds: 'address → TrackRecord, what came of a provider’s shares here' },
  {
    prefix: 'price/',
    holds: 'hour / core or gpu / class of offers → PriceHour, what computing cost then',
  },
  { prefix: 'seen/', holds: 'address → SeenContent, what a provider was given and gave here' },
  { prefix: 'asked/', holds: 'group of offers → how large a share of its hearers bids' },
  { prefix: 'image/', holds: 'CID → ImageRecord, an image that this node keeps for its jobs' },
  { prefix: 'advert/', holds: '`own` → the sequence number of this node’s last advert' },
  { prefix: 'secret/', holds: 'offer id → the secrets of a job that is not over, sealed' },
  { prefix: 'capacity/', holds: '`own` → Score, what this machine was last measured to do' },
  { prefix: 'meta/', holds: 'setting of this node → its value; `meta/schema` is the version' },
]

/** Prefixes of older versions; kept so that none comes back with another meaning. */
export const RETIRED_PREFIXES: readonly string[] = []

/** Where the version of the layout stands, as decimal text. */
export const SCHEMA_KEY = 'meta/schema'

/** The layout that this build reads and writes. */
export const SCHEMA_VERSION = 1

/** Whether the table above has a bucket for `key`. */
export function hasBucket(key: string): boolean {
  return BUCKETS.some(({ prefix }) => key.startsWith(prefix) && key.length > prefix.length)
}
