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

/** Most disk of one task of each kind whose sandbox has a limit of its own, bytes. */
export function maxDiskByClass(sandboxes: readonly Sandbox[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    sandboxes.flatMap(({ kind, maxDiskBytes }) =>
      maxDiskBytes === undefined ? [] : [[kind, maxDiskBytes]],
    ),
  )
}
