import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  advertKey,
  advertSelector,
  advertValidator,
} from '../../../../node/adapters/libp2p/advert-records.ts'
import { HiveError } from '../../../../node/domain/errors.ts'
import { MAX_ADVERT_BYTES } from '../../../../node/protocol/limits.ts'

const PEER = '16Uiu2HAm1G7VSPBTXZQM2qhyuXu4arUdXFetbiXSKMXUz1Q939MG'
const advert = Uint8Array.of(1)

test('advert records: the check learns whose advert it is, by the key', async () => {
  const asked: string[] = []
  const validate = advertValidator({
    network: 'test',
    validateAdvert: async (peer) => void asked.push(peer),
  })
  await validate(advertKey(PEER), advert)
  assert.deepEqual(asked, [PEER])
})

test('advert records: what the check refuses is refused', async () => {
  const validate = advertValidator({
    network: 'test',
    validateAdvert: async () => {
      throw new HiveError('SIGNATURE_INVALID')
    },
  })
  await assert.rejects(validate(advertKey(PEER), advert), { code: 'SIGNATURE_INVALID' })
})

test('advert records: size and key are checked before the check', async () => {
  const validate = advertValidator({
    network: 'test',
    validateAdvert: () => assert.fail('must not be asked'),
  })
  const tooLarge = new Uint8Array(MAX_ADVERT_BYTES + 1)
  await assert.rejects(validate(advertKey(PEER), tooLarge), { code: 'MESSAGE_TOO_LARGE' })
  await assert.rejects(validate(Buffer.from('/other/x'), advert), { code: 'PEER_PROTOCOL' })
  await assert.rejects(validate(advertKey('nobody'), advert), { code: 'PEER_PROTOCOL' })
  await assert.rejects(validate(advertKey('x'.repeat(100)), advert), { code: 'MESSAGE_TOO_LARGE' })
})

test('advert records: the choice among several is the one given', () => {
  const select = advertSelector({ network: 'test', selectAdvert: (records) => records.length - 1 })
  assert.equal(select(advertKey(PEER), [advert, advert, advert]), 2)
})
