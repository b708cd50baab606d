/** What the machine is doing for its owner. */
export interface MachineCondition {
  /** Whether it runs on a battery now; false where it has none, or nothing tells. */
  readonly onBattery: boolean
  /** How long ago somebody last used it, ms; `undefined` while no use has been seen. */
  readonly idleMs: number | undefined
}

/** The machine as its owner uses it; may be a few seconds old. */
export interface MachineState {
  /** Never rejects: what cannot be read counts as mains power and as no use. */
  read(): Promise<MachineCondition>
}
