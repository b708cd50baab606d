import type { PeerView } from '../../services/presence.ts'
import type { PeerBody } from '../schemas/node.ts'
import { hardwareOf } from './hardware-view.ts'

/** A peer with what it says of itself. */
export function peerView(view: PeerView): PeerBody {
  const { peer, address, connected, addresses, latencyMs, advert } = view
  const hardware = advert === undefined ? undefined : hardwareOf(advert.hardware)
  return {
    peer,
    address,
    connected,
    addresses: [...addresses],
    ...(latencyMs !== undefined && { latencyMs }),
    ...(advert !== undefined && { kinds: [...advert.kinds], freshUntil: advert.expiresAt }),
    ...(hardware !== undefined && { hardware }),
  }
}
