import type { FastifyError } from 'fastify'
import { ERROR_CODES } from '../domain/error-codes.ts'
import { HiveError } from '../domain/errors.ts'
import type { Logger } from '../ports/logger.ts'
import type { App } from './app.ts'
import { statusOf } from './http-status.ts'
import type { ErrorBody } from './schemas/basics.ts'
import { plainData } from './views/plain-data.ts'

/** Answers every failure as code, text, values and remedy; only our own errors show their values. */
export function answerErrors(app: App, logger: Logger): void {
  app.setErrorHandler(async (error: FastifyError | HiveError, request, reply) => {
    const known = asHiveError(error)
    const status = statusOf(known.code)
    if (status === 500) {
      const message = error instanceof Error ? error.message : String(error)
      logger.error('request failed', { route: request.url, code: known.code, message })
    }
    return reply.code(status).send(errorBody(known))
  })
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(statusOf('API_ROUTE_UNKNOWN')).send(
      errorBody(
        new HiveError('API_ROUTE_UNKNOWN', {
          method: request.method,
          path: request.url.slice(0, 200),
        }),
      ),
    ),
  )
}

/** An error as the API answers it. */
export function errorBody({ code, data }: HiveError): ErrorBody {
  return { code, ...ERROR_CODES[code], data: plainData(data) }
}

function asHiveError(error: FastifyError | HiveError): HiveError {
  if (error instanceof HiveError) return error
  if (error.validation !== undefined) {
    const where = error.validationContext ?? 'request'
    const problems = error.validation.map(({ instancePath, message, params }) => {
      const extra = params['additionalProperty']
      const path = `${where}${instancePath.replaceAll('/', '.')}`
      return typeof extra === 'string'
        ? `${path}.${extra.slice(0, 60)}: no such field`
        : `${path}: ${message ?? 'does not fit'}`
    })
    return new HiveError('INPUT_INVALID', { problems: [...new Set(problems)] }, { cause: error })
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new HiveError('MESSAGE_TOO_LARGE', {}, { cause: error })
  if (error.statusCode !== undefined && error.statusCode < 500)
    return new HiveError('INPUT_INVALID', { problems: [error.message] }, { cause: error })
  return new HiveError('INTERNAL', {}, { cause: error })
}
