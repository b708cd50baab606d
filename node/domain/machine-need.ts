import type { Hardware } from './advert.ts'
import type { ForJobs, JobGpus } from './for-jobs.ts'
import { GPU_VENDORS } from './gpu-need.ts'
import { kindOfClass } from './job-spec.ts'
import type { Offer } from './offer.ts'
import { GiB, parseBytes } from './units.ts'

/** What a peer says of itself, as far as needs ask for it. */
export interface Machine {
  /** Kinds of job that it takes; empty where it takes none. */
  readonly kinds: readonly string[]
  readonly hardware: Pick<
    Hardware,
    'arch' | 'cpuFlags' | 'fpgas' | 'tpus' | 'tees' | 'region' | 'forJobs' | 'attach'
  >
}

/** One condition on a machine. */
interface Term {
  /** Capability tag that every machine which meets it has announced; absent: it is not announced. */
  readonly tag?: string
  readonly isMet: (machine: Machine) => boolean
}

/** Groups of tags of which a machine has one each. Which of them is the rarest, the search finds out. */
export type TagGroups = readonly (readonly string[])[]

/** What a user looks for in a machine: every term has to be met. */
export interface MachineNeed {
  /** Tags to look for in the DHT: machines that meet it have one of each group. */
  readonly tags: TagGroups
  readonly isMet: (machine: Machine) => boolean
}

/** Longest text of a need, characters. */
export const MAX_NEED_CHARS = 200
/** Tags of a need that are searched for; each costs as much as the first. */
const MAX_SEARCHED_TAGS = 3
/** Memory of one GPU by which machines announce it, GiB, as cards come. */
const GPU_STEPS_GIB = [4, 8, 12, 16, 24, 32, 40, 48, 80, 96, 128, 192]
/** What a card has less than its name says: drivers keep some for themselves. */
const CARD_SLACK = 0.94

/**
 * Capability tags that a node announces: the kinds of job that it takes, and what few have, so that a search for it
 * finds few. None where it takes no jobs: who looks for a machine looks for one that does.
 */
export function tagsOf({ kinds, hardware }: Machine): string[] {
  if (kinds.length === 0) return []
  const { fpgas = [], tpus = [], tees = [], region, forJobs } = hardware
  const places = region === undefined ? [] : placesOf(region).map((place) => `region=${place}`)
  const cards = (forJobs?.gpus ?? []).flatMap((gpu) => {
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

/** Capability tags of the machines that could take an offer, of which each has one. */
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
  const tags = searchedTags(terms.flatMap(({ tag }) => tag ?? []))
  return {
    tags: tags.length === 0 ? [kinds.map((each) => `kind=${each}`)] : tags.map((tag) => [tag]),
    isMet: (machine) => machine.kinds.length > 0 && terms.every((term) => term.isMet(machine)),
  }
}

/** Of the tags of a need those that few have: devices and places; a kind only where nothing else is named. */
function searchedTags(tags: readonly string[]): readonly string[] {
  const isKind = (tag: string) => tag.startsWith('kind=')
  const isPlace = (tag: string) => tag.startsWith('region=')
  const devices = tags.filter((tag) => !isKind(tag) && !isPlace(tag))
  // every machine with a GPU of a maker has one
  const named = devices.filter(
    (tag) => tag !== 'gpu' || !devices.some((each) => each.startsWith('gpu.')),
  )
  const rare = [...new Set([...named, ...tags.filter(isPlace)])]
  return (rare.length > 0 ? rare : tags.filter(isKind)).slice(0, MAX_SEARCHED_TAGS)
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
  cores: (value) => least(wholeNumber(value), ({ cpuMillis }) => cpuMillis / 1000),
  memory: (value) => least(parseBytes(value), ({ memoryBytes }) => memoryBytes),
  disk: (value) => least(parseBytes(value), ({ diskBytes }) => diskBytes),
  gpus: (value) => {
    const term = least(wholeNumber(value), ({ gpus }) =>
      gpus.reduce((n, { count }) => n + count, 0),
    )
    return term && { ...term, tag: 'gpu' }
  },
}

function least(wanted: number | undefined, has: (forJobs: ForJobs) => number): Term | undefined {
  if (wanted === undefined) return undefined
  return { isMet: ({ hardware: { forJobs } }) => forJobs !== undefined && has(forJobs) >= wanted }
}

function wholeNumber(value: string): number | undefined {
  return /^\d{1,6}$/.test(value) ? Number(value) : undefined
}

function gpuTerm(name: string, value: string): Term | undefined {
  const bytes = parseBytes(value)
  if (bytes === undefined) return undefined
  const vendor = name.split('.')[1]
  const isWanted = (gpu: JobGpus) =>
    (vendor === undefined || gpu.vendor === vendor) && (bytes === 0 || hasMemory(gpu, bytes))
  const step = GPU_STEPS_GIB.findLast((each) => each * GiB <= bytes)
  return {
    tag: step === undefined || vendor === undefined ? name : `${name}>=${step}`,
    isMet: ({ hardware }) => hardware.forJobs?.gpus.some(isWanted) ?? false,
  }
}

function hasMemory({ memoryBytes = 0 }: JobGpus, bytes: number): boolean {
  return memoryBytes >= bytes * CARD_SLACK
}
