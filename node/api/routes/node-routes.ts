import { Type } from 'typebox'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { PeerBody, StatusBody } from '../schemas/node.ts'
import { hardwareView } from '../views/hardware-view.ts'
import { peerView } from '../views/peer-view.ts'

/** What this node is, and who else is there. */
export function nodeRoutes(app: App, context: RouteContext): void {
  const { clock, signing, escrow, presence, provider, reconciler, options, startedAt } = context

  app.get(
    '/v1/status',
    { schema: { summary: 'This node', response: { 200: StatusBody } } },
    async (): Promise<StatusBody> => {
      const pausedBy = await provider?.admission.pausedBy()
      return {
        peer: signing.peer,
        address: signing.address,
        network: options.network,
        chain: { id: escrow.chainId, escrow: escrow.address },
        addresses: [...context.addresses()],
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
        drift: reconciler.drift,
      }
    },
  )

  app.get(
    '/v1/peers',
    {
      schema: {
        summary: 'Connected peers, or those that announced a job kind in the DHT',
        querystring: Type.Object(
          { kind: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,32}$' })) },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ peers: Type.Array(PeerBody) }) },
      },
    },
    async ({ query }, reply): Promise<{ peers: PeerBody[] }> => {
      const signal = signalOf(reply, context.stop)
      const found =
        query.kind === undefined
          ? await presence.peers(signal)
          : await presence.find(query.kind, signal)
      return { peers: found.map(peerView) }
    },
  )
}
