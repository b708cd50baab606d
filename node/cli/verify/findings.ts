/** `proven` from the chain and signatures alone · `open` by them neither way · `refuted` by them. */
export type Verdict = 'proven' | 'open' | 'refuted'

/** One statement, and what the evidence says of it. */
export interface Finding {
  readonly verdict: Verdict
  readonly text: string
}

/** Collects findings in the order they are made. */
export class Findings {
  readonly all: Finding[] = []

  proven(text: string): void {
    this.all.push({ verdict: 'proven', text })
  }

  open(text: string): void {
    this.all.push({ verdict: 'open', text })
  }

  refuted(text: string): void {
    this.all.push({ verdict: 'refuted', text })
  }

  /** Whether nothing speaks against what was claimed. */
  get holds(): boolean {
    return this.all.every(({ verdict }) => verdict !== 'refuted')
  }
}
