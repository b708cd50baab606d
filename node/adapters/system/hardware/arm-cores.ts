/** ARM processors do not carry their name, only `CPU implementer` and `CPU part`. Source: ARM's MIDR_EL1 tables. */
const CORES: Readonly<Record<string, string>> = {
  '0x41:0xd03': 'ARM Cortex-A53',
  '0x41:0xd04': 'ARM Cortex-A35',
  '0x41:0xd05': 'ARM Cortex-A55',
  '0x41:0xd07': 'ARM Cortex-A57',
  '0x41:0xd08': 'ARM Cortex-A72',
  '0x41:0xd09': 'ARM Cortex-A73',
  '0x41:0xd0a': 'ARM Cortex-A75',
  '0x41:0xd0b': 'ARM Cortex-A76',
  '0x41:0xd0c': 'ARM Neoverse-N1',
  '0x41:0xd40': 'ARM Neoverse-V1',
  '0x41:0xd42': 'ARM Cortex-A78AE',
  '0x41:0xd49': 'ARM Neoverse-N2',
  '0x41:0xd4f': 'ARM Neoverse-V2',
  '0xc0:0xac3': 'Ampere-1',
  '0xc0:0xac4': 'Ampere-1A',
}

/** Name of an ARM core; its two numbers where it is not known, `undefined` where it is not ARM's scheme. */
export function armCoreName(implementer?: string, part?: string): string | undefined {
  if (implementer === undefined || part === undefined) return undefined
  return CORES[`${implementer}:${part}`] ?? `ARM ${implementer}:${part}`
}
