import type { Logger } from '../../node/ports/logger.ts'

/** A logger that says nothing. */
export const SILENT: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => SILENT,
}
