import { JsonRpcProvider } from 'ethers'
import { ESCROW_INTERFACE } from '../../node/adapters/chain/artifact.ts'
import { figure, median, type Figure } from './figures.ts'

/** Gas of every kind of call that the escrow got on this chain, from the receipts. */
export async function gasFigures(rpc: string, escrow: string): Promise<readonly Figure[]> {
  const provider = new JsonRpcProvider(rpc, undefined, { staticNetwork: true })
  try {
    const used = new Map<string, number[]>()
    const last = await provider.getBlockNumber()
    for (let number = 1; number <= last; number++) {
      const block = await provider.getBlock(number, true)
      for (const transaction of block?.prefetchedTransactions ?? []) {
        if (transaction.to?.toLowerCase() !== escrow.toLowerCase()) continue
        const call =
          ESCROW_INTERFACE.parseTransaction(transaction)?.name ?? transaction.data.slice(0, 10)
        const receipt = await provider.getTransactionReceipt(transaction.hash)
        if (receipt?.status === 1)
          used.set(call, [...(used.get(call) ?? []), Number(receipt.gasUsed)])
      }
    }
    return [...used]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([call, gas]) => figure(`gas of ${call}, median`, median(gas), 'gas', gas.length))
  } finally {
    provider.destroy()
  }
}
