import {
  createEnvelopeCodec,
  type EnvelopeCodec,
  type SignDigest,
} from '../../node/protocol/envelope.ts'
import { MESSAGES, type MessageName, type Messages } from '../../node/protocol/messages.ts'
import {
  aBid,
  aBondOffer,
  aHeartbeat,
  anAdvert,
  anAgreement,
  anAward,
  anOffer,
  aReceipt,
  aVoucher,
} from './messages.ts'
import { testSigner } from './test-signer.ts'

/** The codec of a contract that nobody deployed. */
export const TEST_CODEC: EnvelopeCodec = createEnvelopeCodec({
  chainId: 31337,
  escrow: `0x${'e5'.repeat(20)}`,
})
export const MESSAGE_NAMES: readonly MessageName[] = Object.keys(MESSAGES) as MessageName[]
/** One of each message. */
export const SAMPLES: { readonly [N in MessageName]: Messages[N] } = {
  Advert: anAdvert(),
  Offer: anOffer(),
  Bid: aBid(),
  BondOffer: aBondOffer(),
  Agreement: anAgreement(),
  Award: anAward(),
  Heartbeat: aHeartbeat(),
  Receipt: aReceipt(),
  Voucher: aVoucher(),
}

/** Signs with the key of a test number. */
export function signWith(number: number): SignDigest {
  const signer = testSigner(number)
  return (digest) => signer.signDigest(digest)
}
