import { MiB } from '../../domain/units.ts'
import { composeImage, type Image } from '../image/image-archive.ts'
import { connectProgram } from '../image/call-chain.ts'
import { PROXY_PORT } from '../egress/proxy-environment.ts'
import { exitProgram, pauseProgram, type Architecture } from '../image/tiny-program.ts'

/** Program of the helper image that does nothing but exit with PROBE_STATUS. */
export const PROBE_PATH = '/probe'
/** An exit code that nothing else produces by accident. */
export const PROBE_STATUS = 42
/** Program that sleeps until it is killed: while it does, its network is there for others. */
export const PAUSE_PATH = '/pause'
/** Program that connects to a task's proxy and exits with PROBE_STATUS. */
export const REACH_PATH = '/reach'
/** File of the helper image whose reading keeps a container's volumes mounted. */
export const HOLD_PATH = '/hold'
/** More than sockets and pipes between the engine and us can swallow, bytes. */
const HOLD_BYTES: number = 4 * MiB

/** The one image that this node brings itself: to try a runtime, to hold volumes open, and to hold networks. */
export function helperImage(architecture: Architecture): Image {
  const program = (path: string, bytes: Uint8Array) => ({ path: path.slice(1), bytes, mode: 0o755 })
  return composeImage({
    architecture,
    cmd: [PROBE_PATH],
    members: [
      program(PROBE_PATH, exitProgram(architecture, PROBE_STATUS)),
      program(PAUSE_PATH, pauseProgram(architecture)),
      program(REACH_PATH, connectProgram(architecture, PROXY_PORT, PROBE_STATUS)),
      { path: HOLD_PATH.slice(1), bytes: new Uint8Array(HOLD_BYTES) },
    ],
  })
}
