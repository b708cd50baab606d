import { SWITCHES } from '../domain/switch.ts'
import { parsePattern } from '../domain/egress.ts'
import { HiveError } from '../domain/errors.ts'
import { JOB_KINDS } from '../domain/job-spec.ts'
import { PRICING_RULES, type PricingRuleName } from '../domain/pricing.ts'
import { MAX_REGION_CHARS, REGION_PATTERN } from '../domain/region.ts'
import { isRegistry } from '../domain/registry-image.ts'
import { hour } from '../domain/units.ts'
import { LOG_FORMATS, LOG_LEVELS, NATIVE_KEEPERS, NATIVE_USES, type Config } from './config.ts'
import { deepFreeze } from './deep-freeze.ts'
import { CONFIG_DEFAULTS as D } from './defaults.ts'
import { overlay, type Overrides } from './overrides.ts'
import { PROVIDER_POLICY_READER } from './provider-policy.ts'
import {
  INVALID,
  list,
  map,
  mapped,
  optional,
  problemLine,
  reader,
  withDefault,
  type Problem,
  type Reader,
} from './reading.ts'
import {
  account,
  amount,
  bool,
  cores,
  duration,
  factor,
  integer,
  orPercent,
  size,
  text,
  word,
} from './values.ts'

const MAX_MULTIADDR_CHARS = 512
const listenAddress = text(
  'a multiaddr such as /ip4/0.0.0.0/tcp/4701',
  /^\/(ip4|ip6)\/[^/\s]+\/tcp\/\d{1,5}$/,
  MAX_MULTIADDR_CHARS,
)
const peerAddress = text(
  'a multiaddr with a peer id, such as /ip4/192.0.2.1/tcp/4701/p2p/16Uiu2…',
  /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}\/p2p\/[1-9A-HJ-NP-Za-km-z]{30,64}$/,
  MAX_MULTIADDR_CHARS,
)
/** The value of an endpoint is never shown: it may carry an access key. */
const endpoint = reader(
  'an http or https URL',
  (raw) =>
    typeof raw === 'string' && URL.canParse(raw) && /^https?:$/.test(new URL(raw).protocol)
      ? raw
      : undefined,
  { secret: true },
)
const pricingRule = word(...(Object.keys(PRICING_RULES) as PricingRuleName[]))
const positive = integer(1, Number.MAX_SAFE_INTEGER)
const registry = reader('the host of a registry, such as registry.example', (raw) =>
  typeof raw === 'string' && isRegistry(raw) ? raw : undefined,
)
const region = text('a place such as eu-west', new RegExp(REGION_PATTERN), MAX_REGION_CHARS)
const runtimeName = text('the name of a runtime', /^[\w.-]{1,64}$/, 64)
const egressPattern = reader(
  '*, or HOST:PORT such as example.org:443, *.example.org:443 or *:443',
  (raw) => (typeof raw === 'string' ? parsePattern(raw) : undefined),
)
const localPath = text('an absolute path', /^\/[^\0]+$/, 4096)

/** The document that a config file is. Names are for people; units move into the names of {@link Config}. */
export const CONFIG_READER: Reader<Config> = map({
  network: map({
    name: withDefault(
      text('1 to 64 lower-case letters, digits or dashes', /^[a-z0-9-]{1,64}$/, 64),
      D.network.name,
    ),
    listen: withDefault(list(listenAddress, { min: 1 }), [...D.network.listen]),
    announce: withDefault(list(listenAddress), [...D.network.announce]),
    bootstrap: withDefault(list(peerAddress), [...D.network.bootstrap]),
    mdns: withDefault(bool, D.network.mdns),
    private: withDefault(bool, D.network.private),
    relay: withDefault(word(...SWITCHES), D.network.relay),
    viaRelays: withDefault(word(...SWITCHES), D.network.viaRelays),
    upnp: withDefault(bool, D.network.upnp),
    keyFile: optional(localPath),
  }),
  chain: mapped(
    map({
      rpc: endpoint,
      id: positive,
      escrow: account,
      confirmations: withDefault(integer(1, 1000), D.chain.confirmations as number),
      reconcileEvery: withDefault(duration(24 * hour), D.chain.reconcileEveryMs),
      fromBlock: withDefault(integer(0, Number.MAX_SAFE_INTEGER), D.chain.fromBlock as number),
    }),
    ({ reconcileEvery, ...chain }) => ({ ...chain, reconcileEveryMs: reconcileEvery }),
  ),
  api: map({ port: withDefault(integer(0, 65_535), D.api.port) }),
  provider: mapped(
    map({
      enabled: withDefault(bool, D.provider.enabled),
      kinds: withDefault(list(word(...JOB_KINDS), { min: 1 }), [...D.provider.kinds]),
      resources: mapped(
        map({
          cpu: optional(orPercent(cores, 'a number of cores such as 0.5')),
          memory: optional(orPercent(size, 'a size such as 256MiB')),
          disk: optional(orPercent(size, 'a size such as 256MiB')),
          gpus: optional(integer(0, 64)),
        }),
        ({ cpu, memory, disk, gpus }) => ({
          cpuMillis: cpu,
          memoryBytes: memory,
          diskBytes: disk,
          gpus,
        }),
      ),
      overcommit: map({ cpu: withDefault(factor(16), D.provider.overcommit.cpu as number) }),
      prices: mapped(
        map({
          perTask: withDefault(amount, D.provider.prices.perTask),
          perCoreSecond: withDefault(amount, D.provider.prices.perCoreSecond),
          perGpuSecond: withDefault(amount, D.provider.prices.perGpuSecond),
          reservedSeconds: withDefault(
            integer(1, 86_400),
            D.provider.prices.reservedSecondsCap as number,
          ),
        }),
        ({ reservedSeconds, ...prices }) => ({ ...prices, reservedSecondsCap: reservedSeconds }),
      ),
      pricing: withDefault(pricingRule, D.provider.pricing),
      bond: withDefault(amount, D.provider.bond),
      drain: withDefault(duration(24 * hour), D.provider.drainMs),
      maxQueue: withDefault(integer(0, 10_000), D.provider.maxQueue as number),
      region: optional(region),
      policy: PROVIDER_POLICY_READER,
      network: map({
        allow: withDefault(list(egressPattern), [...D.provider.network.allow]),
        private: withDefault(bool, D.provider.network.private),
        runtime: optional(runtimeName),
      }),
      credit: map({
        start: withDefault(amount, D.provider.credit.start),
        most: withDefault(amount, D.provider.credit.most),
      }),
      claimAbove: withDefault(amount, D.provider.claimAbove),
      claimAfterIdle: withDefault(duration(720 * hour), D.provider.claimAfterIdleMs),
      registries: withDefault(list(registry), [...D.provider.registries]),
      docker: mapped(
        map({
          socket: withDefault(localPath, D.provider.docker.socketPath),
          runtime: optional(runtimeName),
          warm: withDefault(integer(0, 64), D.provider.docker.warm as number),
        }),
        ({ socket, ...rest }) => ({ socketPath: socket, ...rest }),
      ),
      native: map({
        use: withDefault(word(...NATIVE_USES), D.provider.native.use),
        keeper: optional(word(...NATIVE_KEEPERS)),
      }),
      gpu: map({ share: withDefault(integer(1, 64), D.provider.gpu.share as number) }),
      wasm: map({ processes: optional(integer(1, 1024)) }),
    }),
    ({ claimAfterIdle, drain, ...provider }) => ({
      ...provider,
      claimAfterIdleMs: claimAfterIdle,
      drainMs: drain,
    }),
  ),
  storage: mapped(
    map({
      cacheBytes: withDefault(size, D.storage.cacheBytes as number),
      keepResults: withDefault(duration(87_600 * hour), D.storage.keepResultsMs as number),
    }),
    ({ cacheBytes, keepResults }) => ({ cacheBytes, keepResultsMs: keepResults }),
  ),
  requester: mapped(
    map({
      channelDeposit: withDefault(amount, D.requester.channelDeposit),
      channelCost: withDefault(amount, D.requester.channelCost),
      lostAfter: withDefault(duration(24 * hour), D.requester.lostAfterMs),
      limits: map({
        perJob: optional(amount),
        perDay: optional(amount),
        outstanding: optional(amount),
      }),
    }),
    ({ lostAfter, ...requester }) => ({ ...requester, lostAfterMs: lostAfter }),
  ),
  log: map({
    level: withDefault(word(...LOG_LEVELS), D.log.level),
    format: withDefault(word(...LOG_FORMATS), D.log.format),
  }),
})

/**
 * A parsed document and the environment's overrides as a frozen config. Throws `CONFIG_INVALID`
 * with `problems`: every mistake, one a line, each with its path.
 */
export function parseConfig(raw: unknown, env: Overrides = {}): Config {
  const problems: Problem[] = []
  const { document, sources } = overlay(CONFIG_READER, raw, env, problems)
  const config = CONFIG_READER.read(document, '', problems)
  if (config === INVALID || problems.length > 0) {
    const lines = problems.map(({ path, text: what }) => {
      const variable = [...sources].find(([from]) => path === from || path.startsWith(`${from}[`))
      return problemLine({
        path: variable === undefined ? path : `${path} (${variable[1]})`,
        text: what,
      })
    })
    throw new HiveError('CONFIG_INVALID', { problems: lines })
  }
  return deepFreeze(config)
}
