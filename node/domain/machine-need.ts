import type { Hardware } from './advert.ts'
import type { Gpu } from './devices.ts'
import { GPU_VENDORS } from './gpu-need.ts'
import { kindOfClass } from './job-spec.ts'
import type { Offer } from './offer.ts'
import { GiB, parseBytes } from './units.ts'

/** What a peer says of itself, as far as needs ask for it. */
export interface Machine {
  readonly kinds: readonly string[]
  readonly hardware: Pick<
    Hardware,
    | 'arch'
    | 'cores'
    | 'memoryBytes'
    | 'diskBytes'
    | 'gpus'
    | 'cpuFlags'
    | 'fpgas'
    | 'tpus'
    | 'tees'
    | 'region'
    | 'attach'
  >
}

/** One condition on a machine. */
interface Term {
  /** Capability tag that every machine which meets it has announced; absent: it is not announced. */
  readonly tag?: string
  readonly isMet: (machine: Machine) => boolean
}

/** What a user looks for in a machine: every term has to be met. */
export interface MachineNeed {
  /** Tags to look for in the DHT, the most selective that there is; machines have one of them. */
  readonly tags: readonly string[]
  readonly isMet: (machine: Machine) => boolean
}

/** Longest text of a need, characters. */
export const MAX_NEED_CHARS = 200
/** Memory of one GPU by which machines announce it, GiB, as cards come. */
const GPU_STEPS_GIB = [4, 8, 12, 16, 24, 32, 40, 48, 80, 96, 128, 192]
/** What a card has less than its name says: drivers keep some for themselves. */
const CARD_SLACK = 0.94

/** Capability tags that a node announces: what few have, so that a search for it finds few. */
export function tagsOf({ kinds, hardware }: Machine): string[] {
  const { gpus, fpgas = [], tpus = [], tees = [], region } = hardware
  const places = region === undefined ? [] : placesOf(region).map((place) => `region=${place}`)
  const cards = gpus.flatMap((gpu) => {
    const steps = GPU_STEPS_GIB.filter((step) => hasMemory(gpu, step * GiB))
    const name = `gpu.${gpu.vendor}`
    return ['gpu', name, ...steps.map((step) => `${name}>=${step}`)]
  })
  const others = [...(fpgas.length > 0 ? ['fpga'] : []), ...(tpus.length > 0 ? ['tpu'] : [])]
  const open = hardware.attach === true ? ['attach'] : []
  const all = [...kinds.map((kind) => `kind=${kind}`), ...cards, ...others, ...open]
  return [...new Set([...all, ...tees.map((tee) => `tee=${tee}`), ...places])]
}

/** A region and those that it is part of: `eu-west-1` is in `eu-west` and in `eu`. */
function placesOf(region: string): readonly string[] {
  const parts = region.split('-')
  return parts.map((_, last) => parts.slice(0, last + 1).join('-'))
}

/** Capability tags of the machines that could take an offer; they have one of them. */
export function offerTags({
  class: name,
  gpus,
  gpuVendor,
  gpuMemoryBytes,
}: Pick<Offer, 'class' | 'gpus' | 'gpuVendor' | 'gpuMemoryBytes'>): readonly string[] {
  if (gpus === 0) return [`kind=${kindOfClass(name)}`]
  const makers = gpuVendor === '' ? GPU_VENDORS : [gpuVendor]
  return makers.flatMap((maker) => gpuTerm(`gpu.${maker}`, String(gpuMemoryBytes))?.tag ?? [])
}

/**
 * Reads a need such as `gpu.nvidia>=16GB, cores>=8`; `kinds` are looked for where no term names anything rarer.
 * `undefined` with what is wrong in `problems`.
 */
export function parseNeed(
  text: string,
  kinds: readonly string[],
  problems: string[],
): MachineNeed | undefined {
  const before = problems.length
  if (text.length > MAX_NEED_CHARS) problems.push(`expected at most ${MAX_NEED_CHARS} characters`)
  const parts = text.slice(0, MAX_NEED_CHARS).split(',')
  const terms = parts.flatMap((part) => termOf(part.trim()) ?? unknown(part.trim(), problems))
  if (problems.length > before) return undefined
  // what many have in common finds fewer of those that are meant: a search is a sample
  const named = (prefix: string) => terms.find(({ tag }) => tag?.startsWith(prefix))?.tag
  const common = [named('region='), named('kind=')]
  const rare = terms.findLast(({ tag }) => tag !== undefined && !common.includes(tag))?.tag
  const tag = [rare, ...common].find((each) => each !== undefined)
  return {
    tags: tag === undefined ? kinds.map((each) => `kind=${each}`) : [tag],
    isMet: (machine) => terms.every((term) => term.isMet(machine)),
  }
}

/** Names that a term may have, for a message. */
const NAMES =
  'kind=, arch=, cores>=, memory>=, disk>=, gpu, gpu.VENDOR, gpus>=, fpga, tpu, tee=, flag=, region=, attach'

function unknown(part: string, problems: string[]): Term[] {
  problems.push(`${JSON.stringify(part.slice(0, 60))}: expected terms such as ${NAMES}`)
  return []
}

function termOf(part: string): Term | undefined {
  const [, name = '', sign = '', value = ''] =
    /^([a-z]+(?:\.[a-z]+)?)(?:\s*(>=|=)\s*([\w.+-]{1,40}))?$/.exec(part) ?? []
  if (sign === '=') return equalTerm(name, value)
  const least = LEAST[name]
  if (sign === '>=' && least !== undefined) return least(value)
  if (sign === '' && (name === 'fpga' || name === 'tpu'))
    return { tag: name, isMet: ({ hardware }) => (hardware[`${name}s`] ?? []).length > 0 }
  if (sign === '' && name === 'attach')
    return { tag: name, isMet: ({ hardware }) => hardware.attach === true }
  return /^gpu(\.[a-z]+)?$/.test(name) ? gpuTerm(name, sign === '' ? '0' : value) : undefined
}

function equalTerm(name: string, value: string): Term | undefined {
  switch (name) {
    case 'kind':
      return { tag: `kind=${value}`, isMet: ({ kinds }) => kinds.includes(value) }
    case 'arch':
      return { isMet: ({ hardware }) => hardware.arch === value }
    case 'region':
      return {
        tag: `region=${value}`,
        isMet: ({ hardware }) =>
          hardware.region !== undefined && placesOf(hardware.region).includes(value),
      }
    case 'tee':
      return {
        tag: `tee=${value}`,
        isMet: ({ hardware }) => hardware.tees?.includes(value) ?? false,
      }
    case 'flag':
      return { isMet: ({ hardware }) => hardware.cpuFlags?.includes(value) ?? false }
    default:
      return undefined
  }
}

/** Terms with a least amount: cores and GPUs by number, the others by size. */
const LEAST: Readonly<Record<string, (value: string) => Term | undefined>> = {
  cores: (value) => least(wholeNumber(value), ({ cores }) => cores),
  memory: (value) => least(parseBytes(value), ({ memoryBytes }) => memoryBytes),
  disk: (value) => least(parseBytes(value), ({ diskBytes }) => diskBytes),
  gpus: (value) => {
    const term = least(wholeNumber(value), ({ gpus }) =>
      gpus.reduce((n, { count }) => n + count, 0),
    )
    return term && { ...term, tag: 'gpu' }
  },
}

function least(
  wanted: number | undefined,
  has: (hardware: Machine['hardware']) => number,
): Term | undefined {
  return wanted === undefined ? undefined : { isMet: ({ hardware }) => has(hardware) >= wanted }
}

function wholeNumber(value: string): number | undefined {
  return /^\d{1,6}$/.test(value) ? Number(value) : undefined
}

function gpuTerm(name: string, value: string): Term | undefined {
  const bytes = parseBytes(value)
  if (bytes === undefined) return undefined
  const vendor = name.split('.')[1]
  const isWanted = (gpu: Gpu) =>
    (vendor === undefined || gpu.vendor === vendor) && (bytes === 0 || hasMemory(gpu, bytes))
  const step = GPU_STEPS_GIB.findLast((each) => each * GiB <= bytes)
  return {
    tag: step === undefined || vendor === undefined ? name : `${name}>=${step}`,
    isMet: ({ hardware }) => hardware.gpus.some(isWanted),
  }
}

function hasMemory({ memoryBytes = 0 }: Gpu, bytes: number): boolean {
  return memoryBytes >= bytes * CARD_SLACK
}
