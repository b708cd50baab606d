/** Runs a module in V8 alone, with nothing of ours around it: MODULE REPEATS ARGS…; prints processor times, ms, one a line. */
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { WASI } from 'node:wasi'

const [path = '', repeats = '1', ...args] = process.argv.slice(2)
// Trusted modules only: this interface of Node's is no sandbox.
const stdout = openSync('/dev/null', 'w')
const module = await WebAssembly.compile(await readFile(path))
for (let n = 0; n < Number(repeats); n++) {
  const wasi = new WASI({ version: 'preview1', args: ['program', ...args], stdout })
  const began = process.cpuUsage()
  const instance = new WebAssembly.Instance(
    module,
    wasi.getImportObject() as Record<string, WebAssembly.ModuleImports>,
  )
  wasi.start(instance)
  const { user, system } = process.cpuUsage(began)
  process.stdout.write(`${(user + system) / 1000}\n`)
}
