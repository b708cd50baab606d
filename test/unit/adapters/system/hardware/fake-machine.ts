import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  createHardwareProbe,
  type HardwareProbeOptions,
} from '../../../../../node/adapters/system/hardware-probe.ts'
import type { Hardware } from '../../../../../node/domain/advert.ts'
import type { LocalGpu } from '../../../../../node/domain/gpu-share.ts'

/** A device as the kernel would show it. */
export interface FakePci {
  /** `vendor:device`, hexadecimal. */
  readonly id: string
  /** Six hexadecimal digits, as in the file `class`. */
  readonly class: string
  readonly driver?: string
  /** Further attributes. */
  readonly files?: Readonly<Record<string, string>>
}

/** A folder that stands for `/` of another machine. */
export class FakeMachine implements AsyncDisposable {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  static async build(files: Readonly<Record<string, string>> = {}): Promise<FakeMachine> {
    const machine = new FakeMachine(await mkdtemp(join(tmpdir(), 'hive-machine-')))
    await machine.files(files)
    return machine
  }

  async files(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.root, path)), { recursive: true })
      await writeFile(join(this.root, path), text)
    }
  }

  async link(path: string, target: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true })
    await symlink(target, join(this.root, path))
  }

  /** An executable `nvidia-smi` with this shell script for a body. */
  async nvidiaSmi(script: string): Promise<void> {
    await this.files({ 'usr/bin/nvidia-smi': `#!/bin/sh\n${script}\n` })
    await chmod(join(this.root, 'usr/bin/nvidia-smi'), 0o755)
  }

  async pci(slot: string, { id, class: code, driver, files = {} }: FakePci): Promise<void> {
    const at = `sys/bus/pci/devices/${slot}`
    const lines = [
      ...(driver === undefined ? [] : [`DRIVER=${driver}`]),
      `PCI_CLASS=${code.replace(/^0/, '').toUpperCase()}`,
      `PCI_ID=${id.toUpperCase()}`,
      `PCI_SLOT_NAME=${slot}`,
    ]
    await this.files({ [`${at}/uevent`]: `${lines.join('\n')}\n` })
    for (const [name, text] of Object.entries(files)) await this.files({ [`${at}/${name}`]: text })
  }

  async detect(options: Partial<HardwareProbeOptions> = {}): Promise<Omit<Hardware, 'sandboxes'>> {
    return createHardwareProbe({ workDir: this.root, root: this.root, ...options }).detect()
  }

  /** The GPUs that could be handed to a job. */
  async gpus(options: Partial<HardwareProbeOptions> = {}): Promise<readonly LocalGpu[]> {
    return createHardwareProbe({ workDir: this.root, root: this.root, ...options }).gpus()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true })
  }
}
