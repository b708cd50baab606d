// Writes test/vectors/typed-data.json: what every market message must hash to and what its signature
// must be. Both languages are tested against it, so nothing here uses the node's own codec.
// With --check: writes nothing and exits 1 when the checked-in file differs.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { id, SigningKey, TypedDataEncoder, computeAddress, type TypedDataField } from 'ethers'
import { format, resolveConfig } from 'prettier'

const TARGET = fileURLToPath(new URL('../../test/vectors/typed-data.json', import.meta.url))

/** Made for these vectors alone, from a public sentence: guards nothing. */
const PRIVATE_KEY = id('a key that everybody knows, for typed data vectors')

/** The type strings of the protocol, as in contracts/libraries/Messages.sol. */
const TYPES = [
  'BondOffer(address provider,address requester,address providerSigner,uint96 bond,uint40 hold,uint40 expiry,uint256 nonce)',
  'Agreement(bytes32 channel,uint64 seq,bytes32 offer,bytes32 spec,bytes32 input,uint32 tasks,uint96 price,uint96 owedAfter,uint96 stake,uint96 caseBond,address verifier,bytes32 verifierParams,bytes32 nonceCommitR,bytes32 nonceCommitP,uint40 startBy,uint40 finishBy,uint40 disputeUntil,uint8 onUndecided)',
  'Receipt(bytes32 agreement,uint32 completed,uint96 amount,bytes32 resultCommit,bytes32 trace,bytes32 dataRoot,uint40 finishedAt)',
  'Voucher(bytes32 channel,uint96 cumulative,uint64 jobs,bytes32 jobsRoot)',
  'CloseMutual(bytes32 channel,uint96 finalSettled,uint40 deadline)',
  'Advert(address node,uint64 seq,string network,string[] kinds,string hardware,uint64 issuedAt,uint64 expiresAt)',
  'Offer(address requester,uint256 nonce,string network,string class,bytes32 spec,bytes32 image,uint32 tasks,uint32 cpuMillis,uint64 memoryBytes,uint64 diskBytes,uint32 gpus,string gpuVendor,uint64 gpuMemoryBytes,string[] egress,uint64 taskTimeoutMs,uint64 payEveryMs,string payPer,uint64 fuel,uint96 maxPrice,uint64 issuedAt,uint64 bidsUntil)',
  'Bid(bytes32 offer,address provider,uint96 price,uint32 capacity,uint64 etaMs,bool cached,uint64 validUntil)',
  'Heartbeat(bytes32 agreement,uint64 seq,uint64 elapsedMs,bytes32 digest,bool closing,uint64 at)',
  'Award(bytes32 agreement,uint32[] tasks,uint64 issuedAt)',
] as const

const DOMAINS = {
  devnet: domainOf(31_337, '0x5fbdb2315678afecb367f032d93f642f64180aa3'),
  elsewhere: domainOf(8453, '0xffffffffffffffffffffffffffffffffffffffff'),
}

type Value = string | boolean | readonly string[]
type Fill = (type: string, name: string) => Value

/** The least that each field can hold. */
const least: Fill = (type) => {
  if (type === 'string') return ''
  if (type.endsWith('[]')) return []
  if (type === 'bool') return false
  if (type.startsWith('uint')) return '0'
  return `0x${'00'.repeat(bytesOf(type))}`
}

/** The most that each field can hold; for texts and lists, something awkward instead. */
const most: Fill = (type) => {
  if (type === 'string') return 'é "quoted" \\ 漢字 \u{1f680}\n'
  if (type === 'bool') return true
  if (type === 'string[]') return ['', 'ß', 'a'.repeat(100)]
  if (type.endsWith('[]')) return ['0', '0', largest(type.slice(0, -2))]
  if (type.startsWith('uint')) return largest(type)
  return `0x${'ff'.repeat(bytesOf(type))}`
}

/** Values of everyday size, all different, so that two fields changed for each other show. */
const usual: Fill = (type, name) => {
  const seed = id(name)
  if (type === 'string') return `some ${name}`
  if (type === 'bool') return true
  if (type === 'string[]') return ['wasm', 'docker']
  if (type.endsWith('[]')) return ['0', '1', '7', '23']
  if (type.startsWith('uint')) return (BigInt(seed) % (BigInt(largest(type)) >> 3n)).toString()
  return type === 'address' ? computeAddress(seed).toLowerCase() : seed
}

function domainOf(chainId: number, verifyingContract: string) {
  return { name: 'ComputeEscrow', version: '1', chainId, verifyingContract }
}

function bytesOf(type: string): number {
  return type === 'address' ? 20 : Number(type.slice('bytes'.length))
}

function largest(type: string): string {
  return ((1n << BigInt(type.slice('uint'.length))) - 1n).toString()
}

function fieldsOf(type: string): TypedDataField[] {
  const list = type.slice(type.indexOf('(') + 1, -1).split(',')
  return list.map((field) => {
    const [fieldType = '', name = ''] = field.split(' ')
    return { name, type: fieldType }
  })
}

function vectorOf(type: string, domain: ReturnType<typeof domainOf>, fill: Fill) {
  const name = type.slice(0, type.indexOf('('))
  const fields = fieldsOf(type)
  const types = { [name]: fields }
  const value = Object.fromEntries(
    fields.map((field) => [field.name, fill(field.type, field.name)]),
  )
  const digest = TypedDataEncoder.hash(domain, types, value)
  const key = new SigningKey(PRIVATE_KEY)
  return {
    type: name,
    typeString: type,
    value,
    domain,
    structHash: TypedDataEncoder.hashStruct(name, types, value),
    digest,
    privateKey: PRIVATE_KEY,
    signer: computeAddress(key.publicKey).toLowerCase(),
    signature: key.sign(digest).serialized,
  }
}

const vectors = TYPES.flatMap((type) => [
  vectorOf(type, DOMAINS.devnet, usual),
  vectorOf(type, DOMAINS.devnet, least),
  vectorOf(type, DOMAINS.devnet, most),
  vectorOf(type, DOMAINS.elsewhere, usual),
])
const style = await resolveConfig(TARGET)
const fresh = await format(JSON.stringify({ vectors }), { ...style, parser: 'json' })

if (process.argv.includes('--check')) {
  const kept = await readFile(TARGET, 'utf8').catch(() => '')
  if (kept !== fresh) {
    process.stderr.write(
      'typed-data.json differs from its types.\nRun: node scripts/generate/typed-data-vectors.ts\n',
    )
    process.exitCode = 1
  }
} else {
  await writeFile(TARGET, fresh)
}
