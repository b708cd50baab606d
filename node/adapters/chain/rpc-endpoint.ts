import { FetchRequest, JsonRpcProvider, Network } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import { boundedGet } from './bounded-get.ts'
import { asChainError } from './chain-error.ts'

/** How long one call to the endpoint may take, ms. */
const RPC_TIMEOUT_MS: number = 15 * second

/** An endpoint of a chain, which is not asked which one it serves: {@link servedChain} is for that. */
export function providerOf(url: string, chainId: number): JsonRpcProvider {
  // A static network: the library would otherwise ask for it again and again, and log when it cannot.
  const network = Network.from(chainId)
  return new JsonRpcProvider(requestTo(url), network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
  })
}

/** As {@link providerOf}, once {@link servedChain} has passed. */
export async function connectRpc(
  url: string,
  chainId: number | undefined,
  signal: AbortSignal,
): Promise<JsonRpcProvider> {
  return providerOf(url, await servedChain(url, chainId, signal))
}

/**
 * The chain that an endpoint serves. Throws `CHAIN_UNREACHABLE`, `CHAIN_ANSWER_INVALID`, or `CHAIN_WRONG` when it is
 * another than the expected; without `chainId` whatever it serves is taken.
 */
export async function servedChain(
  url: string,
  chainId: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const served = await withSignal(askChainId(requestTo(url), url), signal)
  if (chainId !== undefined && served !== chainId)
    throw new HiveError('CHAIN_WRONG', { expected: chainId, served })
  return served
}

function requestTo(url: string): FetchRequest {
  const request = new FetchRequest(url)
  request.timeout = RPC_TIMEOUT_MS
  request.getUrlFunc = boundedGet()
  return request
}

/** `work`, unless the signal aborts first; then its reason. */
export async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined) // when it loses the race nobody is left to hear its failure
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Asked by hand, once: the library retries a dead endpoint for ever. */
async function askChainId(call: FetchRequest, url: string): Promise<number> {
  call.body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  call.setHeader('content-type', 'application/json')
  call.setThrottleParams({ maxAttempts: 1 })
  try {
    const response = await call.send()
    response.assertOk()
    const { result } = response.bodyJson as { result?: unknown }
    if (typeof result === 'string' && /^0x[0-9a-f]{1,12}$/i.test(result)) return Number(result)
  } catch (error) {
    throw asChainError(error, `eth_chainId at ${new URL(url).host}`)
  }
  throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'eth_chainId' })
}
