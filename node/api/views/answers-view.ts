import type { OfferAnswers } from '../../domain/decline.ts'
import type { OfferAnswersBody } from '../schemas/answers.ts'

/** What came back for one offer. */
export function answersView({ declines, refusals, ...answers }: OfferAnswers): OfferAnswersBody {
  return {
    ...answers,
    declines: declines.map(({ lowestPrice, ...decline }) => ({
      ...decline,
      ...(lowestPrice !== undefined && { lowestPrice: lowestPrice.toString() }),
    })),
    refusals: [...refusals],
  }
}
