import { PROVIDER_RENEWAL_MS } from './options.ts'

/**
 * Which of a node's tags to announce again. Others keep a tag for longer than an advert, and each costs as much to announce
 * as an advert does, so not every advert brings all of them.
 */
export class TagRenewal {
  /** By tag, when it was announced to somebody last, Unix ms. */
  readonly #announced = new Map<string, number>()

  /** Those of the tags that nobody was told of yet, or not for a while. `now` is Unix ms. */
  due(tags: readonly string[], now: number): readonly string[] {
    return tags.filter(
      (tag) => now - (this.#announced.get(tag) ?? -Infinity) >= PROVIDER_RENEWAL_MS,
    )
  }

  /** Notes that others know the tag. `from`: when its announcement began, Unix ms. */
  note(tag: string, from: number): void {
    this.#announced.set(tag, from)
  }

  forget(tags: readonly string[]): void {
    for (const tag of tags) this.#announced.delete(tag)
  }
}
