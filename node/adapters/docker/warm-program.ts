import { KiB } from '../../domain/units.ts'
import { elf, type Architecture } from '../image/tiny-program.ts'

/** Where the program puts its order; far from itself and from where any kernel puts a stack or a heap. */
export const ORDER_ADDRESS = 0x10000000
/** Room for the order, bytes; twice what a command line of 100 KiB and as large an environment need. */
export const ORDER_BYTES: number = 256 * KiB

/**
 * A static Linux program of some 300 bytes that waits on stdin for an order (warm-order.ts) and then becomes the program
 * that the order names. It reads not a byte beyond the order: what follows is the job's own stdin. Without an order it
 * ends when stdin does; when none of the order's paths can be executed it writes the order's secret to stderr and ends.
 */
export function launchProgram(architecture: Architecture): Uint8Array {
  const lines = CODE[architecture].trim().split('\n')
  return elf(
    architecture,
    Buffer.from(lines.map((line) => line.trim().split(' ')[0]).join(''), 'hex'),
  )
}

/** Machine code, an instruction a line. */
const CODE: Readonly<Record<Architecture, string>> = {
  amd64: `
    bf00000010     mov edi, ORDER_ADDRESS
    be00000400     mov esi, ORDER_BYTES
    ba03000000     mov edx, PROT_READ | PROT_WRITE
    41ba32000000   mov r10d, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
    49c7c0ffffffff mov r8, -1
    4531c9         xor r9d, r9d
    b809000000     mov eax, mmap
    0f05           syscall
    bb00000010     mov ebx, ORDER_ADDRESS
    488d6b08       lea rbp, [rbx + 8]
    31ff           more: xor edi, edi
    4889de         mov rsi, rbx
    4889ea         mov rdx, rbp
    4829da         sub rdx, rbx
    31c0           xor eax, eax ; read
    0f05           syscall
    4885c0         test rax, rax
    7e70           jle quit
    4801c3         add rbx, rax
    4839eb         cmp rbx, rbp
    72e4           jb more
    41bc00000010   mov r12d, ORDER_ADDRESS
    498b2c24       mov rbp, [r12] ; end of the order
    4839eb         cmp rbx, rbp
    72d5           jb more
    498b5c2420     mov rbx, [r12 + 32] ; what to read instead of stdin
    4885db         test rbx, rbx
    7415           je execute
    31ff           xor edi, edi
    b803000000     mov eax, close
    0f05           syscall
    4889df         mov rdi, rbx
    31f6           xor esi, esi ; O_RDONLY
    b802000000     mov eax, open
    0f05           syscall
    498b5c2418     execute: mov rbx, [r12 + 24] ; paths to try
    488b3b         try: mov rdi, [rbx]
    4885ff         test rdi, rdi
    7417           je failed
    498b742408     mov rsi, [r12 + 8] ; arguments
    498b542410     mov rdx, [r12 + 16] ; environment
    b83b000000     mov eax, execve
    0f05           syscall
    4883c308       add rbx, 8
    ebe1           jmp try
    bf02000000     failed: mov edi, 2
    498d742428     lea rsi, [r12 + 40] ; the secret
    ba10000000     mov edx, 16
    b801000000     mov eax, write
    0f05           syscall
    bf01000000     quit: mov edi, 1
    b83c000000     mov eax, exit
    0f05           syscall
`,
  arm64: `
    1300a2d2 mov x19, #ORDER_ADDRESS
    e00313aa mov x0, x19
    8100a0d2 mov x1, #ORDER_BYTES
    620080d2 mov x2, #(PROT_READ | PROT_WRITE)
    430680d2 mov x3, #(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
    04008092 mov x4, #-1
    050080d2 mov x5, #0
    c81b80d2 mov x8, #mmap
    010000d4 svc #0
    f50313aa mov x21, x19
    74220091 add x20, x19, #8
    000080d2 more: mov x0, #0
    e10315aa mov x1, x21
    820215cb sub x2, x20, x21
    e80780d2 mov x8, #read
    010000d4 svc #0
    1f0000f1 cmp x0, #0
    cd030054 b.le quit
    b502008b add x21, x21, x0
    bf0214eb cmp x21, x20
    e3feff54 b.lo more
    740240f9 ldr x20, [x19] ; end of the order
    bf0214eb cmp x21, x20
    83feff54 b.lo more
    761240f9 ldr x22, [x19, #32] ; what to read instead of stdin
    360100b4 cbz x22, execute
    000080d2 mov x0, #0
    280780d2 mov x8, #close
    010000d4 svc #0
    600c8092 mov x0, #AT_FDCWD
    e10316aa mov x1, x22
    020080d2 mov x2, #O_RDONLY
    080780d2 mov x8, #openat
    010000d4 svc #0
    770e40f9 execute: ldr x23, [x19, #24] ; paths to try
    e08640f8 try: ldr x0, [x23], #8
    c00000b4 cbz x0, failed
    610640f9 ldr x1, [x19, #8] ; arguments
    620a40f9 ldr x2, [x19, #16] ; environment
    a81b80d2 mov x8, #execve
    010000d4 svc #0
    faffff17 b try
    400080d2 failed: mov x0, #2
    61a20091 add x1, x19, #40 ; the secret
    020280d2 mov x2, #16
    080880d2 mov x8, #write
    010000d4 svc #0
    200080d2 quit: mov x0, #1
    a80b80d2 mov x8, #exit
    010000d4 svc #0
`,
}
