import type { PeerView } from '../../services/presence.ts'
import type { HardwareBody, PeerBody } from '../schemas/node.ts'

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

/** The hardware in a stranger's advert; `undefined` when the text is not one. Unknown fields are left out. */
export function hardwareOf(text: string): HardwareBody | undefined {
  try {
    const raw = JSON.parse(text) as Partial<Record<keyof HardwareBody, unknown>> | null
    if (typeof raw !== 'object' || raw === null) return undefined
    return {
      cpuModel: textOf(raw.cpuModel),
      arch: textOf(raw.arch),
      cores: countOf(raw.cores),
      memoryBytes: countOf(raw.memoryBytes),
      diskBytes: countOf(raw.diskBytes),
      gpus: Array.isArray(raw.gpus) ? raw.gpus.map(textOf) : [],
      sandboxes: textsOf(raw.sandboxes),
    }
  } catch {
    // Not JSON: a peer without a description is a peer all the same.
    return undefined
  }
}

function textsOf(raw: unknown): Record<string, string> {
  if (typeof raw !== 'object' || raw === null) return {}
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, textOf(value)]))
}

function textOf(raw: unknown): string {
  return typeof raw === 'string' ? raw.slice(0, 200) : ''
}

function countOf(raw: unknown): number {
  return typeof raw === 'number' && Number.isFinite(raw) && raw >= 0 ? raw : 0
}
