/** What is asked about a job or a channel. */
export const ASPECTS = ['funding', 'payment', 'state'] as const
export type Aspect = (typeof ASPECTS)[number]

/** `proven` from the evidence alone · `open` by it neither way · `refuted` by it. */
export type Verdict = 'proven' | 'open' | 'refuted'

/** What a proof rests on: signatures hold whatever an endpoint says, the chain is as it tells it. */
export type Ground = 'signatures' | 'chain'

/** One statement, and what the evidence says of it. */
export interface Finding {
  readonly verdict: Verdict
  readonly text: string
  /** The question that it helps to answer; none for remarks. */
  readonly about?: Aspect
  /** Of what is proven. */
  readonly by?: Ground
}

/** Collects findings in the order they are made. */
export class Findings {
  readonly all: Finding[] = []

  /** Proven by signatures. */
  signed(text: string, about?: Aspect): void {
    this.#add({ verdict: 'proven', text, by: 'signatures' }, about)
  }

  /** Proven by the chain. */
  onChain(text: string, about?: Aspect): void {
    this.#add({ verdict: 'proven', text, by: 'chain' }, about)
  }

  open(text: string, about?: Aspect): void {
    this.#add({ verdict: 'open', text }, about)
  }

  refuted(text: string, about?: Aspect): void {
    this.#add({ verdict: 'refuted', text }, about)
  }

  /** The answer to one question: proven when something proves it and nothing about it is left open. */
  answer(aspect: Aspect): Verdict {
    const about = this.all.filter((finding) => finding.about === aspect)
    const has = (verdict: Verdict) => about.some((finding) => finding.verdict === verdict)
    if (has('refuted')) return 'refuted'
    return has('proven') && !has('open') ? 'proven' : 'open'
  }

  /** All in all: one refuted statement refutes the whole. */
  get verdict(): Verdict {
    if (this.all.some(({ verdict }) => verdict === 'refuted')) return 'refuted'
    return ASPECTS.every((aspect) => this.answer(aspect) === 'proven') ? 'proven' : 'open'
  }

  #add(finding: Finding, about: Aspect | undefined): void {
    this.all.push(about === undefined ? finding : { ...finding, about })
  }
}
