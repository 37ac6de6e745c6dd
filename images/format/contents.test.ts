import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import {
  type Contents,
  type ContentsFile,
  type ContentsLine,
  type ContentsPackage,
  readContents,
  writeContents,
} from './contents.ts';
import { diffContents } from './contents-diff.ts';

const hash = (digit: string): string => digit.repeat(64);

function file(path: string, bytes = 10, sha256 = hash('a')): ContentsFile {
  return { path, type: 'file', mode: '0644', owner: '0:0', bytes, sha256 };
}

function pack(name: string, version: string, installedBytes = 1000): ContentsPackage {
  return { package: name, version, architecture: 'amd64', installedBytes };
}

async function bytesOf(contents: Contents): Promise<Buffer> {
  const to = new PassThrough();
  const [bytes] = await Promise.all([buffer(to), writeContents(contents, to)]);
  return bytes;
}

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const all = (lines: AsyncIterable<ContentsLine>): Promise<ContentsLine[]> => Readable.from(lines).toArray();

const packed = (...lines: readonly unknown[]): Buffer =>
  zstdCompressSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

describe('contents of a release', () => {
  const contents = {
    packages: [pack('bash', '5.2-1'), pack('dash', '0.5')],
    files: [
      file('bin/bash'),
      { path: 'bin/sh', type: 'link', target: 'dash', package: 'dash' },
      { path: 'dev/null', type: 'device', mode: '0666', owner: '0:0', device: 'c 1 3' },
      { path: 'tmp', type: 'folder', mode: '1777', owner: '0:0' },
    ] satisfies ContentsFile[],
  };

  test('come back as they were written, and twice give the same bytes', async () => {
    const bytes = await bytesOf(contents);
    assert.deepEqual(await all(readContents(chunks(bytes, 7))), [...contents.packages, ...contents.files]);
    assert.deepEqual(await bytesOf(contents), bytes);
  });

  test('of any two roots come back as they were written', async () => {
    const path = fc
      .string({ minLength: 1, maxLength: 300, unit: 'grapheme' })
      .filter((text) => !/\p{Cc}/u.test(text));
    const files = fc
      .uniqueArray(path, { maxLength: 300 })
      .map((paths) => paths.sort().map((each, index) => file(each, index)));
    await fc.assert(
      fc.asyncProperty(files, async (each) => {
        const bytes = await bytesOf({ packages: [], files: each });
        assert.deepEqual(await all(readContents(chunks(bytes))), each);
      }),
      { numRuns: 30 },
    );
  });

  const header = { format: 1 };
  const bad: Readonly<Record<string, Uint8Array>> = {
    'are empty': new Uint8Array(),
    'are empty inside': zstdCompressSync(''),
    'are no zstd': Buffer.from('{"format":1}\n'),
    'are of a later format': packed({ format: 2 }),
    'end within a line': zstdCompressSync('{"format":1}\n{"path":'),
    'hold what is no JSON': zstdCompressSync('{"format":1}\nfiles\n'),
    'have files out of order': packed(header, file('b'), file('a')),
    'have a package behind the files': packed(header, file('b'), pack('bash', '1')),
    'name a path with an escape sequence': packed(header, file('\u001b[2J')),
    'name a version with an escape sequence': packed(header, pack('bash', '\u001b[2J')),
    'hold bytes that are no text': zstdCompressSync(Buffer.from([0x7b, 0xff, 0x0a])),
    'have a line without end': zstdCompressSync(`{"format":1}\n"${'x'.repeat(1_000_000)}`),
  };
  for (const [name, bytes] of Object.entries(bad))
    test(`that ${name} are refused`, async () => {
      await assert.rejects(all(readContents(chunks(bytes))), { name: 'ContentsUnreadable' });
    });

  test('that unpack to very much are refused before they fill the memory', async () => {
    const block = packed(header);
    const line = `${JSON.stringify(file('a'.repeat(19_000)))}\n`;
    const bomb = zstdCompressSync(line.repeat(1000));
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield block;
      for (;;) yield bomb;
    };
    await assert.rejects(
      async () => {
        for await (const _ of readContents(source(), 50_000_000));
      },
      { name: 'ContentsUnreadable', message: /unpacks to more than/ },
    );
  });

  test('that are cut short anywhere are refused', async () => {
    const bytes = await bytesOf(contents);
    for (let end = 0; end < bytes.length; end++)
      await assert.rejects(all(readContents(chunks(bytes.subarray(0, end)))), {
        name: 'ContentsUnreadable',
      });
  });

  test('whose source fails fail with its error', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield (await bytesOf(contents)).subarray(0, 20);
      throw new Error('the connection broke');
    };
    await assert.rejects(all(readContents(source())), /the connection broke/);
  });
});

describe('what changed between two contents', () => {
  async function* lines(...all: readonly ContentsLine[]): AsyncGenerator<ContentsLine> {
    yield* all;
  }

  test('is told by packages with their versions', async () => {
    const { packages } = await diffContents(
      lines(
        pack('bash', '1', 100),
        pack('gone', '1'),
        pack('same', '1'),
        pack('kernel', '5'),
        pack('kernel', '6'),
      ),
      lines(
        pack('bash', '2', 150),
        pack('new', '1'),
        pack('same', '1'),
        pack('kernel', '6'),
        pack('kernel', '7'),
      ),
      10,
    );
    assert.deepEqual(packages, {
      added: [pack('new', '1')],
      removed: [pack('gone', '1')],
      changed: [
        { package: 'bash', architecture: 'amd64', from: '1', to: '2', moreBytes: 50 },
        { package: 'kernel', architecture: 'amd64', from: '5', to: '7', moreBytes: 0 },
      ],
    });
  });

  test('is told by files, the largest first, and counted beyond those that are named', async () => {
    const { files } = await diffContents(
      lines(file('a'), file('b', 5), file('c', 7), file('z', 1)),
      lines(file('b', 6, hash('b')), file('c', 7), file('d', 1), file('e', 100), file('f', 10)),
      2,
    );
    assert.deepEqual(files, {
      added: {
        count: 3,
        bytes: 111,
        files: [
          { path: 'e', after: file('e', 100) },
          { path: 'f', after: file('f', 10) },
        ],
      },
      removed: {
        count: 2,
        bytes: 11,
        files: [
          { path: 'a', before: file('a') },
          { path: 'z', before: file('z', 1) },
        ],
      },
      changed: {
        count: 1,
        bytes: 6,
        files: [{ path: 'b', before: file('b', 5), after: file('b', 6, hash('b')) }],
      },
    });
  });

  const link = (target: string): ContentsFile => ({ path: 'x', type: 'link', target });
  const device = (which: string): ContentsFile => ({
    path: 'x',
    type: 'device',
    mode: '0666',
    owner: '0:0',
    device: which,
  });
  const cases: readonly (readonly [string, ContentsFile, ContentsFile, boolean])[] = [
    ['a file of the same bytes', file('x'), file('x'), false],
    [
      'a file that another package brings now',
      { ...file('x'), package: 'a' },
      { ...file('x'), package: 'b' },
      false,
    ],
    [
      'a file that became executable by root',
      file('x'),
      { ...file('x'), mode: '4755' } as ContentsFile,
      true,
    ],
    ['a file of another owner', file('x'), { ...file('x'), owner: '0:33' } as ContentsFile, true],
    ['a link that leads elsewhere', link('a'), link('b'), true],
    ['a link that stayed', link('a'), link('a'), false],
    ['a file that became a link', file('x'), link('a'), true],
    ['a link that became a file', link('a'), file('x'), true],
    ['another device', device('c 1 3'), device('c 1 5'), true],
  ];
  for (const [name, before, after, changed] of cases)
    test(`${name} ${changed ? 'is' : 'is no'} change`, async () => {
      const { files } = await diffContents(lines(before), lines(after), 10);
      assert.equal(files.changed.count, changed ? 1 : 0);
      assert.equal(files.added.count + files.removed.count, 0);
    });
});
