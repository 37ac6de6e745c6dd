import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type Client,
  problem as contractProblem,
  type DhcpClass,
  DhcpPolicy,
  endpoints,
  Segment,
} from '@bootswarm/controller/contract';
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { problem } from './problems.ts';
import { look } from './while-unchanged.ts';

/** What `segment apply` and `dhcp policy apply` take: either or both. */
export interface ApplyDocument {
  readonly segments?: readonly Segment[];
  readonly policy?: DhcpPolicy;
}

/** What came, or would come, of one part of a document. */
export interface Applied {
  readonly kind: 'segment' | 'policy';
  readonly name: string;
  readonly what: 'added' | 'changed' | 'unchanged';
}

const Documents = z.strictObject({
  segments: z.array(z.unknown()).optional(),
  policy: z.unknown().optional(),
});

/**
 * Reads a file of YAML or JSON: one document or several, each with `segments`, `policy` or both, or one segment.
 * @throws Problem file_not_yaml, document_invalid: all that is wrong, each with its field.
 */
export async function readApplyFile(file: string): Promise<ApplyDocument> {
  const lines = new LineCounter();
  const documents = parseAllDocuments(await readFile(file, 'utf8'), {
    lineCounter: lines,
    prettyErrors: false,
  });
  const segments: Segment[] = [];
  let policy: DhcpPolicy | undefined;
  const faults: string[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const take = <T>(schema: z.ZodType<T>, value: unknown, path: readonly PropertyKey[]): T | undefined => {
      const parsed = schema.safeParse(value);
      for (const { path: field, message } of parsed.error?.issues ?? [])
        faults.push(
          `line ${lineOf(document, lines, [...path, ...field])}: ${fieldText([...path, ...field])} ${message}`,
        );
      return parsed.data;
    };
    const [mistake] = document.errors;
    if (mistake) {
      const { line, col } = lines.linePos(mistake.pos[0]);
      throw problem('file_not_yaml', { facts: { file, line, column: col, reason: mistake.message } });
    }
    const value: unknown = document.toJS();
    const isSegment = typeof value === 'object' && value !== null && 'subnet' in value;
    const parts = isSegment ? { segments: [value] } : take(Documents, value ?? {}, []);
    for (const [index, each] of (parts?.segments ?? []).entries()) {
      const segment = take(Segment, each, isSegment ? [] : ['segments', index]);
      if (segment && segments.some(({ name }) => name === segment.name))
        faults.push(`segment ${segment.name} stands there twice`);
      if (segment) segments.push(segment);
    }
    if (parts && 'policy' in parts && parts.policy !== undefined)
      policy = take(DhcpPolicy, parts.policy, ['policy']);
  }
  if (faults.length > 0) throw problem('document_invalid', { facts: { file, list: faults.join('\n  ') } });
  return { ...(segments.length > 0 ? { segments } : {}), ...(policy ? { policy } : {}) };
}

/** `reservations[3].address`, as the controller names fields too. */
export function fieldText(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/** Where a field begins, or, where it is missing, what should hold it. */
export function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return lines.linePos(document.contents?.range?.[0] ?? 0).line;
}

/**
 * Makes the controller hold what the document says; what the document does not name stays as it is. Classes that
 * pools still name go last, new ones come first.
 */
export async function applyDocument(
  client: Client,
  { segments = [], policy }: ApplyDocument,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly Applied[]> {
  const [heldSegments, heldPolicy] = await Promise.all([
    client.call(endpoints.listSegments, {}, { signal }),
    client.call(endpoints.showPolicy, {}, { signal }),
  ]);
  const held = new Map(heldSegments.map((segment) => [segment.name, segment]));
  const applied: Applied[] = [];
  const putPolicy = async (body: DhcpPolicy): Promise<void> => {
    if (!dryRun) await client.call(endpoints.replacePolicy, { body }, { signal });
  };
  const isOtherPolicy = policy !== undefined && !isDeepStrictEqual(policy, heldPolicy);
  const newNames = new Set(segments.map(({ name }) => name).filter((name) => !held.has(name)));
  if (isOtherPolicy) await putPolicy(meanwhile(policy, heldPolicy, newNames));
  for (const segment of segments) {
    const params = { name: segment.name };
    const before = held.get(segment.name);
    const isSame = isDeepStrictEqual(before, segment);
    if (!isSame && !dryRun) {
      const { held: now, headers } = await look(client, endpoints.showSegment, { params }, signal);
      if (!isDeepStrictEqual(now, before)) throw changedMeanwhile(segment.name);
      await client.call(endpoints.replaceSegment, { params, body: segment }, { signal, headers });
    }
    applied.push({
      kind: 'segment',
      name: segment.name,
      what: before === undefined ? 'added' : isSame ? 'unchanged' : 'changed',
    });
  }
  if (policy === undefined) return applied;
  if (isOtherPolicy) await putPolicy(policy);
  return [{ kind: 'policy', name: 'dhcp', what: isOtherPolicy ? 'changed' : 'unchanged' }, ...applied];
}

function changedMeanwhile(name: string): Error {
  return contractProblem('changed_meanwhile', { facts: { what: `segment ${name}` } });
}

export function appliedText(applied: readonly Applied[], dryRun: boolean): string {
  if (applied.length === 0) return 'Nothing to apply: the file names no segment and no policy';
  const would = dryRun ? 'would be ' : '';
  return applied
    .map(
      ({ kind, name, what }) => `${kind === 'policy' ? 'DHCP policy' : `segment ${name}`}: ${would}${what}`,
    )
    .join('\n');
}

/** The new classes beside those that pools may still name, and without a word of segments that are yet to come. */
function meanwhile(policy: DhcpPolicy, held: DhcpPolicy, yetToCome: ReadonlySet<string>): DhcpPolicy {
  const names = new Set(policy.classes.map(({ name }) => name));
  const early = policy.classes.map((each) => {
    const isEarly = each.match.segments?.some((name) => yetToCome.has(name)) ?? false;
    const late: DhcpClass = { ...(held.classes.find(({ name }) => name === each.name) ?? inert(each)) };
    return isEarly ? late : each;
  });
  return { ...policy, classes: [...held.classes.filter(({ name }) => !names.has(name)), ...early] };
}

/** A class by that name that holds for nobody. */
function inert({ name }: DhcpClass): DhcpClass {
  return { name, match: { macs: ['00:00:00:00:00:00'] } };
}
