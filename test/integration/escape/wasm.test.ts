import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ISOLATIONS } from '../../../node/adapters/wasm/runner-command.ts'
import { KiB, MiB } from '../../../node/domain/units.ts'
import { MAX_OUTPUT_BYTES } from '../../../node/protocol/limits.ts'
import { HeapWatch } from '../../support/heap.ts'
import {
  CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  name,
  section,
  TYPES,
  wasmModule,
} from '../../support/wasm-module.ts'
import { wasiModule, word, type WasiCall } from '../../support/wasi-module.ts'
import { WASM_PROGRAMS, wasmFixture } from '../../support/wasm-programs.ts'
import { isolationMissing, openTestWasm } from '../../support/wasm-sandboxes.ts'
import { attempt, type Attack, type Target } from './attack.ts'
import { layBait, type Bait } from './bait.ts'

/** Where WASI's own calls are imported from. */
const WASI = 'wasi_snapshot_preview1'

/** A module that wants a function of the host. */
function importing(from: string, what: string): Uint8Array {
  const imports = section(2, 1, ...name(from), ...name(what), 0, 0)
  return wasmModule(TYPES, imports, FUNCTIONS, MEMORY, EXPORTS, CODE)
}

const ATTACKS: readonly Attack[] = [
  {
    name: 'climbing out of its folders',
    contained: 'paths end inside the module’s own files',
    attempt: async (target, bait) => {
      const ways = [
        bait.file,
        `/out/../..${bait.file}`,
        `../../../../../..${bait.file}`,
        `/out/./..//../${bait.file}`,
        '/proc/self/environ',
        '/proc/self/cmdline',
        '/etc/passwd',
        '/dev/stdin',
      ]
      for (const way of ways) {
        const { exitCode, files } = await attempt(target, bait, WASM_PROGRAMS.copy, {}, [
          way,
          '/out/got',
        ])
        assert.notEqual(exitCode, 0, way)
        assert.deepEqual(
          files.filter((file) => file.bytes.length > 0),
          [],
          way,
        )
      }
    },
  },
  {
    name: 'asking for functions that no module may have',
    contained: 'image-bad, or it never starts',
    attempt: async (target, bait) => {
      for (const [from, what] of [
        ['env', 'system'],
        ['node', 'process'],
        [WASI, 'sock_open'],
        [WASI, '__proto__'],
        ['__proto__', 'constructor'],
      ] as const) {
        const image = { id: `${from}.${what}`, load: async () => importing(from, what) }
        const { reason } = await attempt(target, bait, { image, args: [] })
        assert.ok(['image-bad', 'start-failed'].includes(reason), `${from}.${what}: ${reason}`)
      }
    },
  },
  {
    name: 'a memory bomb',
    contained: 'oom at its limit',
    attempt: async (target, bait) => {
      const { reason } = await attempt(target, bait, WASM_PROGRAMS.hog, {
        limits: { memoryBytes: 32 * MiB },
      })
      assert.equal(reason, 'oom')
    },
  },
  {
    name: 'filling disk',
    contained: 'its files have a size together',
    attempt: async (target, bait) => {
      const { reason, files } = await attempt(
        target,
        bait,
        WASM_PROGRAMS.copy,
        {
          limits: { diskBytes: 256 * KiB },
          files: [{ path: '/in/big', bytes: new Uint8Array(1 * MiB) }],
        },
        ['/in/big', '/out/big'],
      )
      assert.equal(reason, 'disk-limit')
      assert.ok(files.every((file) => file.bytes.length <= 256 * KiB))
    },
  },
  {
    name: 'filling the table of files',
    contained: 'names count towards its disk, and it ends there',
    attempt: async (target, bait) => {
      const litter = wasmFixture('programs.wasm', 'litter')
      const limits = { diskBytes: 4 * MiB }
      const { reason, files } = await attempt(target, bait, litter, { limits })
      assert.equal(reason, 'disk-limit')
      assert.deepEqual(files, [])
    },
  },
  {
    name: 'reading the host’s environment',
    contained: 'it has the variables that it is given and no other',
    attempt: async (target, bait) => {
      // how many variables, and how many bytes they take
      const sizes = wasiModule(
        [
          ['environ_sizes_get', 16, 20],
          ['fd_write', 1, 0, 1, 24],
        ],
        { data: [...word(16), ...word(8)] },
      )
      const program = { image: { id: 'environ sizes', load: async () => sizes }, args: [] }
      const alone = await attempt(target, bait, program)
      assert.deepEqual([...alone.stdout], [...word(0), ...word(0)])
      const env = { A: 'b' }
      const given = await attempt(target, bait, program, { env })
      assert.deepEqual([...given.stdout], [...word(1), ...word('A=b\0'.length)])
    },
  },
  {
    name: 'using sockets',
    contained: 'there are none, whatever the descriptor',
    attempt: async (target, bait) => {
      const NOT_SUPPORTED = 58
      const calls: readonly WasiCall[] = [0, 1, 3, bait.port].flatMap((fd): WasiCall[] => [
        ['sock_accept', fd, 0, 64],
        ['sock_recv', fd, 0, 1, 0, 64, 68],
        ['sock_send', fd, 0, 1, 0, 64],
        ['sock_shutdown', fd, 2],
      ])
      for (const call of calls) {
        const image = { id: call.join(' '), load: async () => wasiModule([call]) }
        const { exitCode, detail } = await attempt(target, bait, { image, args: [] })
        assert.equal(exitCode, NOT_SUPPORTED, call.join(' '))
        assert.match(detail, new RegExp(`${call[0]}$`))
      }
    },
  },
  {
    name: 'a flood of output',
    contained: 'cut at its cap',
    attempt: async (target, bait) => {
      const limits = { outputBytes: 50_000 }
      const { reason, stdout } = await attempt(target, bait, WASM_PROGRAMS.flood, { limits })
      assert.equal(reason, 'output-limit')
      assert.ok(stdout.length <= 50_000)
    },
  },
  {
    name: 'a flood of output by the byte, on either stream in turn',
    contained: 'it costs the node its bytes and no more',
    attempt: async (target, bait) => {
      const heap = new HeapWatch()
      const { reason, stdout, stderr } = await attempt(target, bait, WASM_PROGRAMS.drip, {
        limits: { outputBytes: MAX_OUTPUT_BYTES, wallMs: 2000 },
        onOutput: () => {
          heap.look()
        },
      })
      assert.ok(['output-limit', 'timeout'].includes(reason), reason)
      assert.ok(heap.taken < 8 * MiB + 2 * (stdout.length + stderr.length), `${heap.taken} B`)
    },
  },
  {
    name: 'a loop that hears nothing',
    contained: 'ended at its deadline, and the next task runs',
    attempt: async (target, bait) => {
      const { reason } = await attempt(target, bait, WASM_PROGRAMS.spin, {
        limits: { wallMs: 300 },
      })
      assert.equal(reason, 'timeout')
      const { said } = await attempt(target, bait, WASM_PROGRAMS.echo, {}, ['0', 'alive'])
      assert.equal(said, 'alive\n')
    },
  },
]

for (const isolation of ISOLATIONS) {
  const skip = await isolationMissing(isolation)
  describe(`out of wasm in ${isolation}`, { skip }, () => {
    let target: Target
    let bait: Bait
    before(async () => {
      bait = await layBait()
      target = { sandbox: await openTestWasm({ isolations: [isolation] }), isGvisor: false }
    })
    after(async () => {
      await target.sandbox[Symbol.asyncDispose]()
      await bait[Symbol.asyncDispose]()
    })
    for (const attack of ATTACKS) {
      test(`${attack.name}: ${attack.contained}`, async () => {
        await attack.attempt(target, bait)
      })
    }
  })
}
