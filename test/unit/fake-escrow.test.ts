import { escrowKeepsItsPromises } from '../conformance/escrow.ts'
import { FakeChain } from '../support/fake-escrow.ts'
import { testSigner } from '../support/test-signer.ts'

escrowKeepsItsPromises('fake escrow', async () => {
  const chain = new FakeChain()
  let ahead = 0
  chain.now = () => Math.floor(Date.now() / 1000) + ahead
  const party = (number: number) => {
    const signer = testSigner(number)
    chain.fund(signer.address, 0n, 1_000_000n)
    return { signer, escrow: chain.as(signer.address) }
  }
  return {
    requester: party(1),
    provider: party(2),
    pass: async (seconds) => void (ahead += seconds),
    async [Symbol.asyncDispose]() {},
  }
})
