import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_WRITTEN_OFF } from '../../../node/domain/credit-window.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { TestMarket } from '../../support/test-market.ts'

test('a requester that takes results and cancels gets no more work after a few times, also after a restart', async () => {
  const market = new TestMarket()
  const requester = new HandMadeRequester(market, market.member())
  const member = market.member()
  const cheated = async () => {
    const { id } = await requester.award(await requester.deal({ stdout: 'work' }))
    const events = await requester.follow(id)
    assert.equal(events.at(-1)?.type, 'receipt')
    await requester.cancel(id)
  }
  const refused = async () =>
    assert.equal((await requester.ask(await requester.offer())).decline, 'DECLINED_EXPOSURE')
  {
    await using provider = await market.provider(member)
    for (let time = 0; time < MAX_WRITTEN_OFF; time++) await cheated()
    assert.equal(provider.works.writtenOff(requester.member.signing.address), MAX_WRITTEN_OFF)
    await refused()
  }
  await using again = await market.provider(market.rejoin(member))
  assert.equal(again.works.writtenOff(requester.member.signing.address), MAX_WRITTEN_OFF)
  await refused()
})
