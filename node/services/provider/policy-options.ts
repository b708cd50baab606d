import { NO_EGRESS, type EgressPolicy } from '../../domain/egress.ts'
import { HiveError } from '../../domain/errors.ts'
import type { HourWindow } from '../../domain/hours.ts'
import { isHex, type Cid } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { PriceTerms } from '../../domain/pricing.ts'
import type { AllowDeny, ProviderPolicy } from '../../domain/provider-policy.ts'
import { cidDigest } from '../../protocol/cid.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { Admission, type AdmissionParts } from './admission.ts'

/** An operator's will, in the words of the config. */
export interface PolicyOptions {
  readonly images: AllowDeny<Cid>
  /** Addresses and peer ids. */
  readonly requesters: AllowDeny<string>
  /** By kind: never less than this for a task. */
  readonly leastPrices: Readonly<Partial<Record<string, Amount>>>
  /** Empty: at any time. */
  readonly hours: readonly HourWindow[]
  /** Name of the zone that `hours` are in; left open: the machine's. */
  readonly timeZone: string | undefined
  readonly pauseOnBattery: boolean
  readonly pauseWhenActiveMs: number | undefined
  readonly egress: EgressPolicy
  /** Whether requesters may get inside their running tasks. */
  readonly attach: 'off' | 'on'
}

/** Everything and everyone, at any time, without a network and with nobody inside. */
export const POLICY_DEFAULTS: PolicyOptions = {
  images: { allow: [], deny: [] },
  requesters: { allow: [], deny: [] },
  leastPrices: {},
  hours: [],
  timeZone: undefined,
  pauseOnBattery: false,
  pauseWhenActiveMs: undefined,
  egress: NO_EGRESS,
  attach: 'off',
}

/** What an {@link Admission} follows from. */
export interface ProviderRules extends Omit<PriceTerms, 'leastPrices'> {
  readonly kinds: readonly string[]
  /** Left out: no engine has a limit of its own. */
  readonly maxDiskBytes?: ProviderPolicy['maxDiskBytes']
  readonly policy?: Partial<PolicyOptions>
  readonly maxQueue: number
  readonly mostCpuMillis?: number
}

/** Throws `CONFIG_INVALID` for an entry of a list that is written like a CID or a peer id and is none. */
export function admissionOf(parts: AdmissionParts, rules: ProviderRules): Admission {
  const { leastPrices, timeZone, ...will } = { ...POLICY_DEFAULTS, ...rules.policy }
  const { kinds, maxDiskBytes = {}, maxQueue, pricing, prices, mostCpuMillis } = rules
  const policy = {
    ...will,
    kinds,
    maxDiskBytes,
    maxQueue,
    terms: { pricing, prices, leastPrices },
    images: mapped(will.images, 'images', cidDigest),
    requesters: mapped(will.requesters, 'requesters', (text) =>
      isHex(text, 20) ? text : addressOfPeer(text),
    ),
  }
  return new Admission(parts, {
    policy,
    timeZone,
    ...(mostCpuMillis !== undefined && { mostCpuMillis }),
  })
}

function mapped<A extends string, B>(
  { allow, deny }: AllowDeny<A>,
  name: string,
  change: (text: A) => B,
): AllowDeny<B> {
  const each = (list: readonly A[], at: string) =>
    list.map((text) => {
      try {
        return change(text)
      } catch (cause) {
        const problems = [`provider.policy.${name}.${at}: ${text} cannot be read`]
        throw new HiveError('CONFIG_INVALID', { problems }, { cause })
      }
    })
  return { allow: each(allow, 'allow'), deny: each(deny, 'deny') }
}
