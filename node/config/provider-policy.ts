import { parseHours, wallClock } from '../domain/hours.ts'
import type { JobKind } from '../domain/job-spec.ts'
import type { Amount } from '../domain/money.ts'
import type { AllowDeny } from '../domain/provider-policy.ts'
import { hour } from '../domain/units.ts'
import type { ProviderPolicyConfig } from './config.ts'
import { CONFIG_DEFAULTS } from './defaults.ts'
import { list, map, mapped, optional, reader, withDefault, type Reader } from './reading.ts'
import { account, amount, bool, duration, text, word } from './values.ts'

const D = CONFIG_DEFAULTS.provider.policy
const cid = text('a CID, such as bafkrei…', /^b[a-z2-7]{20,127}$/, 128)
const peer = /^16Uiu2[1-9A-HJ-NP-Za-km-z]{40,60}$/
const requester: Reader<string> = reader('an address (0x…) or a peer id (16Uiu2…)', (raw) => {
  if (typeof raw === 'string' && peer.test(raw)) return raw
  const address = account.read(raw, '', [])
  return typeof address === 'string' ? address : undefined
})
const hours = reader('hours such as 22:00-06:00 or mon-fri 18:30-08:00', (raw) =>
  typeof raw === 'string' ? parseHours(raw) : undefined,
)
const timeZone = reader('a time zone such as Europe/Berlin', (raw) =>
  typeof raw === 'string' && isTimeZone(raw) ? raw : undefined,
)

/** The section `provider.policy`. */
export const PROVIDER_POLICY_READER: Reader<ProviderPolicyConfig> = mapped(
  map({
    images: allowDeny(cid),
    requesters: allowDeny(requester),
    minPrice: map({ wasm: optional(amount), docker: optional(amount) } satisfies Record<
      JobKind,
      Reader<Amount | undefined>
    >),
    hours: withDefault(list(hours), [...D.hours]),
    timeZone: optional(timeZone),
    pauseOnBattery: withDefault(bool, D.pauseOnBattery as boolean),
    pauseWhenActive: optional(duration(24 * hour)),
    attach: withDefault(word('off', 'on'), D.attach),
  }),
  ({ minPrice, pauseWhenActive, ...policy }) => ({
    ...policy,
    leastPrices: minPrice,
    pauseWhenActiveMs: pauseWhenActive,
  }),
)

function allowDeny<T>(entry: Reader<T>): Reader<AllowDeny<T>> {
  return map({ allow: withDefault(list(entry), []), deny: withDefault(list(entry), []) })
}

function isTimeZone(name: string): boolean {
  try {
    wallClock(name)
    return true
  } catch {
    // no such zone: that is the answer
    return false
  }
}
