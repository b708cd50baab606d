import { elf, type Architecture } from './tiny-program.ts'

/** Stands for what the call before answered; only as a first argument. */
const RESULT = 'result'
/** A number, bytes that the kernel is pointed to, or {@link RESULT}. */
type Argument = number | Uint8Array | typeof RESULT
interface Call {
  readonly number: Readonly<Record<Architecture, number>>
  readonly args: readonly Argument[]
}

/** Source: asm/unistd_64.h, asm-generic/unistd.h. */
const SOCKET = { amd64: 41, arm64: 198 }
const READ = { amd64: 0, arm64: 63 }
const CONNECT = { amd64: 42, arm64: 203 }
const IOCTL = { amd64: 16, arm64: 29 }
const EXIT = { amd64: 60, arm64: 93 }
/** Source: linux/socket.h, linux/sockios.h, net/if.h. */
const [AF_INET, STREAM, DATAGRAM] = [2, 1, 2]
const SIOCSIFFLAGS = 0x8914
const UP_LOOPBACK_RUNNING = 0x49

/**
 * A static program that exits with `status` if it could connect to a port of 127.0.0.1 and wait there for a byte, with
 * another if not.
 */
export function connectProgram(
  architecture: Architecture,
  port: number,
  status: number,
): Uint8Array {
  const address = Buffer.alloc(16)
  address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1])
  const open = { number: SOCKET, args: [AF_INET, STREAM, 0] }
  const connect = { number: CONNECT, args: [RESULT, address, address.length] } as const
  // the first descriptor that is free, as everywhere where a program finds three open
  const read = { number: READ, args: [3, Buffer.alloc(8), 1] } as const
  return chain(architecture, [open, connect, read], status - 1)
}

/** A static program that puts the loopback of its network namespace up; exits with 0 if it could. */
export function loopbackProgram(architecture: Architecture): Uint8Array {
  const request = Buffer.alloc(40)
  request.write('lo')
  request.writeUInt16LE(UP_LOOPBACK_RUNNING, 16)
  const open = { number: SOCKET, args: [AF_INET, DATAGRAM, 0] }
  const raise = { number: IOCTL, args: [RESULT, SIOCSIFFLAGS, request] } as const
  return chain(architecture, [open, raise], 0)
}

/** Makes the calls one after the other and exits with the last answer plus `status`; failures are negative answers. */
function chain(architecture: Architecture, calls: readonly Call[], status: number): Uint8Array {
  const write = architecture === 'amd64' ? amd64 : arm64
  const lengths = calls.map((call) => write(call, 0).length)
  const end = Buffer.from(architecture === 'amd64' ? amd64End(status) : arm64End(status))
  let before = 0
  let data = lengths.reduce((sum, one) => sum + one, end.length)
  const code: Uint8Array[] = []
  const tail: Uint8Array[] = []
  for (const [at, call] of calls.entries()) {
    code.push(write(call, data - before))
    before += lengths[at] ?? 0
    for (const bytes of call.args.filter((one) => one instanceof Uint8Array)) {
      tail.push(bytes)
      data += bytes.length
    }
  }
  return elf(architecture, Buffer.concat([...code, end, ...tail]), true)
}

/** One call; its bytes, of which it may have one piece, lie `distance` from its start. */
function amd64({ number, args }: Call, distance: number): Buffer {
  const code: number[] = []
  for (const [at, arg] of args.entries()) {
    if (arg === RESULT) {
      code.push(0x89, 0xc7) // mov edi, eax
    } else if (typeof arg === 'number') {
      code.push([0xbf, 0xbe, 0xba][at] ?? 0, ...word(arg)) // mov edi, esi or edx, number
    } else {
      // lea rdi, rsi or rdx, [rip + …], counted from the next instruction
      code.push(0x48, 0x8d, [0x3d, 0x35, 0x15][at] ?? 0, ...word(distance - code.length - 7))
    }
  }
  code.push(0xb8, ...word(number.amd64), 0x0f, 0x05) // mov eax, number; syscall
  return Buffer.from(code)
}

function amd64End(status: number): number[] {
  return [0x8d, 0x78, status, 0xb8, ...word(EXIT.amd64), 0x0f, 0x05] // lea edi, [rax + status]; exit
}

/** As {@link amd64}. The answer of a call is in x0 already, where a first argument goes. */
function arm64({ number, args }: Call, distance: number): Buffer {
  const code: number[] = []
  for (const [at, arg] of args.entries()) {
    if (typeof arg === 'number')
      code.push(...word(0xd2800000 + (arg << 5) + at)) // movz x…, #arg
    else if (arg !== RESULT) {
      const from = distance - code.length
      code.push(...word(0x10000000 + ((from & 3) << 29) + ((from >> 2) << 5) + at)) // adr x…
    }
  }
  return Buffer.from([...code, ...word(0xd2800008 + (number.arm64 << 5)), ...word(0xd4000001)])
}

function arm64End(status: number): number[] {
  // add x0, x0, #status; movz x8, #exit; svc #0
  const codes = [0x91000000 + (status << 10), 0xd2800008 + (EXIT.arm64 << 5), 0xd4000001]
  return codes.flatMap(word)
}

function word(value: number): number[] {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value | 0)
  return [...bytes]
}
