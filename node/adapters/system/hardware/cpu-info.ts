import { cpus } from 'node:os'
import { armCoreName } from './arm-cores.ts'
import type { KernelFiles } from './kernel-files.ts'
import { printable } from './printable.ts'

/** What `/proc/cpuinfo` says of the first processor; the others are taken to be like it. */
export interface CpuInfo {
  readonly model: string
  /** Every feature by the kernel's name. */
  readonly flags: ReadonlySet<string>
}

/** The first processor's part; the file of a large server has hundreds. */
const MAX_CPUINFO_BYTES = 16 * 1024
/** Longest name of a processor, characters; an advert is bounded. */
const MAX_MODEL_CHARS = 80

/** Model and features of the processor. */
export async function readCpuInfo(files: KernelFiles): Promise<CpuInfo> {
  const text = await files.text('proc/cpuinfo', MAX_CPUINFO_BYTES)
  // Only a system without the file has no better source than what Node knows.
  if (text === undefined) return { model: named(cpus()[0]?.model), flags: new Set() }
  const model =
    fieldOf(text, 'model name') ??
    armCoreName(fieldOf(text, 'CPU implementer'), fieldOf(text, 'CPU part')) ??
    fieldOf(text, 'uarch') ??
    fieldOf(text, 'cpu model') ??
    (await files.text('sys/firmware/devicetree/base/model'))
  const flags = fieldOf(text, 'flags') ?? fieldOf(text, 'Features') ?? ''
  return { model: named(model), flags: new Set(flags.split(/\s+/)) }
}

function named(model = ''): string {
  return printable(model, MAX_MODEL_CHARS) || 'unknown'
}

function fieldOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}[ \\t]*:[ \\t]*(\\S.*)$`, 'm').exec(text)?.[1]
}
