import { Type } from 'typebox'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { HiveError } from '../../domain/errors.ts'
import { JOB_KINDS } from '../../domain/job-spec.ts'
import { MAX_NEED_CHARS, parseNeed } from '../../domain/machine-need.ts'
import type { Relaying } from '../../ports/directory.ts'
import { PeerBody, StatusBody } from '../schemas/node.ts'
import type { PeerView } from '../../services/presence.ts'
import { hardwareView } from '../views/hardware-view.ts'
import { peerView } from '../views/peer-view.ts'

/** Lists of its own, as the schema has them. */
function relayingView({ via, ...counts }: Relaying): StatusBody['relaying'] {
  return { ...counts, via: [...via] }
}

/** What this node is, and who else is there. */
export function nodeRoutes(app: App, context: RouteContext): void {
  const { clock, signing, escrow, presence, visibility, provider, reconciler, options, startedAt } =
    context

  app.get(
    '/v1/status',
    { schema: { summary: 'This node', response: { 200: StatusBody } } },
    async (): Promise<StatusBody> => {
      const pausedBy = await provider?.admission.pausedBy()
      return {
        peer: signing.peer,
        address: signing.address,
        network: options.network,
        chain: {
          id: escrow.chainId,
          escrow: escrow.address,
          ...(reconciler.chainFault !== undefined && { fault: reconciler.chainFault }),
        },
        addresses: [...context.addresses()],
        reachability: context.reachability(),
        relaying: relayingView(context.relaying()),
        kinds: [...options.kinds],
        hardware: hardwareView(presence.hardware),
        startedAt,
        uptimeMs: clock.now() - startedAt,
        ...(provider !== undefined && {
          slots: {
            total: provider.slots.total,
            free: provider.slots.free,
            waiting: provider.slots.waiting,
            utilisation: provider.slots.utilisation,
          },
        }),
        ...(pausedBy !== undefined && { pausedBy }),
        ...(visibility?.view !== undefined && {
          visibility: { ...visibility.view, faults: [...visibility.view.faults] },
        }),
        drift: reconciler.drift,
      }
    },
  )

  app.get(
    '/v1/peers',
    {
      schema: {
        summary: 'Connected peers, or those found in the DHT that meet a need',
        querystring: Type.Object(
          { need: Type.Optional(Type.String({ maxLength: MAX_NEED_CHARS })) },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ peers: Type.Array(PeerBody) }) },
      },
    },
    async ({ query }, reply): Promise<{ peers: PeerBody[] }> => {
      const signal = signalOf(reply, context.stop)
      if (query.need === undefined) return { peers: (await presence.peers(signal)).map(peerView) }
      const problems: string[] = []
      const need = parseNeed(query.need, JOB_KINDS, problems)
      if (need === undefined) throw new HiveError('INPUT_INVALID', { problems })
      const accepts = (view: PeerView) => {
        const { kinds = [], hardware } = peerView(view)
        return hardware !== undefined && need.isMet({ kinds, hardware })
      }
      return { peers: (await presence.find({ tags: need.tags, accepts }, signal)).map(peerView) }
    },
  )
}
