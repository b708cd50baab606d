import type { KernelFiles } from './kernel-files.ts'
import type { PciFunction } from './pci.ts'

/** Where distributions put the table of names, if they do. */
const TABLES = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids']
/** Three times its size today. */
const MAX_TABLE_BYTES = 4 * 1024 * 1024

/** Names of devices from the public table of ids; read only once somebody asks. */
export class PciNames {
  readonly #files: KernelFiles
  #table: Promise<string> | undefined

  constructor(files: KernelFiles) {
    this.#files = files
  }

  /** What the table calls it; `undefined` when there is no table or it does not know the device. */
  async nameOf({ vendor, device }: PciFunction): Promise<string | undefined> {
    const table = await (this.#table ??= this.#read())
    const start = table.indexOf(`\n${vendor}  `)
    if (start === -1) return undefined
    const rest = table.slice(start + 1)
    // A vendor's devices are the indented lines up to the next vendor.
    const own = rest.slice(0, /\n[^\t#\n]/.exec(rest)?.index)
    return new RegExp(`\\n\\t${device} {2}(.+)`).exec(own)?.[1]
  }

  async #read(): Promise<string> {
    for (const path of TABLES) {
      const text = await this.#files.text(path, MAX_TABLE_BYTES)
      if (text !== undefined) return `\n${text}`
    }
    return ''
  }
}
