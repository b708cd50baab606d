import { ARCHITECTURES } from '../../node/adapters/image/tiny-program.ts'

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

/** This machine's processor family, as the image format spells it. */
export function imageArchitecture(): string {
  return ARCHITECTURES[MACHINES[process.arch] ?? ''] ?? process.arch
}
