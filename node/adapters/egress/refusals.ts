/**
 * Why a job did not get its connection, in the words that RFC 9209 gives a proxy for it, and the HTTP status that goes
 * with each.
 */
export const REFUSALS = {
  /** No request that a proxy serves. */
  http_request_error: 400,
  /** Not among the job's destinations, or not among the provider's. */
  http_request_denied: 403,
  /** The name leads to an address that no job may reach from here. */
  destination_ip_prohibited: 403,
  /** Too many connections, too many in a short time, or too many bytes. */
  connection_limit_reached: 429,
  /** The name leads nowhere. */
  dns_error: 502,
  connection_refused: 502,
  connection_terminated: 502,
  connection_timeout: 504,
} as const

/** See {@link REFUSALS}. */
export type Refusal = keyof typeof REFUSALS

/** Most places that are remembered one by one; a job that tries every port would fill memory with them. */
const MAX_PLACES = 8

/** What a job was refused, for its requester to read. */
export class RefusalNotes {
  readonly #counts = new Map<string, number>()
  #others = 0

  add(place: string, why: Refusal): void {
    const note = `${place} ${why}`
    const count = this.#counts.get(note)
    if (count === undefined && this.#counts.size >= MAX_PLACES) this.#others++
    else this.#counts.set(note, (count ?? 0) + 1)
  }

  /** One line, or nothing when nothing was refused. */
  get text(): string {
    if (this.#counts.size === 0) return ''
    const notes = [...this.#counts].map(([note, count]) =>
      count > 1 ? `${note} (${count})` : note,
    )
    const others = this.#others > 0 ? [`and ${this.#others} more`] : []
    return `connections refused: ${[...notes, ...others].join(', ')}`
  }
}
