import { registryClass } from '../../domain/job-spec.ts'
import type { Registries } from '../../ports/registries.ts'
import type { Sandbox } from '../../ports/sandbox.ts'

/** The classes of jobs that a node hears of: those that it can run, from wherever it can get their images. */
export function classesFor(
  sandboxes: readonly Sandbox[],
  registries: Registries | undefined,
): readonly string[] {
  const kinds = sandboxes.map(({ kind }) => kind)
  const names = kinds.includes('docker') ? (registries?.names ?? []) : []
  return [...kinds, ...names.map((name) => registryClass('docker', name))]
}
