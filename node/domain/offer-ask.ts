import type { Bytes32 } from './ids.ts'
import { classOf, type JobSpec } from './job-spec.ts'
import type { Offer } from './offer.ts'

/** What an offer says of its spec, so that a provider can judge it unread: all that a task asks of a machine. */
export type OfferAsk = Pick<
  Offer,
  | 'class'
  | 'image'
  | 'cpuMillis'
  | 'memoryBytes'
  | 'diskBytes'
  | 'gpus'
  | 'gpuVendor'
  | 'gpuMemoryBytes'
  | 'egress'
  | 'taskTimeoutMs'
  | 'payEveryMs'
  | 'payPer'
  | 'fuel'
>

/** What an offer says of its spec. */
export function pickAsk(offer: OfferAsk): OfferAsk {
  return {
    class: offer.class,
    image: offer.image,
    cpuMillis: offer.cpuMillis,
    memoryBytes: offer.memoryBytes,
    diskBytes: offer.diskBytes,
    gpus: offer.gpus,
    gpuVendor: offer.gpuVendor,
    gpuMemoryBytes: offer.gpuMemoryBytes,
    egress: offer.egress,
    taskTimeoutMs: offer.taskTimeoutMs,
    payEveryMs: offer.payEveryMs,
    payPer: offer.payPer,
    fuel: offer.fuel,
  }
}

/** What an offer for `spec` has to say; `image` is the SHA-256 that the program's CID carries. */
export function askOf(spec: JobSpec, image: Bytes32): OfferAsk {
  const { resources, gpus, egress = [], timeoutMs, service, pay, fuel } = spec
  const { cpuMillis, memoryBytes, diskBytes } = resources
  return {
    class: classOf(spec),
    image,
    cpuMillis,
    memoryBytes,
    diskBytes,
    gpus: gpus?.count ?? 0,
    gpuVendor: gpus?.vendor ?? '',
    gpuMemoryBytes: gpus?.memoryBytes ?? 0,
    egress,
    taskTimeoutMs: timeoutMs,
    payEveryMs: service?.payEveryMs ?? 0,
    payPer: pay ?? 'task',
    fuel: fuel ?? 0,
  }
}

/** The first field in which a spec asks for something else than its offer did; `undefined` when none. */
export function askFault(offered: OfferAsk, asked: OfferAsk): keyof OfferAsk | undefined {
  const text = (ask: OfferAsk, key: keyof OfferAsk) => JSON.stringify(ask[key])
  return (Object.keys(asked) as (keyof OfferAsk)[]).find(
    (key) => text(offered, key) !== text(asked, key),
  )
}
