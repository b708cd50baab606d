import { MiB } from '../../domain/units.ts'
import { composeImage, type Image } from '../image/image-archive.ts'
import { exitProgram, type Architecture } from '../image/tiny-program.ts'

/** Program of the helper image that does nothing but exit with PROBE_STATUS. */
export const PROBE_PATH = '/probe'
/** An exit code that nothing else produces by accident. */
export const PROBE_STATUS = 42
/** File of the helper image whose reading keeps a container's volumes mounted. */
export const HOLD_PATH = '/hold'
/** More than sockets and pipes between the engine and us can swallow, bytes. */
const HOLD_BYTES: number = 4 * MiB

/** The one image that this node brings itself: to try a runtime, and to hold volumes open. */
export function helperImage(architecture: Architecture): Image {
  return composeImage({
    architecture,
    cmd: [PROBE_PATH],
    members: [
      { path: PROBE_PATH.slice(1), bytes: exitProgram(architecture, PROBE_STATUS), mode: 0o755 },
      { path: HOLD_PATH.slice(1), bytes: new Uint8Array(HOLD_BYTES) },
    ],
  })
}
