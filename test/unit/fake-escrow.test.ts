import { escrowJudgesCases } from '../conformance/escrow-cases.ts'
import { escrowKeepsItsPromises, type EscrowStage } from '../conformance/escrow.ts'
import { FakeChain } from '../support/fake-chain.ts'
import { testSigner } from '../support/test-signer.ts'

const stage = async (): Promise<EscrowStage & AsyncDisposable> => {
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
}

escrowKeepsItsPromises('fake escrow', stage)
escrowJudgesCases('fake escrow', stage)
