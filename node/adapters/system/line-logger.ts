import type { LogData, Logger } from '../../ports/logger.ts'

/** Least severe last; a logger writes its own level and what stands before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
/** A word of the list above. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where a logger writes, and what. */
export interface LoggerOptions {
  /** Most detailed level written. @default LOGGER_DEFAULTS.level */
  readonly level?: LogLevel
  /** `json`: one object a line; `text`: for people. @default LOGGER_DEFAULTS.format */
  readonly format?: 'json' | 'text'
  /** Takes one line without its newline; must not throw. Default: standard error. */
  readonly write?: (line: string) => void
  /** Unix ms for the lines. Default: the machine's clock. */
  readonly now?: () => number
}

export const LOGGER_DEFAULTS = { level: 'info', format: 'text' } as const satisfies LoggerOptions

/** A logger that writes one line a message, whatever the message or data contain. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const level = options.level ?? LOGGER_DEFAULTS.level
  const render = (options.format ?? LOGGER_DEFAULTS.format) === 'json' ? asJson : asText
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`))
  const now = options.now ?? Date.now
  const enabled = new Set(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1))

  const loggerOf = (module: string | undefined): Logger => {
    const log = (at: LogLevel) => (message: string, data?: LogData) => {
      if (!enabled.has(at)) return
      const time = new Date(now()).toISOString()
      write(render({ time, level: at, module, message, data: data ?? {} }))
    }
    return {
      error: log('error'),
      warn: log('warn'),
      info: log('info'),
      debug: log('debug'),
      child: (name) => loggerOf(module === undefined ? name : `${module}:${name}`),
    }
  }
  return loggerOf(undefined)
}

interface Entry {
  readonly time: string
  readonly level: LogLevel
  readonly module: string | undefined
  readonly message: string
  readonly data: LogData
}

function asJson({ data, ...head }: Entry): string {
  return JSON.stringify({ ...head, data }, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}

function asText({ time, level, module, message, data }: Entry): string {
  const where = module === undefined ? '' : `${module}: `
  const values = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${textOf(value)}`)
  return `${time} ${level.padEnd(5)} ${where}${message}${values.join('')}`
}

/** Quoted unless plain, so that a stranger's text can neither break the line nor fake a field. */
function textOf(value: LogData[string]): string {
  const text = String(value)
  return /^[\w.:/+,@%-]{1,200}$/.test(text) ? text : JSON.stringify(text)
}
