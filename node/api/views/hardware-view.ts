import { Value } from 'typebox/value'
import type { Hardware } from '../../domain/advert.ts'
import { MAX_HARDWARE_CHARS } from '../../protocol/limits.ts'
import { HardwareBody } from '../schemas/hardware.ts'

/** This node's own hardware. */
export function hardwareView(hardware: Hardware): HardwareBody {
  const { cpuFlags, gpus, fpgas, tpus, tees, networkLinks, forJobs, sandboxes, ...figures } =
    hardware
  return {
    ...figures,
    ...(cpuFlags !== undefined && { cpuFlags: [...cpuFlags] }),
    gpus: [...gpus],
    ...(fpgas !== undefined && { fpgas: [...fpgas] }),
    ...(tpus !== undefined && { tpus: [...tpus] }),
    ...(tees !== undefined && { tees: [...tees] }),
    ...(networkLinks !== undefined && { networkLinks: [...networkLinks] }),
    ...(forJobs !== undefined && { forJobs: { ...forJobs, gpus: [...forJobs.gpus] } }),
    sandboxes: { ...sandboxes },
  }
}

/**
 * The hardware in a stranger's advert: whole or not at all. `undefined` for a text that is too long, is not
 * JSON, or breaks a bound of the schema. Fields that the schema does not know are left out.
 */
export function hardwareOf(text: string): HardwareBody | undefined {
  if (text.length > MAX_HARDWARE_CHARS) return undefined
  try {
    const known = Value.Clean(HardwareBody, JSON.parse(text))
    return Value.Check(HardwareBody, known) ? known : undefined
  } catch {
    // Not JSON: a peer without a description is a peer all the same.
    return undefined
  }
}
