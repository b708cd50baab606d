import type { Decline, MostForTask } from './decline.ts'
import { uncovered, type EgressPolicy } from './egress.ts'
import { GPU_VENDORS } from './gpu-need.ts'
import { isWithin, type HourWindow, type LocalTime } from './hours.ts'
import type { Address, Bytes32 } from './ids.ts'
import { needOf, type Offer } from './offer.ts'
import { askedPrice, type PriceTerms } from './pricing.ts'
import { fits, type Resources } from './resources.ts'

/** Whom or what a provider takes: all of `allow`, or everything where that is empty, less `deny`. */
export interface AllowDeny<T> {
  readonly allow: readonly T[]
  readonly deny: readonly T[]
}

/** What a provider is willing to do, and when. */
export interface ProviderPolicy {
  readonly kinds: readonly string[]
  /** Most disk of one task by kind, bytes, where its engine has a limit of its own. */
  readonly maxDiskBytes: Readonly<Partial<Record<string, number>>>
  /** SHA-256 that the CIDs of programs carry. */
  readonly images: AllowDeny<Bytes32>
  readonly requesters: AllowDeny<Address>
  readonly egress: EgressPolicy
  /** Empty: at any time. */
  readonly hours: readonly HourWindow[]
  readonly pauseOnBattery: boolean
  /** No new work before nobody has used the machine for this long, ms; `undefined`: whoever uses it. */
  readonly pauseWhenActiveMs: number | undefined
  readonly terms: PriceTerms
  /** Tasks that may wait for room before the node counts as busy. */
  readonly maxQueue: number
}

/** A GPU as far as an offer can ask for it. */
export interface OfferedGpu {
  readonly vendor: string
  readonly memoryBytes?: number
}

/** How things stand at the provider while it judges an offer. */
export interface Circumstances {
  readonly time: LocalTime
  /** Whether the node cannot put on record what it does, until there is room on its disk again. */
  readonly isDiskFull: boolean
  readonly onBattery: boolean
  /** `undefined`: nobody has been seen to use the machine. */
  readonly idleMs: number | undefined
  /** Most that one task may ask. */
  readonly total: Resources
  readonly gpus: readonly OfferedGpu[]
  /** Tasks that wait for room. */
  readonly waiting: number
  /** What runs, waits or is still to come, as a part of the scarcest resource: above 1 when that is more than the machine. */
  readonly load: number
}

/** Why a provider bound by its bid takes no award from it after all, or `undefined`. */
export function awardDecline(
  policy: ProviderPolicy,
  offer: Offer,
  now: Circumstances,
): Decline | undefined {
  return lastingDecline(policy, offer, now) ?? passingDecline(policy, now)
}

/** Why a provider does not bid on an offer, or `undefined`. What lasts is told before what passes, the price last. */
export function bidDecline(
  policy: ProviderPolicy,
  offer: Offer,
  now: Circumstances,
): Decline | undefined {
  const declined = awardDecline(policy, offer, now)
  if (declined !== undefined) return declined
  if (now.waiting >= policy.maxQueue) return { code: 'DECLINED_BUSY' }
  const lowestPrice = askedPrice(offer, policy.terms, now.load)
  return lowestPrice > offer.maxPrice ? { code: 'DECLINED_PRICE', lowestPrice } : undefined
}

/** Whether the lists take an entry. A deny wins over an allow. */
export function admits<T>({ allow, deny }: AllowDeny<T>, entry: T): boolean {
  return !deny.includes(entry) && (allow.length === 0 || allow.includes(entry))
}

function lastingDecline(
  policy: ProviderPolicy,
  offer: Offer,
  { total, gpus, load }: Circumstances,
): Decline | undefined {
  if (!policy.kinds.includes(offer.class)) return { code: 'DECLINED_KIND' }
  if (!admits(policy.requesters, offer.requester)) return { code: 'DECLINED_REQUESTER' }
  if (!admits(policy.images, offer.image)) return { code: 'DECLINED_IMAGE' }
  if (uncovered(policy.egress, offer.egress).length > 0) return { code: 'DECLINED_NETWORK' }
  const room = {
    ...total,
    diskBytes: Math.min(total.diskBytes, policy.maxDiskBytes[offer.class] ?? Infinity),
    gpus: Math.min(total.gpus ?? 0, suiting(gpus, offer)),
  }
  if (fits(needOf(offer), room)) return undefined
  const isShort = offer.gpus > room.gpus
  const gpuMemoryBytes = isShort ? lessMemory(gpus, offer, total.gpus ?? 0) : undefined
  const smaller = gpuMemoryBytes === undefined ? {} : { gpus: offer.gpus, gpuMemoryBytes }
  const most = { ...room, ...smaller }
  const code = isShort ? 'DECLINED_GPU' : 'DECLINED_RESOURCES'
  return { code, most, lowestPrice: askedPrice(reduced(offer, most), policy.terms, load) }
}

/** Why a provider takes no new work at all just now, whatever the offer, or `undefined`. */
export function passingDecline(
  policy: ProviderPolicy,
  now: Pick<Circumstances, 'time' | 'isDiskFull' | 'onBattery' | 'idleMs'>,
): Decline | undefined {
  if (now.isDiskFull) return { code: 'DECLINED_DISK_FULL' }
  if (policy.hours.length > 0 && !isWithin(policy.hours, now.time))
    return { code: 'DECLINED_HOURS' }
  if (policy.pauseOnBattery && now.onBattery) return { code: 'DECLINED_POWER' }
  const isInUse = now.idleMs !== undefined && now.idleMs < (policy.pauseWhenActiveMs ?? 0)
  return isInUse ? { code: 'DECLINED_IN_USE' } : undefined
}

/** How many GPUs of the kind that the offer asks for one task can have: those of two makers never work together. */
function suiting(gpus: readonly OfferedGpu[], { gpuVendor, gpuMemoryBytes }: Offer): number {
  const makers = gpuVendor === '' ? GPU_VENDORS : [gpuVendor]
  const counts = makers.map(
    (maker) =>
      gpus.filter(
        ({ vendor, memoryBytes = 0 }) => vendor === maker && memoryBytes >= gpuMemoryBytes,
      ).length,
  )
  return Math.max(...counts)
}

/** The most memory that as many GPUs as are asked for have, where that is less than is asked of each. */
function lessMemory(
  gpus: readonly OfferedGpu[],
  offer: Offer,
  forJobs: number,
): number | undefined {
  if (offer.gpuMemoryBytes === 0 || offer.gpus > forJobs) return undefined
  const sizes = gpus.map(({ memoryBytes = 0 }) => memoryBytes)
  const enough = sizes.filter(
    (gpuMemoryBytes) => suiting(gpus, { ...offer, gpuMemoryBytes }) >= offer.gpus,
  )
  return enough.length === 0 ? undefined : Math.max(...enough)
}

/** The offer as it would have to be to fit. */
function reduced(offer: Offer, most: MostForTask): Offer {
  return {
    ...offer,
    cpuMillis: Math.min(offer.cpuMillis, most.cpuMillis),
    memoryBytes: Math.min(offer.memoryBytes, most.memoryBytes),
    diskBytes: Math.min(offer.diskBytes, most.diskBytes),
    gpus: Math.min(offer.gpus, most.gpus ?? 0),
    gpuMemoryBytes: Math.min(offer.gpuMemoryBytes, most.gpuMemoryBytes ?? Infinity),
  }
}
