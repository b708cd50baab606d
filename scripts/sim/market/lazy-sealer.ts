import { createKeySealer } from '../../../node/adapters/system/key-sealer.ts'
import type { Sealer } from '../../../node/ports/sealer.ts'

/** A node's sealer, made when it is first asked for: few nodes ever see a secret. */
export function lazySealer(privateKey: Uint8Array): Sealer {
  let made: Sealer | undefined
  const sealer = () => (made ??= createKeySealer(privateKey))
  return {
    sealFor: (...args) => sealer().sealFor(...args),
    openFrom: (...args) => sealer().openFrom(...args),
    sealOwn: (...args) => sealer().sealOwn(...args),
    openOwn: (...args) => sealer().openOwn(...args),
  }
}
