import type { IncomingMessage, ServerResponse } from 'node:http'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify'
import type { Static, TSchema } from 'typebox'
import { HiveError } from '../domain/errors.ts'

/** Tells Fastify's types what a TypeBox schema means. */
interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

/** The server that routes are added to. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>

/** Aborts when the caller leaves or the node stops. */
export function signalOf(reply: Pick<FastifyReply, 'raw'>, stop: AbortSignal): AbortSignal {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort(new HiveError('CANCELLED')))
  return AbortSignal.any([stop, left.signal])
}
