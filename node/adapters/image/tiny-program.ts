/** Processor families whose machine code this file can write, by Docker's name and by Podman's, which is the image format's. */
export const ARCHITECTURES: Readonly<Record<string, 'amd64' | 'arm64'>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
}
/** Of this machine, as the image format spells it. */
export function imageArchitecture(): string {
  const names: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' }
  return names[process.arch] ?? process.arch
}
export type Architecture = 'amd64' | 'arm64'

/** Where the program is mapped; any page-aligned address above mmap_min_addr does. */
const BASE = 0x400000
/** Sizes of the ELF64 file header and of one program header, bytes. Source: elf(5). */
const HEADERS_BYTES = 64 + 56
/** Address of the first byte of a program's code. */
export const CODE_START: number = BASE + HEADERS_BYTES
/** e_machine. Source: elf(5), AArch64 ELF supplement. */
const MACHINES = { amd64: 62, arm64: 183 } as const

/** A static Linux program of some 140 bytes that does nothing but exit with `status`. */
export function exitProgram(architecture: Architecture, status: number): Uint8Array {
  const code = Buffer.alloc(12)
  if (architecture === 'amd64') {
    // mov edi, status; mov eax, 60 (exit); syscall
    code.set([0xbf, status & 0xff, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05])
  } else {
    // movz x0, #status; movz x8, #93 (exit); svc #0
    code.writeUInt32LE(0xd2800000 + ((status & 0xff) << 5), 0)
    code.writeUInt32LE(0xd2800008 + (93 << 5), 4)
    code.writeUInt32LE(0xd4000001, 8)
  }
  return elf(architecture, code)
}

/** One that sleeps until it is killed. */
export function pauseProgram(architecture: Architecture): Uint8Array {
  if (architecture === 'amd64') {
    // mov eax, 34 (pause); syscall; jmp to the start
    return elf(architecture, Buffer.of(0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7))
  }
  // movz x0..x3, #0; movz x8, #73 (ppoll); svc #0; b to the start
  const code = Buffer.alloc(28)
  for (const register of [0, 1, 2, 3]) code.writeUInt32LE(0xd2800000 + register, register * 4)
  code.writeUInt32LE(0xd2800008 + (73 << 5), 16)
  code.writeUInt32LE(0xd4000001, 20)
  code.writeUInt32LE(0x17fffffa, 24)
  return elf(architecture, code)
}

/** `code` as a static executable that starts at its first byte, and may write over itself if it has to. */
export function elf(architecture: Architecture, code: Uint8Array, isWritable = false): Uint8Array {
  const file = Buffer.alloc(HEADERS_BYTES + code.length)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0)
  file.writeUInt16LE(2, 16) // ET_EXEC
  file.writeUInt16LE(MACHINES[architecture], 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BigInt(CODE_START), 24) // entry
  file.writeBigUInt64LE(64n, 32) // program headers follow at once
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(1, 64) // PT_LOAD
  file.writeUInt32LE(isWritable ? 7 : 5, 68) // readable, executable
  file.writeBigUInt64LE(BigInt(BASE), 80)
  file.writeBigUInt64LE(BigInt(BASE), 88)
  file.writeBigUInt64LE(BigInt(file.length), 96)
  file.writeBigUInt64LE(BigInt(file.length), 104)
  file.writeBigUInt64LE(0x1000n, 112)
  file.set(code, HEADERS_BYTES)
  return file
}
