import assert from 'node:assert/strict'

import {
  type Contract,
  type Provider,
  Wallet,
  id as hashOf,
  Signature,
  ZeroAddress,
  ZeroHash,
} from 'ethers'
import hre from 'hardhat'

const FREE_AT_START = 10n ** 20n
export const FEE_BPS = 250n
export const DAY_SECONDS = 86_400n

const FIELDS = {
  BondOffer:
    'address provider,address requester,address providerSigner,uint96 bond,uint40 hold,uint40 expiry,uint256 nonce',
  Voucher: 'bytes32 channel,uint96 cumulative,uint64 jobs,bytes32 jobsRoot',
  CloseMutual: 'bytes32 channel,uint96 finalSettled,uint40 deadline',
  Agreement:
    'bytes32 channel,uint64 seq,bytes32 offer,bytes32 spec,bytes32 input,uint32 tasks,uint96 price,uint96 owedAfter,uint96 stake,uint96 caseBond,address verifier,bytes32 verifierParams,bytes32 nonceCommitR,bytes32 nonceCommitP,uint40 startBy,uint40 finishBy,uint40 disputeUntil,uint8 onUndecided',
  Receipt:
    'bytes32 agreement,uint32 completed,uint96 amount,bytes32 resultCommit,bytes32 trace,bytes32 dataRoot,uint40 finishedAt',
} as const

export interface Parties {
  readonly requester: string
  readonly provider: string
  readonly providerSigner: string
  readonly nonce: bigint
}

export interface OpenOptions {
  readonly deposit?: bigint
  readonly bond?: bigint
  readonly hold?: bigint
  readonly expiry?: bigint
  readonly provider?: string
  readonly signedBy?: Wallet
  readonly nonce?: bigint
  readonly agreement?: string
}

/** Stands for a token's name where the escrow shall be of the chain's own coin. */
export const NATIVE = 'native'

/** The fields of a message, as ethers wants them. */
export function typesOf(type: keyof typeof FIELDS) {
  const fields = FIELDS[type].split(',').map((field) => {
    const [kind = '', name = ''] = field.split(' ')
    return { name, type: kind }
  })
  return { [type]: fields }
}

/**
 * A fresh chain with an escrow, its token, and a pair of funded accounts with session keys. With
 * {@link NATIVE} the escrow is of the chain's own coin, and the token beside it means nothing.
 */
export async function escrowWorld(tokenName = 'TestToken') {
  const { ethers, networkHelpers } = await hre.network.create()
  const [owner, stranger, treasury] = await ethers.getSigners()
  assert.ok(owner && stranger && treasury)
  const provider: Provider = ethers.provider
  const wallet = (name: string) => new Wallet(hashOf(`escrow world: ${name}`), provider)
  const people = {
    requester: wallet('requester'),
    provider: wallet('provider'),
    requesterSigner: wallet('requester session key'),
    providerSigner: wallet('provider session key'),
  }
  const isNative = tokenName === NATIVE
  const token = await ethers.deployContract(isNative ? 'TestToken' : tokenName)
  const escrow = await ethers.deployContract('ComputeEscrow', [
    isNative ? ZeroAddress : await token.getAddress(),
    owner.address,
    treasury.address,
    FEE_BPS,
  ])
  const address = await escrow.getAddress()
  const { chainId } = await provider.getNetwork()
  const domain = { name: 'ComputeEscrow', version: '1', chainId, verifyingContract: address }
  for (const person of Object.values(people)) {
    await networkHelpers.setBalance(person.address, 10n ** 20n)
  }

  /** Calls `name` as `who` and waits until it is mined. */
  async function as(
    who: { address: string },
    name: string,
    args: unknown[],
    on: Contract = escrow,
  ) {
    const sent = await on.connect(who as never).getFunction(name)(...args)
    return sent.wait()
  }

  const read = (name: string, ...args: unknown[]) => escrow.getFunction(name)(...args)
  const now = async () => BigInt(await networkHelpers.time.latest())

  async function fund(account: string, amount: bigint) {
    if (isNative) return as(owner!, 'depositFor', [account, amount, { value: amount }])
    await as(owner!, 'mint', [owner!.address, amount], token)
    await as(owner!, 'approve', [address, amount], token)
    return as(owner!, 'depositFor', [account, amount])
  }

  /** What the escrow holds, be it tokens or the chain's own coin. */
  async function held(): Promise<bigint> {
    return isNative ? provider.getBalance(address) : token.getFunction('balanceOf')(address)
  }

  function sign(who: Wallet, type: keyof typeof FIELDS, value: Record<string, unknown>) {
    return who.signTypedData(domain, typesOf(type), value)
  }

  function nonceOf(counter: bigint) {
    return (counter << 160n) | BigInt(people.requesterSigner.address)
  }

  async function openArguments(counter: bigint, options: OpenOptions = {}) {
    const terms = {
      provider: options.provider ?? people.provider.address,
      providerSigner: people.providerSigner.address,
      deposit: options.deposit ?? 1000n,
      bond: options.bond ?? 500n,
      bondHold: options.hold ?? 0n,
      bondExpiry: options.expiry ?? (await now()) + DAY_SECONDS,
      nonce: options.nonce ?? nonceOf(counter),
      agreement: options.agreement ?? ZeroHash,
    }
    const signature = await sign(options.signedBy ?? people.provider, 'BondOffer', {
      ...terms,
      requester: people.requester.address,
      hold: terms.bondHold,
      expiry: terms.bondExpiry,
    })
    return [terms, signature] as const
  }

  function partiesOf(counter: bigint): Parties {
    return {
      requester: people.requester.address,
      provider: people.provider.address,
      providerSigner: people.providerSigner.address,
      nonce: nonceOf(counter),
    }
  }

  async function open(counter: bigint, options: OpenOptions = {}): Promise<string> {
    await as(people.requester, 'createChannel', [...(await openArguments(counter, options))])
    const provider = options.provider ?? people.provider.address
    return read('channelIdOf', { ...partiesOf(counter), provider })
  }

  /** Arguments of `claim` and `claimAndClose`. */
  async function voucherArguments(counter: bigint, cumulative: bigint, signer?: Wallet) {
    const parties = partiesOf(counter)
    const channel: string = await read('channelIdOf', parties)
    const voucher = { channel, cumulative, jobs: 7n, jobsRoot: hashOf('jobs') }
    const signature = await sign(signer ?? people.requesterSigner, 'Voucher', voucher)
    return [parties, voucher, signature] as const
  }

  /** Arguments of `claimMany` with one voucher. */
  async function batchArguments(counter: bigint, cumulative: bigint) {
    const [parties, voucher, signature] = await voucherArguments(counter, cumulative)
    const { r, yParityAndS: vs } = Signature.from(signature)
    const item = { requester: parties.requester, nonce: parties.nonce, ...voucher, r, vs }
    return [parties.provider, parties.providerSigner, [item]] as const
  }

  /** Arguments of `closeMutual`. */
  async function mutualArguments(counter: bigint, finalSettled: bigint, deadline?: bigint) {
    const parties = partiesOf(counter)
    const channel: string = await read('channelIdOf', parties)
    const agreed = { channel, finalSettled, deadline: deadline ?? (await now()) + DAY_SECONDS }
    const ofRequester = await sign(people.requesterSigner, 'CloseMutual', agreed)
    const ofProvider = await sign(people.providerSigner, 'CloseMutual', agreed)
    return [parties, agreed, ofRequester, ofProvider] as const
  }

  /** Name of the error that a call is refused with. */
  async function refusal(call: Promise<unknown>): Promise<string> {
    try {
      await call
    } catch (error) {
      const data = (error as { data?: unknown }).data
      if (typeof data !== 'string') throw error
      const known = [escrow.interface, token.interface]
      return known.map((abi) => abi.parseError(data)?.name).find((name) => name) ?? data
    }
    assert.fail('the call went through')
  }

  /** Events of a mined transaction, decoded. */
  function eventsOf(receipt: { logs: readonly { topics: readonly string[]; data: string }[] }) {
    return receipt.logs.flatMap((log) => escrow.interface.parseLog(log) ?? [])
  }

  const free = async (who: { address: string }): Promise<bigint> =>
    (await read('account', who.address)).free

  if (tokenName === 'TestToken' || isNative) {
    await fund(people.requester.address, FREE_AT_START)
    await fund(people.provider.address, FREE_AT_START)
  }
  return {
    ...people,
    ethers,
    networkHelpers,
    owner,
    stranger,
    treasury,
    token,
    escrow,
    address,
    domain,
    as,
    read,
    now,
    fund,
    held,
    sign,
    nonceOf,
    partiesOf,
    open,
    openArguments,
    free,
    voucherArguments,
    batchArguments,
    mutualArguments,
    refusal,
    eventsOf,
  }
}

export type EscrowWorld = Awaited<ReturnType<typeof escrowWorld>>
