import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { sha256Of } from '@bootswarm/images/format';
import { readRootContents, writeRootContents } from './contents.ts';
import { listingEnd, parseListing } from './contents-pseudo.ts';

const STATUS = `Package: coreutils
Status: install ok installed
Installed-Size: 18000
Architecture: amd64
Version: 9.1-1

Package: bash
Status: install ok installed
Installed-Size: 7000
Architecture: amd64
Version: 5.2-1
Description: a shell
 Version: 6, it does not say

Package: left
Status: deinstall ok config-files
Architecture: amd64
Version: 1
`;

const FILES: Readonly<Record<string, string>> = {
  'usr/bin/bash': 'bash',
  'usr/bin/sh.distrib': 'dash',
  'usr/bin/sh': 'other sh',
  'etc/with blank "and" quote \\': 'quoted',
  'etc/new\nline': 'x',
  'etc/ünïcode': 'é',
  'etc/#hash': '#',
  'etc/empty': '',
  'etc/nobodys': 'made by a hook',
  'var/lib/dpkg/status': STATUS,
  'var/lib/dpkg/info/bash:amd64.list': '/.\n/bin\n/bin/bash\n/etc\n',
  'var/lib/dpkg/info/dash.list': '/.\n/bin/sh\n',
  'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\nother\n',
  'var/lib/dpkg/info/other.list': '/.\n/bin/sh\n',
};

describe('contents of a root', () => {
  let folder: string;
  let squashfs: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-contents-'));
    squashfs = join(folder, 'root.squashfs');
    const root = join(folder, 'root');
    for (const [path, content] of Object.entries(FILES)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    await symlink('usr/bin', join(root, 'bin'));
    await writeFile(join(root, 'sparse'), '');
    await truncate(join(root, 'sparse'), 3_000_000);
    const pseudo = ['-p', 'dev/null c 666 0 0 1 3', '-p', 'suid f 4755 0 33 printf s', '-p', 'dev d 755 0 0'];
    await promisify(execFile)('mksquashfs', [root, squashfs, '-quiet', '-no-progress', ...pseudo]);
  });

  after(() => rm(folder, { recursive: true }));

  test('names packages that are installed, in order', async () => {
    const { packages } = await readRootContents(squashfs);
    assert.deepEqual(
      [...packages],
      [
        { package: 'bash', version: '5.2-1', architecture: 'amd64', installedBytes: 7000 * 1024 },
        { package: 'coreutils', version: '9.1-1', architecture: 'amd64', installedBytes: 18000 * 1024 },
      ],
    );
  });

  test('names every file, with what it holds and who brought it', async () => {
    const { files } = await readRootContents(squashfs);
    const byPath = new Map([...files].map((file) => [file.path, file]));
    for (const [path, content] of Object.entries(FILES)) {
      const file = byPath.get(path.replace('\n', '\\x0a'));
      assert.ok(file?.type === 'file', path);
      assert.deepEqual([file.bytes, file.sha256], [Buffer.byteLength(content), sha256Of(content)], path);
    }
    const owners = ['usr/bin/bash', 'usr/bin/sh', 'usr/bin/sh.distrib', 'etc/nobodys'];
    assert.deepEqual(
      owners.map((path) => byPath.get(path)?.package),
      ['bash', 'other', 'dash', undefined],
    );
    assert.deepEqual(byPath.get('bin'), { path: 'bin', type: 'link', target: 'usr/bin', package: 'bash' });
    assert.deepEqual(byPath.get('dev/null'), {
      path: 'dev/null',
      type: 'device',
      mode: '0666',
      owner: '0:0',
      device: 'c 1 3',
    });
    const suid = byPath.get('suid');
    assert.ok(suid?.type === 'file');
    assert.deepEqual([suid.mode, suid.owner, suid.sha256], ['4755', '0:33', sha256Of('s')]);
    const sparse = byPath.get('sparse');
    assert.ok(sparse?.type === 'file' && sparse.sha256 === sha256Of(Buffer.alloc(3_000_000)));
    assert.deepEqual([...byPath.keys()], [...byPath.keys()].sort());
  });

  test('are the same bytes each time', async () => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await writeRootContents(squashfs, first);
    await writeRootContents(squashfs, second);
    assert.deepEqual(await readFile(first), await readFile(second));
  });

  test('of a squashfs that is damaged are not made up', async () => {
    const bytes = await readFile(squashfs);
    const damaged = join(folder, 'damaged.squashfs');
    await writeFile(damaged, bytes.fill(0, 96, bytes.length / 2));
    const to = join(folder, 'damaged');
    await assert.rejects(writeRootContents(damaged, to), { code: 'root_contents_unreadable', field: 'root' });
    await assert.rejects(readFile(to), { code: 'ENOENT' });
  });

  test('that are not wanted any more end with the reason', async () => {
    const stopped = new AbortController();
    const reading = readRootContents(squashfs, stopped.signal);
    stopped.abort(new Error('stopped'));
    await assert.rejects(reading, /stopped/);
  });
});

const listing = (...lines: readonly string[]): Buffer =>
  Buffer.concat([Buffer.from(lines.map((line) => `${line}\n`).join('')), listingEnd]);

for (const [name, lines] of Object.entries({
  'a file of more bytes than there are numbers': ['/ D 1 755 0 0', 'a R 1 644 0 0 99999999999999999999 0 0'],
  'a line without a type': ['/ D 1 755 0 0', 'a'],
  'an unknown type': ['/ D 1 755 0 0', 'a X 1 644 0 0'],
}))
  test(`a listing with ${name} is refused`, () => {
    assert.throws(() => parseListing(listing(...lines), 10));
  });

test('a listing of more files than allowed is refused', () => {
  const lines = Array.from({ length: 11 }, (_, index) => `f${index} D 1 755 0 0`);
  assert.equal(parseListing(listing(...lines.slice(1)), 10).length, 10);
  assert.throws(() => parseListing(listing(...lines), 10), /more than 10 files/);
});
