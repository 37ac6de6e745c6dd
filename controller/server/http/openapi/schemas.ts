import * as contract from '@bootswarm/controller/contract';
import * as format from '@bootswarm/images/format';
import { z } from 'zod';

export type Json = Readonly<Record<string, unknown>>;

/** The schemas of a document, and where in it each is. */
export interface Schemas {
  /** Of `#/components/schemas`: those to which what was asked for until now refers. */
  readonly components: Readonly<Record<string, Json>>;
  /** What a caller sends: fields that have a default may be left out. */
  readonly sent: (schema: z.ZodType) => Json;
  /** What the controller answers: those fields are there. */
  readonly told: (schema: z.ZodType) => Json;
}

type Direction = 'input' | 'output';

/**
 * JSON schemas (2020-12, as OpenAPI 3.1 takes them) of what calls send and get. What the contract or the format of
 * images has a name for becomes a component of that name; where it reads otherwise when it is sent, that is another
 * one, `NameSent`.
 */
export function schemasOf(ofCalls: Iterable<z.ZodType>): Schemas {
  const calls = [...ofCalls];
  const converted = { input: convert(calls, 'input'), output: convert(calls, 'output') };
  const differing = differingOf(converted.input.schemas, converted.output.schemas);
  const components: Record<string, Json> = {};
  /** With each reference led to its component, which is there from then on. */
  const placed = (schema: Json, direction: Direction): Json =>
    JSON.parse(JSON.stringify(schema), (_, value) => {
      if (typeof value?.$ref !== 'string') return value;
      const { $ref: id, ...beside } = value as { readonly $ref: string };
      const found = converted[direction].schemas.get(id) ?? {};
      if (isAnonymous(id)) return { ...placed(found, direction), ...beside };
      const name = direction === 'input' && differing.has(id) ? `${id}Sent` : id;
      if (!(name in components)) {
        components[name] = {};
        components[name] = placed(found, direction);
      }
      return { ...beside, $ref: `#/components/schemas/${name}` };
    });
  const lookUp = (direction: Direction) => (schema: z.ZodType) =>
    placed({ $ref: converted[direction].idOf(schema) }, direction);
  return { components, sent: lookUp('input'), told: lookUp('output') };
}

interface Converted {
  /** By name, or number where they have none; a `$ref` in them is that of another. */
  readonly schemas: ReadonlyMap<string, Json>;
  readonly idOf: (schema: z.ZodType) => string;
}

function convert(calls: readonly z.ZodType[], io: Direction): Converted {
  const registry = z.registry<{ id: string }>();
  const register = (schema: z.ZodType, id: string): void => {
    if (!registry.has(schema)) registry.add(schema, { id });
  };
  for (const [name, value] of Object.entries({ ...format, ...contract }))
    if (value instanceof z.ZodType) register(value, name);
  for (const [index, schema] of calls.entries()) register(schema, `.${index}`);
  const options = {
    io,
    // Of what no JSON schema can say, anything goes here: the controller's own schema tells the rest.
    unrepresentable: 'any',
    uri: (id: string) => id,
    override: override(io),
  } as const;
  const { schemas } = z.toJSONSchema(registry, options);
  const entries = Object.entries(schemas);
  return {
    schemas: new Map(entries.map(([id, { $id: _, $schema: __, ...schema }]) => [id, schema])),
    idOf: (schema) => registry.get(schema)?.id ?? '',
  };
}

function isAnonymous(id: string): boolean {
  return id.startsWith('.');
}

function refsIn(schema: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(schema, (key, value) => {
    if (key === '$ref') found.push(value as string);
    return value;
  });
  return found;
}

/** Names whose schemas differ by direction, or that lead to one of which that is so. */
function differingOf(sent: ReadonlyMap<string, Json>, told: ReadonlyMap<string, Json>): ReadonlySet<string> {
  const differing = new Set<string>();
  for (let before = -1; before < differing.size; ) {
    before = differing.size;
    for (const [name, schema] of sent)
      if (
        JSON.stringify(schema) !== JSON.stringify(told.get(name)) ||
        refsIn(schema).some((ref) => differing.has(ref))
      )
        differing.add(name);
  }
  return differing;
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;

function override(io: Direction): Override {
  const caseless = new Set<string>();
  return ({ zodSchema, jsonSchema }) => {
    const { def } = zodSchema._zod;
    // Who reads an answer reads it by the same schema: what is told may be sent again.
    if (io === 'output' && def.type === 'pipe' && Object.keys(jsonSchema).length === 0)
      Object.assign(jsonSchema, inlined(def.in as z.ZodType));
    if (def.type === 'string') for (const source of caselessIn(def.checks ?? [])) caseless.add(source);
    // A pipe has the pattern of what goes into it.
    if (caseless.has(jsonSchema.pattern ?? '')) jsonSchema.pattern = eitherCase(jsonSchema.pattern ?? '');
  };
}

function caselessIn(checks: readonly z.core.$ZodCheck<never>[]): string[] {
  const patterns = checks.map((check) => (check._zod.def as Partial<z.core.$ZodCheckRegexDef>).pattern);
  return patterns.flatMap((pattern) => (pattern?.flags.includes('i') ? [pattern.source] : []));
}

function inlined(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: override('input'),
  });
  return rest;
}

/** JSON schemas have no flags: `[0-9a-f]` without regard to case is `[0-9a-fA-F]`. Of letters, ours have only ranges. */
export function eitherCase(source: string): string {
  return source.replace(/([a-z])-([a-z])/g, (range) => range + range.toUpperCase());
}
