import type { LogData, Logger } from '../../node/ports/logger.ts'

/** A line that was logged. */
export interface LoggedLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly module: string
  readonly message: string
  readonly data: LogData
}

/** A logger that prints nothing and remembers everything in `lines`. */
export function quietLogger(lines: LoggedLine[] = [], module = ''): Logger {
  const log = (level: LoggedLine['level']) => (message: string, data?: LogData) => {
    lines.push({ level, module, message, data: data ?? {} })
  }
  return {
    error: log('error'),
    warn: log('warn'),
    info: log('info'),
    debug: log('debug'),
    child: (name) => quietLogger(lines, module === '' ? name : `${module}:${name}`),
  }
}
