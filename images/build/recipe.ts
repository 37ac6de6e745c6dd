import { posix } from 'node:path';
import { Architecture, KernelArgument, ReleaseName, ReleaseVersion } from '@bootswarm/images/format';
import { type Document, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { problem } from './problems.ts';

/** Without a trailing `-`, which tells apt to remove the package. */
const PackageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*[a-z0-9+]$/, 'must be the name of a Debian package, such as openssh-server');

/** useradd(8): anything else could be read as an option or a path. */
const AccountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be 1 to 32 of a-z 0-9 _ - and start with a letter');

const AbsolutePath = z
  .string()
  .refine(
    (path) => /^\/\P{Cc}+$/u.test(path) && posix.normalize(path) === path && !path.endsWith('/'),
    'must be an absolute path without . or .. in it, such as /etc/motd',
  );

const FileInRecipeFolder = z
  .string()
  .refine(
    (path) => path !== '' && !path.startsWith('/') && !posix.normalize(path).startsWith('..'),
    'must be a path inside the folder of the recipe',
  );

const RecipeFile = z
  .strictObject({
    path: AbsolutePath,
    content: z.string().optional(),
    /** Relative to the folder of the recipe. */
    source: FileInRecipeFolder.optional(),
    mode: z
      .string('must be octal digits in quotes, such as "0644"')
      .regex(/^[0-7]{3,4}$/, 'must be octal digits in quotes, such as "0644"')
      .default('0644'),
    owner: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*(:[a-z_][a-z0-9_-]*)?$/, 'must be USER or USER:GROUP')
      .default('root:root'),
  })
  .refine((file) => (file.content === undefined) !== (file.source === undefined), {
    message: 'must have either `content` or `source`',
  });

const RecipeUser = z.strictObject({
  name: AccountName,
  passwordHash: z
    .string()
    .regex(
      /^(\*|\$[a-z0-9]+\$[A-Za-z0-9./$=,]+)$/,
      'must be a crypt hash, as `openssl passwd -6` prints, or "*" for no password',
    )
    .default('*'),
  sshKeys: z
    .array(
      z
        .string()
        .regex(
          /^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [\x20-\x7e]*)?$/,
          'must be one line of an OpenSSH public key file',
        ),
    )
    .default([]),
  groups: z.array(AccountName).default([]),
  shell: AbsolutePath.default('/bin/bash'),
});

const RecipeHook = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'must be 1 to 63 letters, digits, blanks or . _ -'),
  /** For /bin/sh -eu, inside the new root. */
  script: z.string().min(1),
});

/** Set by Bootswarm for each boot; a recipe that sets them too would break it. */
const RESERVED_ARGUMENTS = ['boot', 'fetch', 'root', 'BOOTIF', 'initrd'];

const Recipe = z
  .strictObject({
    name: ReleaseName,
    version: z.string('must be text: write it in quotes, such as "1.0"').pipe(ReleaseVersion),
    architecture: Architecture.default('amd64'),
    suite: z.enum(['bookworm', 'trixie']),
    /** Parts of the archive; network cards often need firmware from `non-free-firmware`. */
    components: z
      .array(z.enum(['main', 'contrib', 'non-free', 'non-free-firmware']))
      .min(1)
      .default(['main']),
    kernel: PackageName.optional(),
    packages: z.array(PackageName).default([]),
    /** Paths, with `*` and `?`, that dpkg leaves out when it unpacks a package. */
    exclude: z
      .array(
        z.string().regex(/^\/[\x21-\x7e]+$/, 'must be an absolute path pattern, such as /usr/share/man/*'),
      )
      .default([]),
    files: z.array(RecipeFile).superRefine(refuseTwice('path')).default([]),
    users: z.array(RecipeUser).superRefine(refuseTwice('name')).default([]),
    hooks: z.array(RecipeHook).superRefine(refuseTwice('name')).default([]),
    kernelArguments: z
      .array(
        KernelArgument.refine(
          (argument) => !RESERVED_ARGUMENTS.includes(argument.split('=', 1)[0] ?? ''),
          'is set by Bootswarm itself',
        ),
      )
      .max(63)
      .default([]),
  })
  .transform((recipe) => ({ ...recipe, kernel: recipe.kernel ?? `linux-image-${recipe.architecture}` }));
/** What goes into an image, with every default filled in. */
export type Recipe = z.output<typeof Recipe>;

/**
 * Reads RECIPE.yaml.
 * @param fileName for messages only.
 * @throws Problem `recipe_not_yaml` or `recipe_invalid`: all that is wrong, one `FILE:LINE` each.
 */
export function parseRecipe(text: string, fileName: string): Recipe {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    const list = mistakes.map((mistake) => {
      const { line, col } = lineCounter.linePos(mistake.pos[0]);
      return `${fileName}:${line}:${col}: ${mistake.message}`;
    });
    throw problem('recipe_not_yaml', { facts: { list: list.join('\n') } });
  }

  const parsed = Recipe.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues
    .flatMap((issue) => faultsOf(issue, document))
    .map((fault) => ({ ...fault, line: lineCounter.linePos(offsetOf(document.contents, fault.path)).line }))
    .sort((a, b) => a.line - b.line);
  const list = faults.map((fault) => `${fileName}:${fault.line}: ${fieldName(fault.path)} ${fault.message}`);
  const remedies = new Set(faults.map((fault) => fault.remedy).filter((remedy) => remedy !== undefined));
  throw problem('recipe_invalid', {
    field: fieldName(faults[0]?.path ?? []),
    facts: {
      list: list.join('\n'),
      remedy: [...remedies].join(' ') || `Correct ${faults.length === 1 ? 'this line' : 'these lines'}.`,
    },
  });
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy?: string;
}

function faultsOf(issue: z.core.$ZodIssue, document: Document): Fault[] {
  if (issue.code !== 'unrecognized_keys') {
    const message = document.hasIn(issue.path)
      ? issue.message.replace(/^Invalid (input|option): /, '')
      : 'is missing';
    return [{ path: issue.path, message }];
  }
  return issue.keys.map((key) => ({
    path: [...issue.path, key],
    message: 'is not a known key',
    remedy: remedyForKey(key, knownKeys(issue.path)),
  }));
}

function remedyForKey(key: string, known: readonly string[]): string {
  if (key === 'password' && known.includes('passwordHash')) {
    return 'A recipe holds no plain password: give `passwordHash`, a crypt hash or "*".';
  }
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near !== undefined && near.distance <= 2)
    return `Did you mean \`${near.candidate}\` instead of \`${key}\`?`;
  return `Instead of \`${key}\`, use one of: ${known.join(', ')}.`;
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  const schemas: Readonly<Record<string, z.ZodObject>> = {
    files: RecipeFile,
    users: RecipeUser,
    hooks: RecipeHook,
  };
  return Object.keys((schemas[String(path[0])] ?? Recipe.in).shape);
}

/** Offset of the node at `path`, or of the nearest one above it; the key of a map entry, so that it is its line. */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node = contents;
  let offset = 0;
  for (const step of path) {
    const item = collectionItem(node, step);
    if (item === undefined) break;
    const anchor = isPair(item) ? item.key : item;
    if (isNode(anchor) && anchor.range) offset = anchor.range[0];
    node = isPair(item) ? item.value : item;
  }
  return offset;
}

function collectionItem(node: unknown, step: PropertyKey): unknown {
  if (typeof node !== 'object' || node === null || !('items' in node) || !Array.isArray(node.items))
    return undefined;
  if (typeof step === 'number') return node.items[step];
  return node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
}

/** `files[0].mode`, as operators write a field. */
function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name.replace(/^\./, '') || 'the recipe';
}

function refuseTwice<Key extends string>(key: Key) {
  return (items: readonly Readonly<Record<Key, string>>[], context: z.RefinementCtx): void => {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other[key] === item[key]);
      if (first < index) {
        context.addIssue({
          code: 'custom',
          path: [index, key],
          message: `is ${item[key]}, as in [${first}] already`,
        });
      }
    }
  };
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
