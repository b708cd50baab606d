import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { runProgram } from '../conformance/sandbox.ts'
import { shell, SOCKET_PATH } from './docker-programs.ts'
import { quietLogger } from './quiet-logger.ts'

// A node with a container that waits: says so on stdout, and never ends by itself.
const [, , runtime = '', nodeId = ''] = process.argv
const quiet = quietLogger()
const debug = () => {
  process.stdout.write('waits\n')
}
const sandbox = await openDockerSandbox(
  { logger: { ...quiet, child: () => ({ ...quiet, debug }) } },
  { nodeId, runtime, socketPath: SOCKET_PATH, warm: { most: 1, usesForOne: 1, leastFreeBytes: 0 } },
)
if (sandbox === undefined) throw new Error(`the engine does not run ${runtime} containers`)
await runProgram(sandbox, shell('true'), [])
