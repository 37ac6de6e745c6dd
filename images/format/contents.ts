import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { Sha256 } from './manifest.ts';

/** More than any distribution's root has, and what a hostile one may cost us. */
export const MOST_CONTENTS_FILES = 1_000_000;
const MOST_PACKAGES = 100_000;
const MOST_UNPACKED_BYTES = 1024 ** 3;
/** A path of 4096 bytes, each escaped, twice where it is a link, and the rest of its line. */
const MOST_LINE_CHARACTERS = 64 * 1024;
/** A window of 32 MiB: more than the level below takes, and a bound on what a hostile file makes us hold. */
const WINDOW_LOG_MOST = 25;
const LEVEL = 9;

const Header = z.strictObject({ format: z.literal(1) });

/** Printed as they are by the command line, so no control character may be in them. */
const Text = z.string().regex(/^\P{Cc}*$/u, 'must not hold control characters');
const Label = Text.min(1).max(256);

export const ContentsPackage = z.strictObject({
  package: Label,
  version: Label,
  architecture: Label,
  /** As its packager says. */
  installedBytes: z.int().nonnegative(),
});
export type ContentsPackage = z.infer<typeof ContentsPackage>;

const whatever = {
  /** From the top of the root, without a slash before. Bytes that are no text are written `\xNN`. */
  path: Text.min(1).max(20_000),
  /** Package that brought it. */
  package: Label.optional(),
};
const owned = {
  ...whatever,
  /** Octal, as chmod(1) takes it. */
  mode: z.string().regex(/^[0-7]{3,4}$/),
  /** `UID:GID`. */
  owner: z.string().regex(/^\d{1,10}:\d{1,10}$/),
};

export const ContentsFile = z.discriminatedUnion('type', [
  z.strictObject({ ...owned, type: z.literal('file'), bytes: z.int().nonnegative(), sha256: Sha256 }),
  z.strictObject({ ...whatever, type: z.literal('link'), target: Text.max(20_000) }),
  z.strictObject({ ...owned, type: z.enum(['folder', 'fifo', 'socket']) }),
  z.strictObject({ ...owned, type: z.literal('device'), device: z.string().regex(/^[bc] \d+ \d+$/) }),
]);
export type ContentsFile = z.infer<typeof ContentsFile>;

/**
 * What is in the root of a release: the artefact `contents`. It is zstd over lines of JSON: a header, then the packages,
 * then the files, each in order of its name, so that two of any size are compared without holding either.
 */
export interface Contents {
  readonly packages: Iterable<ContentsPackage>;
  readonly files: Iterable<ContentsFile>;
}

/** Writes the artefact. The same contents give the same bytes. */
export function writeContents(contents: Contents, to: Writable): Promise<void> {
  const compress = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  return pipeline(blocksOf(contents), compress, to);
}

/** Lines in blocks: one chunk for each line would take longer than to compress it. */
function* blocksOf({ packages, files }: Contents): Generator<Buffer> {
  const lines = [`${JSON.stringify({ format: 1 })}\n`];
  let characters = 0;
  for (const part of [packages, files]) {
    for (const each of part) {
      const line = `${JSON.stringify(each)}\n`;
      lines.push(line);
      characters += line.length;
      if (characters < 64 * 1024) continue;
      yield Buffer.from(lines.join(''));
      lines.length = 0;
      characters = 0;
    }
  }
  yield Buffer.from(lines.join(''));
}

export type ContentsLine = ContentsPackage | ContentsFile;

/**
 * @param most bytes to unpack.
 * @throws ContentsUnreadable, and whatever `source` throws.
 */
export async function* readContents(
  source: AsyncIterable<Uint8Array>,
  most = MOST_UNPACKED_BYTES,
): AsyncGenerator<ContentsLine> {
  let expected: 'header' | 'package' | 'file' = 'header';
  let before = '';
  let count = 0;
  for await (const text of linesOf(source, most)) {
    const value = parseJson(text);
    if (expected === 'header') {
      check(Header, value, 'header');
      expected = 'package';
      continue;
    }
    count += 1;
    if (expected === 'package' && isPackage(value)) {
      if (count > MOST_PACKAGES) throw new ContentsUnreadable(`it names more than ${MOST_PACKAGES} packages`);
      yield check(ContentsPackage, value, `package ${count}`);
      continue;
    }
    if (expected === 'package') {
      expected = 'file';
      count = 1;
    }
    if (count > MOST_CONTENTS_FILES)
      throw new ContentsUnreadable(`it names more than ${MOST_CONTENTS_FILES} files`);
    const file = check(ContentsFile, value, `file ${count}`);
    if (file.path < before) throw new ContentsUnreadable(`file ${count} is out of order`);
    before = file.path;
    yield file;
  }
  if (expected === 'header') throw new ContentsUnreadable('it is empty');
}

/** What was read is no contents of a release, and why. */
export class ContentsUnreadable extends Error {
  override readonly name = 'ContentsUnreadable';
}

export function isPackage(value: unknown): value is ContentsPackage {
  return typeof value === 'object' && value !== null && !('path' in value);
}

async function* linesOf(source: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<string> {
  const unpack = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MOST } });
  const from = Readable.from(source);
  from.once('error', (error) => unpack.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let bytes = 0;
  try {
    for await (const chunk of from.pipe(unpack) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) throw new ContentsUnreadable(`it unpacks to more than ${most} bytes`);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE_CHARACTERS) throw new ContentsUnreadable('it has a line without end');
      yield* lines;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ZSTD') || code === 'ERR_ENCODING_INVALID_ENCODED_DATA' || code === 'Z_BUF_ERROR')
      throw new ContentsUnreadable((error as Error).message, { cause: error });
    throw error;
  } finally {
    from.destroy();
    unpack.destroy();
  }
  if (rest !== '') throw new ContentsUnreadable('it ends within a line');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ContentsUnreadable('it holds what is no JSON', { cause: error });
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ContentsUnreadable(`its ${what} is wrong: ${issue?.path.join('.')} ${issue?.message}`);
}
