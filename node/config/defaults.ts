import { DEFAULT_CHANNEL_COST } from '../domain/candidate.ts'
import { NO_EGRESS } from '../domain/egress.ts'
import type { HourWindow } from '../domain/hours.ts'
import { JOB_KINDS, type JobKind } from '../domain/job-spec.ts'
import { parseAmount, type Amount } from '../domain/money.ts'
import type { PricingRuleName } from '../domain/pricing.ts'
import { GiB, hour, minute, second } from '../domain/units.ts'

const everyKind: readonly JobKind[] = JOB_KINDS

/** What a field is when nobody says otherwise. Fields without a line here must be given. */
export const CONFIG_DEFAULTS = {
  network: {
    name: 'main',
    /** Every interface, so that a node is found without further work. */
    listen: ['/ip4/0.0.0.0/tcp/4701'] as readonly string[],
    announce: [] as readonly string[],
    bootstrap: [] as readonly string[],
    mdns: true,
    private: false,
    relay: 'auto',
    viaRelays: 'auto',
    upnp: true,
  },
  /** Enough where blocks are final at once, as on a development chain. */
  chain: { confirmations: 1, fromBlock: 0, reconcileEveryMs: 1 * minute },
  api: { port: 0 },
  provider: {
    enabled: false,
    kinds: everyKind,
    /** A task that is priced by the core is to have it. */
    overcommit: { cpu: 1 },
    prices: {
      perTask: tokens('0.001'),
      perCoreSecond: tokens('0.0001'),
      /** Ten cores' worth, as clouds ask for a small one. */
      perGpuSecond: tokens('0.001'),
      /** Beyond a minute a time-out is caution rather than use. */
      reservedSecondsCap: 60,
    },
    pricing: 'posted' as PricingRuleName,
    bond: tokens('1'),
    maxQueue: 100,
    /** Well within what service managers give a process to end; longer tasks go elsewhere. */
    drainMs: 30 * second,
    /** Some thousand small tasks; docs/protocol/heartbeats.md says how it widens. */
    credit: { start: tokens('10'), most: tokens('1000') },
    claimAbove: tokens('1'),
    claimAfterIdleMs: 1 * hour,
    registries: [],
    /** Two: so few that they cost a small machine little, enough for the two programs that come most often. */
    docker: { socketPath: '/var/run/docker.sock', warm: 2 },
    /** A provider's machine is nobody's way into the world unless its owner says so. */
    network: NO_EGRESS,
    /** A way in is one more thing that a wall has to hold, so nobody has it unasked. */
    policy: {
      hours: [] as readonly HourWindow[],
      pauseOnBattery: false,
      attach: 'off' as 'off' | 'on',
    },
    /** What a task of one GPU does, no task of another can then read or hold up. */
    gpu: { share: 1 },
    /** It shares the host's kernel unless gVisor is there, so nobody gets it unasked. */
    native: { use: 'never' },
  },
  /** Room for some twenty large images; results for a month. */
  storage: { cacheBytes: 10 * GiB, keepResultsMs: 720 * hour },
  /** Fifteen missed signs of life of a provider. */
  requester: {
    channelDeposit: tokens('1'),
    channelCost: DEFAULT_CHANNEL_COST,
    lostAfterMs: 30 * second,
  },
  log: { level: 'info', format: 'text' },
} as const

/** Tokens as an amount. */
function tokens(text: string): Amount {
  return parseAmount(text)
}
