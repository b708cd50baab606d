import type { Socket } from 'node:net'
import { HiveError } from '../../domain/errors.ts'
import type { TaskConnection } from '../../ports/attach.ts'
import { patientWrite } from '../confinement/patient-write.ts'

/** A socket as others see a connection into a task. */
export function taskConnection(socket: Socket): TaskConnection {
  // told to whoever reads; without a listener it would end this process
  socket.on('error', () => undefined)
  return {
    incoming: incoming(socket),
    write: (bytes) => patientWrite(socket, bytes),
    end: async () => {
      socket.end()
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy()
    },
  }
}

async function* incoming(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    // destroying at its end would cut off what is still to be written
    const chunks = socket.iterator({ destroyOnReturn: false })
    for await (const chunk of chunks) yield chunk as Buffer
  } catch (cause) {
    throw new HiveError('STREAM_CUT', { at: 'task' }, { cause })
  }
}
