/** Plain values only: never a key, never an object that could hold one. */
export type LogData = Readonly<Record<string, string | number | boolean | bigint | undefined>>

/** error: a person must act · warn: will become one · info: rare state of the node · debug: per request. */
export interface Logger {
  error(message: string, data?: LogData): void
  warn(message: string, data?: LogData): void
  info(message: string, data?: LogData): void
  debug(message: string, data?: LogData): void
  /** A logger whose lines carry `module`, for example `requester`. */
  child(module: string): Logger
}
