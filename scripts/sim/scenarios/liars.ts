import { bidRequest } from '../../../node/protocol/requests.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import type { Signing } from '../../../node/services/signing.ts'
import type { Twist } from '../market/sim-node.ts'
import type { Machine } from '../market/machines.ts'
import type { Scenario } from './scenario.ts'

/** Every so many-th node lies: 10 %. */
const EVERY = 10

/** Asks a hundredth of what others ask, so that it is chosen wherever its word counts. */
const undercut = (machine: Machine): Machine => {
  const { prices } = machine
  const less = { perTask: prices.perTask / 100n, perCoreSecond: prices.perCoreSecond / 100n }
  return { ...machine, prices: { ...prices, ...less } }
}

/** Changes bids after they were signed. */
const forger: Twist = {
  machine: undercut,
  requests: (requests) =>
    twisted(requests, {
      call: async (peer, protocol, request, options) => {
        const bytes = protocol === 'bid' ? forged(request) : request
        return requests.call(peer, protocol, bytes, options)
      },
    }),
}

/** Wins, signs, and never says another word. */
const mute: Twist = {
  machine: undercut,
  requests: (requests) =>
    twisted(requests, {
      answerStream: (protocol) =>
        requests.answerStream(protocol, (_from, _bytes, { signal }) => silence(signal)),
    }),
}

/** Wins, and then cannot start a single task. */
const idler: Twist = {
  machine: undercut,
  sandbox: (sandbox) =>
    twisted(sandbox, {
      run: async ({ args, ...task }, options) => {
        const result = await sandbox.run({ ...task, args: ['0'] }, options)
        return { ...result, reason: 'start-failed', exitCode: -1, detail: `${args.length}` }
      },
    }),
}

/** Does the work, and asks for a thousand times its price. */
const overcharger: Twist = {
  machine: undercut,
  signing: (signing) => ({
    ...signing,
    seal: (name, message) =>
      signing.seal(
        name,
        'amount' in message && name === 'Receipt'
          ? { ...message, amount: message.amount * 1000n }
          : message,
      ),
  }),
}

/** Does the work, and commits to other results than those that it shows. */
const swapper: Twist = {
  machine: undercut,
  signing: (signing: Signing) => ({
    ...signing,
    seal: (name, message) =>
      signing.seal(
        name,
        'dataRoot' in message ? { ...message, dataRoot: `0x${'5a'.repeat(32)}` } : message,
      ),
  }),
}

const KINDS: readonly Twist[] = [forger, mute, idler, overcharger, swapper]

/** A tenth of the nodes lies, each in one of five ways, and undercuts all honest ones. */
export const liars: Scenario = {
  name: 'liars',
  reorganises: false,
  twist(at, { requesters }) {
    if (at < requesters || at % EVERY !== 0) return undefined
    return KINDS[(at / EVERY) % KINDS.length]
  },
  unfold: () => undefined,
}

/** A bid for a lower price, under the signature of what it was before. */
function forged(request: Uint8Array): Uint8Array {
  const answer = bidRequest.decode(request)
  if (answer.bid === undefined) return request
  const bid = answer.bid.slice()
  // within the message, well before the signature at its end
  const at = bid.byteLength - 100
  bid[at] = (bid[at] ?? 0) ^ 1
  return bidRequest.encode({ ...answer, bid })
}

/** Frames that never come. */
function silence(signal: AbortSignal): AsyncIterable<Uint8Array> {
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next }) }
}

/** An object's methods, with some in place of its own. */
function twisted<T extends Requests | Sandbox>(real: T, instead: Partial<T>): T {
  return new Proxy(real, {
    get(target, name) {
      const other: unknown = Reflect.get(instead, name)
      if (other !== undefined) return other
      const own: unknown = Reflect.get(target, name, target)
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })
}
