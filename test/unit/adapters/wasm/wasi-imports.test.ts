import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ERRNO } from '../../../../node/adapters/wasm/wasi/abi.ts'
import { DiskQuota } from '../../../../node/adapters/wasm/wasi/disk-quota.ts'
import { FdTable } from '../../../../node/adapters/wasm/wasi/fd-table.ts'
import { FileTree } from '../../../../node/adapters/wasm/wasi/file-tree.ts'
import { GuestEnd } from '../../../../node/adapters/wasm/wasi/guest-end.ts'
import { GuestMemory } from '../../../../node/adapters/wasm/wasi/guest-memory.ts'
import type { WasiHost } from '../../../../node/adapters/wasm/wasi/host.ts'
import { wasiImports } from '../../../../node/adapters/wasm/wasi/imports.ts'
import { SystemClock } from '../../../../node/adapters/wasm/wasi/clock.ts'
import { systemRandomness } from '../../../../node/adapters/wasm/wasi/randomness.ts'
import { WASI_NAMES } from '../../../../node/adapters/wasm/wasi/names.ts'

type Call = (...args: (number | bigint)[]) => number

function aGuest(print: WasiHost['print'] = () => {}) {
  const memory = new GuestMemory(() => {})
  memory.attach({ buffer: new ArrayBuffer(65_536) } as unknown as WebAssembly.Memory)
  const tree = new FileTree(new DiskQuota(100_000), () => 0n)
  tree.plant('/in/a.txt', Buffer.from('0123456789'))
  const fds = new FdTable(tree.quota, Buffer.from('stdin'), tree.root)
  const text = (value: string) => Buffer.from(value)
  const host: WasiHost = {
    memory,
    tree,
    fds,
    args: [text('program'), text('x y')],
    env: [text('A=1')],
    clock: new SystemClock(),
    random: systemRandomness(),
    print,
    refused: new Set(),
    ended: undefined,
  }
  const calls = wasiImports(host) as unknown as Record<string, Call>
  const call = (name: string, ...args: (number | bigint)[]) => {
    const found = calls[name]
    assert.ok(found, name)
    return found(...args)
  }
  const put = (at: number, value: string) => {
    memory.slice(at, Buffer.byteLength(value)).set(text(value))
    return Buffer.byteLength(value)
  }
  return { memory, host, call, put, calls }
}

describe('WASI preview 1', () => {
  test('what is implemented is exactly what admission lets a module import', () => {
    assert.deepEqual(new Set(Object.keys(aGuest().calls)), WASI_NAMES)
    assert.equal(WASI_NAMES.size, 46)
  })

  test('a pointer outside the memory is a fault of the guest and of nobody else', () => {
    const { call } = aGuest()
    const outside = 65_536
    assert.equal(call('args_sizes_get', outside, 0), ERRNO.fault)
    assert.equal(call('args_get', 0, outside - 2), ERRNO.fault)
    assert.equal(call('fd_write', 1, -8, 1, 0), ERRNO.fault)
    assert.equal(call('random_get', outside - 10, 11), ERRNO.fault)
    assert.equal(call('clock_time_get', 0, 0n, outside - 7), ERRNO.fault)
    assert.equal(call('fd_filestat_get', 3, outside - 63), ERRNO.fault)
    assert.equal(call('path_open', 3, 0, -1, 4, 0, 0n, 0n, 0, 0), ERRNO.fault)
    assert.equal(call('poll_oneoff', outside - 16, 0, 1, 0), ERRNO.fault)
  })

  test('hostile arguments: any call with any numbers answers an error number or ends the guest', () => {
    const number = fc.oneof(fc.integer(), fc.nat(100), fc.constantFrom(0, 1, 2, 3, 65_535, -1))
    // No call takes more than nine; those that take 64-bit numbers say so by refusing others.
    const wide: Readonly<Record<string, readonly number[]>> = {
      clock_time_get: [1],
      fd_advise: [1, 2],
      fd_allocate: [1, 2],
      fd_fdstat_set_rights: [1, 2],
      fd_filestat_set_size: [1],
      fd_filestat_set_times: [1, 2],
      fd_pread: [3],
      fd_pwrite: [3],
      fd_readdir: [3],
      fd_seek: [1],
      path_filestat_set_times: [4, 5],
      path_open: [5, 6],
    }
    const names = [...WASI_NAMES].filter((name) => name !== 'poll_oneoff')
    const known = new Set<number>(Object.values(ERRNO))
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(number, { minLength: 9, maxLength: 9 }),
        fc.uint8Array({ minLength: 512, maxLength: 512 }),
        (name, numbers, content) => {
          const { call, memory } = aGuest()
          memory.slice(0, 512).set(content)
          const args = numbers.map((n, at) => (wide[name]?.includes(at) ? BigInt(n) : n))
          try {
            assert.ok(known.has(call(name, ...args)))
          } catch (error) {
            assert.ok(error instanceof GuestEnd, String(error))
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('there are no sockets and no links, and who asks for them is remembered', () => {
    const { call, put, host } = aGuest()
    for (const name of ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'])
      assert.equal(call(name, 3, 0, 0, 0, 0, 0), ERRNO.notsup)
    const length = put(0, 'in/a.txt')
    assert.equal(call('path_symlink', 0, length, 3, 100, put(100, 'link')), ERRNO.notsup)
    assert.equal(call('path_link', 3, 0, 0, length, 3, 100, 4), ERRNO.notsup)
    assert.equal(call('path_readlink', 3, 0, length, 200, 50, 300), ERRNO.inval)
    const refused = 'sock_accept sock_recv sock_send sock_shutdown path_symlink path_link'
    assert.deepEqual([...host.refused], refused.split(' '))
  })

  test('rights given up do not come back', () => {
    const { call, put, memory } = aGuest()
    const length = put(0, 'in/a.txt')
    assert.equal(call('path_open', 3, 0, 0, length, 0, 2n, 0n, 0, 100), ERRNO.success)
    const fd = memory.u32(100)
    memory.setU32(200, 300)
    memory.setU32(204, 4)
    assert.equal(call('fd_read', fd, 200, 1, 104), ERRNO.success)
    assert.equal(memory.u32(104), 4)
    assert.equal(call('fd_write', fd, 200, 1, 104), ERRNO.notcapable)
    assert.equal(call('fd_fdstat_set_rights', fd, 66n, 0n), ERRNO.notcapable)
    assert.equal(call('fd_fdstat_set_rights', fd, 0n, 0n), ERRNO.success)
    assert.equal(call('fd_read', fd, 200, 1, 104), ERRNO.notcapable)
  })

  test('a listing in small pieces shows each name once', () => {
    const { call, memory, put } = aGuest()
    for (const name of ['one', 'two', 'three', 'four'])
      assert.equal(call('path_create_directory', 3, 0, put(0, `in/${name}`)), ERRNO.success)
    assert.equal(call('path_open', 3, 0, 0, put(0, 'in'), 2, 0n, 0n, 0, 100), ERRNO.success)
    const fd = memory.u32(100)
    const seen: string[] = []
    for (let cookie = 0n; ;) {
      assert.equal(call('fd_readdir', fd, 1000, 40, cookie, 104), ERRNO.success)
      if (memory.u32(104) < 24) break
      const length = memory.u32(1016)
      cookie = memory.u64(1000)
      seen.push(Buffer.from(memory.slice(1024, length)).toString())
    }
    assert.deepEqual(seen, ['.', '..', 'a.txt', 'one', 'two', 'three', 'four'])
  })

  test('waiting: a ready descriptor wins over a clock; a clock alone sleeps its time', () => {
    const { call, memory } = aGuest()
    memory.setU64(0, 7n)
    memory.setU8(8, 0)
    memory.setU32(16, 1)
    memory.setU64(24, 30_000_000n)
    memory.setU64(48, 8n)
    memory.setU8(56, 1)
    memory.setU32(64, 0)
    assert.equal(call('poll_oneoff', 0, 200, 2, 300), ERRNO.success)
    assert.equal(memory.u32(300), 1)
    assert.equal(memory.u64(200), 8n)
    const started = performance.now()
    assert.equal(call('poll_oneoff', 0, 200, 1, 300), ERRNO.success)
    assert.ok(performance.now() - started >= 29)
    assert.equal(memory.u64(200), 7n)
    assert.equal(call('poll_oneoff', 0, 200, 0, 300), ERRNO.inval)
  })

  test('after the end no call does anything more', () => {
    const printed: number[] = []
    const { call, host } = aGuest((_stream, output) => {
      printed.push(output.byteLength)
    })
    assert.throws(() => call('proc_exit', 259), GuestEnd)
    assert.equal(host.ended?.exitCode, 3)
    assert.throws(() => call('fd_write', 1, 0, 1, 100), GuestEnd)
    assert.deepEqual(printed, [])
  })
})
