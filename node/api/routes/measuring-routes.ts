import { Type } from 'typebox'
import { HiveError } from '../../domain/errors.ts'
import { isAccountPeer } from '../../protocol/identity.ts'
import type { RouteContext } from '../api-parts.ts'
import { signalOf, type App } from '../app.ts'
import { ScoreBody } from '../schemas/hardware.ts'
import { ChallengeBody } from '../schemas/measuring.ts'
import { hardwareOf } from '../views/hardware-view.ts'

/** What machines can do: this one by its benchmark, another by a challenge. */
export function measuringRoutes(app: App, context: RouteContext): void {
  const { capacity, challenger, presence } = context

  app.post(
    '/v1/hardware/measure',
    { schema: { summary: 'Measures this machine now, under 3 s', response: { 200: ScoreBody } } },
    async (_request, reply): Promise<ScoreBody> => capacity.measure(signalOf(reply, context.stop)),
  )

  app.post(
    '/v1/peers/:peer/challenge',
    {
      schema: {
        summary: 'Has a peer show, in a few seconds, the cores and memory that it claims',
        params: Type.Object({ peer: Type.String({ pattern: '^[1-9A-HJ-NP-Za-km-z]{30,64}$' }) }),
        response: { 200: ChallengeBody },
      },
    },
    async ({ params: { peer } }, reply): Promise<ChallengeBody> => {
      const signal = signalOf(reply, context.stop)
      const advert = isAccountPeer(peer) ? await presence.ask(peer, signal) : undefined
      const hardware = advert === undefined ? undefined : hardwareOf(advert.hardware)
      if (hardware === undefined)
        throw new HiveError('PEER_UNREACHABLE', { peer, reason: 'it does not say what it has' })
      const { cores, physicalCores, memoryBytes } = hardware
      const claim = { cores, memoryBytes, ...(physicalCores !== undefined && { physicalCores }) }
      return challenger.challenge(peer, claim, signal)
    },
  )
}
