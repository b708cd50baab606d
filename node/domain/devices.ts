/** Graphics processors of one make in one machine. */
export interface Gpu {
  /** `nvidia`, `amd`, `intel`; `various` for the group that sums up what the list has no room for. */
  readonly vendor: string
  readonly model: string
  /** Memory of each one; absent where the driver does not tell or where it shares the machine's. */
  readonly memoryBytes?: number
  /** Kernel driver with its version where it has one; absent where none is bound. */
  readonly driver?: string
  readonly count: number
}

/** Other accelerators of one make in one machine. */
export interface Device {
  readonly model: string
  readonly count: number
}

/** Network interfaces of one kind and speed. */
export interface NetworkLink {
  /** `ethernet`, `wifi`, `infiniband` or `other`. */
  readonly kind: string
  /** Megabits per second as negotiated; absent where the driver does not tell. */
  readonly speedMbps?: number
  readonly count: number
}
