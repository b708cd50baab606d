/** Topic on which offers of one resource class are announced. Source: docs/protocol/offers.md R1. */
export function offerTopic(network: string, resourceClass: string): string {
  return `/computehive/${network}/offers/${resourceClass}`
}
