import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Endpoint, ERRORS, endpoints, problemsOf } from '@bootswarm/controller/contract';
import { Validator } from '@seriousme/openapi-schema-validator';
import { pino } from 'pino';
import { z } from 'zod';
import { ControllerUnderTest } from '../../testing/controller-under-test.ts';
import { apiOf } from '../routes.ts';
import { openApiOf } from './document.ts';
import { eitherCase, schemasOf } from './schemas.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly $ref?: string;
}

interface Answer {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly examples?: object; readonly schema?: object }>>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: object;
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const all: readonly (readonly [string, Endpoint])[] = Object.entries(endpoints);
let controller: ControllerUnderTest;
let text = '';
let document: Document;

before(async () => {
  controller = await ControllerUnderTest.start();
  text = await (await controller.fetch('/openapi.json')).text();
  document = JSON.parse(text) as Document;
});

after(() => controller[Symbol.asyncDispose]());

function operationOf({ path, method }: Endpoint): Operation {
  const found = document.paths[path]?.[method];
  assert.ok(found, `${method} ${path}`);
  return found;
}

function answerOf(endpoint: Endpoint, status: number | string): Answer | undefined {
  const answer = operationOf(endpoint).responses[status];
  return answer?.$ref === undefined ? answer : (resolved(answer.$ref) as Answer);
}

function resolved(ref: string): unknown {
  const parts = ref.replace(/^#\//, '').split('/');
  return parts.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
}

function parametersOf(endpoint: Endpoint): readonly string[] {
  const parameters = operationOf(endpoint).parameters.map((each) =>
    each.$ref === undefined ? each : (resolved(each.$ref) as Parameter),
  );
  return parameters.map((each) => `${each.in} ${each.name}${each.required ? '' : '?'}`);
}

test('the document is one of OpenAPI 3.1', async () => {
  const result = await new Validator().validate(JSON.parse(text));
  assert.deepEqual([result.valid, result.errors], [true, undefined]);
});

test('that validator refuses a document that lacks what it refers to, or a parameter of a path', async () => {
  const path = '/v1/segments/{name}';
  const holes: readonly ((broken: Document & Record<string, never>) => void)[] = [
    (broken) => Object.assign(broken.paths[path]?.['get'] ?? {}, { responses: [] }),
    (broken) => Object.assign(broken.paths[path]?.['get']?.parameters[0] ?? {}, { in: 'nowhere' }),
  ];
  for (const hole of holes) {
    const broken = JSON.parse(text);
    hole(broken);
    assert.equal((await new Validator().validate(broken)).valid, false, String(hole));
  }
});

test('whatever it refers to is there, and all that is there is referred to', () => {
  const refs = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref));
  for (const ref of refs) assert.notEqual(resolved(ref), undefined, ref);
  for (const kind of ['schemas', 'parameters', 'headers'])
    for (const name of Object.keys(document.components[kind] ?? {}))
      assert.ok(refs.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
});

test('every route is in it but those of the document itself, and every call of it has a route', () => {
  const api = apiOf(controller.services, pino({ level: 'silent' }));
  const routes = api.routes
    .filter(({ method, path }) => method !== 'ALL' && !/^\/(docs|openapi\.json)/.test(path))
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(told.toSorted(), routes.toSorted());
  assert.equal(told.length, all.length);
});

test('each call has the parameters of its path and no others there', () => {
  for (const [name, endpoint] of all) {
    const inPath = operationOf(endpoint).parameters.filter((each) => each.in === 'path');
    const braces = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, each]) => each);
    assert.deepEqual(
      inPath.map((each) => [each.name, each.required]),
      braces.map((each) => [each, true]),
      name,
    );
    assert.equal(operationOf(endpoint).operationId, name);
    assert.equal(operationOf(endpoint).requestBody !== undefined, endpoint.body !== undefined, name);
    assert.equal(operationOf(endpoint).security.length, endpoint.audience === 'anyone' ? 0 : 1, name);
  }
});

const headers: readonly (readonly [keyof typeof endpoints, readonly string[]])[] = [
  ['replaceSegment', ['path name', 'header If-Match?', 'header If-None-Match?']],
  ['showSegment', ['path name', 'header If-None-Match?']],
  ['addEdge', ['header Idempotency-Key?']],
  ['streamEvents', ['query kind?', 'query machine?', 'query after?', 'header Last-Event-ID?']],
  ['fetchArtefact', ['path sha256', 'header Range?']],
  ['sendUpload', ['path sha256', 'query offset', 'query length']],
  ['listReleases', ['query limit?', 'query cursor?']],
  ['health', []],
];
for (const [name, wanted] of headers)
  test(`${name} has these parameters: ${wanted.join(', ') || 'none'}`, () => {
    assert.deepEqual(parametersOf(endpoints[name]), wanted);
  });

test('answers tell of their headers', () => {
  const of = (endpoint: Endpoint, status: string) => Object.keys(answerOf(endpoint, status)?.headers ?? {});
  assert.deepEqual(of(endpoints.showSegment, '200'), ['X-Request-ID', 'ETag']);
  assert.deepEqual(of(endpoints.showSegment, '304'), ['ETag']);
  assert.deepEqual(of(endpoints.listReleases, '200'), ['X-Request-ID', 'Link']);
  assert.deepEqual(of(endpoints.addEdge, '200'), ['X-Request-ID', 'Idempotent-Replayed']);
  assert.deepEqual(of(endpoints.streamEvents, '503'), ['X-Request-ID', 'Retry-After']);
});

test('each problem of a call stands under its status, with what to do', () => {
  for (const [name, endpoint] of all)
    for (const code of problemsOf(endpoint)) {
      const answer = answerOf(endpoint, ERRORS[code].status);
      assert.ok(code in (answer?.content?.['application/json']?.examples ?? {}), `${name}: ${code}`);
    }
  assert.deepEqual(resolved('#/components/examples/edge_exists'), {
    value: {
      error: {
        code: 'edge_exists',
        message: ERRORS.edge_exists.message,
        remedy: ERRORS.edge_exists.remedy,
      },
    },
  });
});

test('what the controller says of itself is what it does: a crowded stream has Retry-After', async () => {
  const readers = new AbortController();
  const open = () => controller.fetch('/v1/events/stream', { signal: readers.signal }).catch(() => undefined);
  const streams = await Promise.all(Array.from({ length: 100 }, open));
  assert.ok(streams.every((each) => each?.status === 200));
  const refused = await open();
  assert.deepEqual([refused?.status, refused?.headers.get('retry-after')], [503, '30']);
  readers.abort();
});

test('what may be left out when it is sent, and is there when it is told, has a schema for each', () => {
  const Lease = z.strictObject({ seconds: z.int().default(60) });
  const schemas = schemasOf([Lease]);
  assert.deepEqual(schemas.sent(Lease)['required'], undefined);
  assert.deepEqual(schemas.told(Lease)['required'], ['seconds']);
  const required = (name: string) =>
    (resolved(`#/components/schemas/${name}`) as { required: readonly string[] }).required;
  assert.ok(required('Segment').includes('exclusions'));
  assert.ok(!required('SegmentSent').includes('exclusions'));
});

test('a pattern takes what the controller takes', () => {
  for (const [, pattern = '""'] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
    const source = JSON.parse(pattern) as string;
    assert.doesNotThrow(() => new RegExp(source, 'u'), source);
    assert.doesNotMatch(source, /\$\/[a-z]+$/, 'flags are no part of it');
  }
  const { pattern } = resolved('#/components/schemas/Mac') as { pattern: string };
  for (const mac of ['52:54:00:ab:cd:ef', '5254.00AB.CDEF', '52-54-00-AB-CD-EF'])
    assert.match(mac, new RegExp(pattern, 'u'));
  assert.equal(eitherCase('^[0-9a-f]{2}$'), '^[0-9a-fA-F]{2}$');
});

test('a document can be made of any table of calls', () => {
  const { paths } = openApiOf({ health: endpoints.health }, '0') as unknown as Document;
  assert.deepEqual(Object.keys(paths), ['/healthz']);
});
