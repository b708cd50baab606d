import type { KernelFiles } from '../hardware/kernel-files.ts'

const MAX_TERMINALS = 256
const MAX_USB_ENTRIES = 1024
const MAX_INTERRUPTS_BYTES = 256 * 1024
/** Of the class of devices for people, what is a keyboard (1) or a mouse (2). Source: USB HID 1.11 §4.2. */
const HID_CLASS = '03'
const HID_PROTOCOLS: ReadonlySet<string> = new Set(['01', '02'])
/** Drivers of built-in keyboards and touchpads, as the interrupt table names them. */
const BUILT_IN = /\s(?:i8042|(?:ELAN|SYNA|ALPS|DLL|MSFT|WCOM|GXTP)[0-9A-F]{4}:\d\d)$/

/** Notices when somebody types or moves a pointer, here or through a terminal; never what. */
export class Activity {
  readonly #files: KernelFiles
  #counters: string | undefined
  #lastUse: number | undefined

  constructor(files: KernelFiles) {
    this.#files = files
  }

  /**
   * When the machine was last used, Unix ms; `undefined` while nothing shows it. Devices only count
   * how often they were used: use since the last look is taken to be of now.
   */
  async lastUse(now: number): Promise<number | undefined> {
    const [terminals, counters] = await Promise.all([this.#terminals(), this.#readCounters()])
    const isMoved = this.#counters !== undefined && this.#counters !== counters
    this.#counters = counters
    const seen = [this.#lastUse, ...terminals, isMoved ? now : undefined]
    const uses = seen.filter((at) => at !== undefined).map((at) => Math.min(at, now))
    this.#lastUse = uses.length === 0 ? undefined : Math.max(...uses)
    return this.#lastUse
  }

  /** The kernel notes input, and only input, as the time of access of a terminal. */
  async #terminals(): Promise<(number | undefined)[]> {
    const [remote, local] = await Promise.all([
      this.#files.names('dev/pts', MAX_TERMINALS),
      this.#files.names('dev', MAX_USB_ENTRIES),
    ])
    const paths = [
      ...remote.filter((name) => /^\d+$/.test(name)).map((name) => `dev/pts/${name}`),
      ...local.filter((name) => /^tty[1-9]\d?$/.test(name)).map((name) => `dev/${name}`),
    ]
    return Promise.all(paths.map(async (path) => this.#files.accessedAt(path)))
  }

  /** What changes with every key and every move: transfers of USB devices, interrupts of others. */
  async #readCounters(): Promise<string> {
    const [usb, table] = await Promise.all([
      this.#usbCounters(),
      this.#files.text('proc/interrupts', MAX_INTERRUPTS_BYTES),
    ])
    const builtIn = (table ?? '').split('\n').filter((line) => BUILT_IN.test(line))
    return [...usb, ...builtIn].join('\n')
  }

  async #usbCounters(): Promise<string[]> {
    const root = 'sys/bus/usb/devices'
    const names = await this.#files.names(root, MAX_USB_ENTRIES)
    const word = async (path: string) => ((await this.#files.text(`${root}/${path}`)) ?? '').trim()
    const used = await Promise.all(
      names
        .filter((name) => name.includes(':'))
        .map(async (name) => {
          if ((await word(`${name}/bInterfaceClass`)) !== HID_CLASS) return []
          const protocol = await word(`${name}/bInterfaceProtocol`)
          return HID_PROTOCOLS.has(protocol) ? [name.split(':')[0] ?? ''] : []
        }),
    )
    const devices = [...new Set(used.flat())]
    return Promise.all(devices.map(async (name) => `${name} ${await word(`${name}/urbnum`)}`))
  }
}
