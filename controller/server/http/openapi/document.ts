import {
  type Endpoint,
  ERRORS,
  ErrorBody,
  type ErrorCode,
  isRepeatable,
  problemsOf,
  RETRY_AFTER_SECONDS,
} from '@bootswarm/controller/contract';
import { z } from 'zod';
import { HEADERS, headerRef, PARAMETERS, parameterRef } from './headers.ts';
import { type Json, type Schemas, schemasOf } from './schemas.ts';

/** Made by clients of an answer that never came, or that nobody can read. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['controller_unreachable', 'answer_unreadable']);

/** The OpenAPI 3.1 document of an API: what is told of a call follows from its data alone. */
export function openApiOf(endpoints: Readonly<Record<string, Endpoint>>, version: string): Json {
  const parts = Object.values(endpoints).flatMap(({ params, query, body, result }) => [
    ...[body, result].filter((part) => part instanceof z.ZodType),
    ...[params, query].flatMap((part) => Object.values(part?.shape ?? {}) as z.ZodType[]),
  ]);
  const schemas = schemasOf([...parts, ErrorBody]);
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, endpoint] of Object.entries(endpoints)) {
    paths[endpoint.path] ??= {};
    Object.assign(paths[endpoint.path] ?? {}, { [endpoint.method]: operationOf(name, endpoint, schemas) });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Bootswarm controller', version },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: sorted(schemas.components),
      parameters: PARAMETERS,
      headers: HEADERS,
      examples: examples(),
    },
  };
}

function sorted(byName: Json): Json {
  return Object.fromEntries(Object.entries(byName).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function operationOf(name: string, endpoint: Endpoint, schemas: Schemas): Json {
  const { path, summary, audience, body } = endpoint;
  return {
    operationId: name,
    summary,
    tags: [path.split('/')[2] ?? 'health'],
    security: audience === 'anyone' ? [] : [{ token: [] }],
    parameters: parametersOf(endpoint, schemas),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(body, schemas.sent) } }),
    responses: { ...successes(endpoint, schemas), ...refusals(endpoint, schemas) },
  };
}

function parametersOf(endpoint: Endpoint, schemas: Schemas): Json[] {
  const fields = (part: z.ZodObject | undefined, where: 'path' | 'query'): Json[] =>
    Object.entries((part?.shape ?? {}) as Readonly<Record<string, z.ZodType>>).map(([name, schema]) => ({
      name,
      in: where,
      // zod takes nothing for a field that is coerced as well: what is undefined is then none.
      required: where === 'path' || !schema.safeParse(undefined).success,
      ...(schema.description === undefined ? {} : { description: schema.description }),
      schema: schemas.sent(schema),
    }));
  const { params, query, method, tagged, result, mediaType } = endpoint;
  const changes = tagged !== undefined && method !== 'get';
  return [
    ...fields(params, 'path'),
    ...fields(query, 'query'),
    ...(tagged !== undefined && method === 'get' ? [parameterRef('Held')] : []),
    ...(changes ? [parameterRef('IfMatch'), parameterRef('IfNoneMatch')] : []),
    ...(isRepeatable(endpoint) ? [parameterRef('IdempotencyKey')] : []),
    ...(mediaType === 'text/event-stream' ? [parameterRef('LastEventId')] : []),
    ...(result === 'bytes' && mediaType === undefined ? [parameterRef('Range')] : []),
  ];
}

function successes(endpoint: Endpoint, schemas: Schemas): Json {
  const { tagged, method, result, mediaType } = endpoint;
  const isArtefact = result === 'bytes' && mediaType === undefined;
  const content = contentOf(result, schemas.told, mediaType);
  return {
    200: {
      description: 'Done',
      headers: {
        'X-Request-ID': headerRef('RequestId'),
        ...(tagged === undefined || method === 'delete' ? {} : { ETag: headerRef('ETag') }),
        ...(endpoint.paged === undefined ? {} : { Link: headerRef('Link') }),
        ...(isRepeatable(endpoint) ? { 'Idempotent-Replayed': headerRef('IdempotentReplayed') } : {}),
      },
      content,
    },
    ...(tagged !== undefined && method === 'get'
      ? { 304: { description: 'The caller has it already', headers: { ETag: headerRef('ETag') } } }
      : {}),
    ...(isArtefact ? { 206: { description: 'The range that was asked for', content } } : {}),
    ...(isArtefact ? { 416: { description: 'The artefact has no such range' } } : {}),
  };
}

/** Problems of one status share a response, which shows each as an example. */
function refusals(endpoint: Endpoint, schemas: Schemas): Json {
  const schema = schemas.told(ErrorBody);
  const byStatus = Map.groupBy(problemsOf(endpoint), (code) => ERRORS[code].status);
  const responses = [...byStatus].map(([status, codes]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].message}`).join('\n\n'),
      headers: {
        'X-Request-ID': headerRef('RequestId'),
        ...(codes.some((code) => code in RETRY_AFTER_SECONDS)
          ? { 'Retry-After': headerRef('RetryAfter') }
          : {}),
      },
      content: {
        'application/json': {
          schema,
          examples: Object.fromEntries(
            codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
          ),
        },
      },
    },
  ]);
  return {
    ...Object.fromEntries(responses),
    default: {
      description: 'What else went wrong, in which field, and what to do',
      content: { 'application/json': { schema } },
    },
  };
}

function contentOf(
  part: z.ZodType | 'bytes',
  place: (schema: z.ZodType) => Json,
  mediaType = 'application/octet-stream',
): Json {
  // OpenAPI 3.1: octets have no schema beside their type.
  return part === 'bytes' ? { [mediaType]: {} } : { 'application/json': { schema: place(part) } };
}

/** One of each problem, with braces where its facts stand. */
function examples(): Json {
  const told = Object.entries(ERRORS).filter(([code]) => !OF_CLIENTS.has(code as ErrorCode));
  return Object.fromEntries(
    told.map(([code, { message, remedy }]) => [code, { value: { error: { code, message, remedy } } }]),
  );
}
