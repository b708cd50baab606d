import { openTestNative } from './native-sandboxes.ts'
import { shell } from './docker-programs.ts'
import { runProgram } from '../conformance/sandbox.ts'

// A node that is killed in the middle of a job: prints where it works once the job speaks, and never ends by itself.
const [keeper = '', nodeId = ''] = process.argv.slice(2)
if (keeper !== 'runsc' && keeper !== 'bubblewrap') throw new Error(`no keeper ${keeper}`)
const { sandbox, workDir } = await openTestNative(keeper, { nodeId })
await runProgram(sandbox, shell('echo before; exec sleep 600'), [], {
  limits: { wallMs: 600_000 },
  onOutput: () => {
    process.stdout.write(`${workDir}\n`)
  },
})
