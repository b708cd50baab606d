import type { RegistryImage } from '../domain/registry-image.ts'
import type { LayeredProgram } from './sandbox.ts'

/** Registries of container images that this node's config names. Nothing is ever looked up by a tag. */
export interface Registries {
  readonly names: readonly string[]
  allows(registry: string): boolean
  /**
   * Gets what a digest stands for, and later its layers when they are asked for; every byte is held to its digest.
   * Throws IMAGE_INVALID, CONTENT_NOT_FOUND when it cannot be had, CANCELLED.
   */
  pull(image: RegistryImage, options: { readonly signal: AbortSignal }): Promise<LayeredProgram>
}
