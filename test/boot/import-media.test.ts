/** Media as distributions lay them, in ISOs with a few bytes of everything: imported, not booted. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import {
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ImportOptions, type ImportResult, importImage } from '@bootswarm/images/build';
import { digestOf, TreeIndex } from '@bootswarm/images/format';
import { packIso } from './fixtures/media.ts';

const run = promisify(execFile);

/** Files that an initramfs of each style is known by, and fetches its root with. */
const INITRAMFS_FILES = {
  debian: ['scripts/live', 'lib/live/boot/9990-mount-http.sh', 'bin/wget'],
  fedora: ['usr/sbin/dmsquash-live-root', 'usr/sbin/livenetroot', 'usr/bin/curl'],
  ubuntu: ['scripts/casper', 'bin/wget'],
  installer: ['init'],
};
type Family = keyof typeof INITRAMFS_FILES;

suite('media are imported from ISOs', () => {
  let base: Awaited<ReturnType<typeof mkdtempDisposable>>;
  const at = (...names: string[]): string => join(base.path, ...names);
  const kernel = Buffer.alloc(1024);
  let count = 0;

  before(async () => {
    base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
    kernel.write('HdrS', 0x202, 'latin1');
    kernel.writeUInt16LE(0x20f, 0x206);
    kernel.writeUInt16LE(1, 0x236);
    await squash('plain', { 'etc/hostname': 'x', 'proc/here': '' });
    await squash('rootfs', { 'LiveOS/rootfs.img': 'ext4' });
    await squash('ext3fs', { 'LiveOS/ext3fs.img': 'ext3' });
    await squash('other', { 'pictures/cat': 'meow' });
    for (const [family, names] of Object.entries(INITRAMFS_FILES)) {
      await lay(at(`${family}-initramfs`), Object.fromEntries(names.map((name) => [name, 'x'])));
      const pack = 'cd "$1" && bsdtar --format=newc -cf - * | gzip > "$2"';
      await run('sh', ['-c', pack, 'sh', at(`${family}-initramfs`), at(`${family}.img`)]);
    }
  });
  after(() => base.remove());

  async function squash(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    await lay(at(name), files);
    await run('mksquashfs', [at(name), at(`${name}.squashfs`), '-noappend', '-quiet', '-no-progress']);
  }

  async function lay(folder: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  }

  /** The folder of a medium; `change` makes it worse before it is packed. */
  async function medium(paths: Readonly<Record<string, Buffer | string>>): Promise<string> {
    count += 1;
    const folder = at(`medium${count}`);
    await lay(folder, paths);
    return folder;
  }

  async function isoOf(folder: string): Promise<string> {
    await packIso(folder, `${folder}.iso`);
    return `${folder}.iso`;
  }

  function importing(source: string, more: Partial<ImportOptions> = {}): Promise<ImportResult> {
    const release = { name: 'x', version: '1', architecture: 'amd64' } as const;
    return importImage({
      ...release,
      source,
      kernelArguments: [],
      outFolder: at('out', 'x'),
      replace: true,
      ...more,
    });
  }

  async function refused(source: string, expected: object, more: Partial<ImportOptions> = {}): Promise<void> {
    await rm(at('out'), { recursive: true, force: true });
    await assert.rejects(importing(source, more), expected);
    assert.deepEqual(await readdir(at('out')), []);
  }

  const initramfs = (family: Family): Promise<Buffer> => readFile(at(`${family}.img`));
  const squashfs = (name: string): Promise<Buffer> => readFile(at(`${name}.squashfs`));
  const debianLive = async () => ({
    'live/vmlinuz': kernel,
    'live/initrd.img': await initramfs('debian'),
    'live/filesystem.squashfs': await squashfs('plain'),
  });
  const summary = ({ manifest }: ImportResult): string =>
    [manifest.bootStyle, manifest.rootFormat ?? '', ...manifest.artefacts.map(({ name }) => name)].join(' ');

  test('Debian live', async () => {
    assert.equal(
      summary(await importing(await isoOf(await medium(await debianLive())))),
      'live-boot  vmlinuz initrd.img root.squashfs root.chunks contents.json.zst',
    );
    assert.deepEqual(await readFile(at('out/x/root.squashfs')), await squashfs('plain'));
    assert.deepEqual(await readFile(at('out/x/vmlinuz')), kernel);
  });

  for (const [name, root, format] of [
    ['a root in rootfs.img', 'rootfs', 'nested'],
    ['a root in the older ext3fs.img', 'ext3fs', 'nested'],
    ['the root itself', 'plain', ''],
  ] as const) {
    test(`Fedora and CentOS live, with ${name}`, async () => {
      const folder = await medium({
        'isolinux/vmlinuz0': kernel,
        'isolinux/initrd0.img': await initramfs('fedora'),
        'LiveOS/squashfs.img': await squashfs(root),
      });
      assert.equal(
        summary(await importing(await isoOf(folder))),
        `dracut-live ${format} vmlinuz initrd.img root.squashfs root.chunks${format === '' ? ' contents.json.zst' : ''}`,
      );
    });
  }

  test('Ubuntu: the ISO is the root; of a folder, a small one is packed', async () => {
    const folder = await medium({
      'casper/vmlinuz': kernel,
      'casper/initrd': await initramfs('ubuntu'),
      'casper/minimal.squashfs': await squashfs('plain'),
      'casper/minimal.standard.squashfs': await squashfs('plain'),
      'casper/install-sources.yaml': '- id: minimal\n',
      '.disk/info': 'Ubuntu',
      'pool/main/large.deb': 'x',
    });
    const iso = await isoOf(folder);
    assert.equal(summary(await importing(iso)), 'casper iso vmlinuz initrd.img root.iso root.chunks');
    assert.deepEqual(await readFile(at('out/x/root.iso')), await readFile(iso));
    const first = await importing(folder);
    const listed = await run('bsdtar', ['-tf', at('out/x/root.iso')]);
    assert.match(listed.stdout, /^casper\/minimal\.squashfs$/m);
    assert.match(listed.stdout, /^\.disk\/info$/m);
    assert.doesNotMatch(listed.stdout, /large|vmlinuz|initrd/);
    // Dates in an ISO count in seconds.
    await sleep(1_100);
    const again = await importing(folder);
    assert.deepEqual(
      again.manifest.artefacts,
      first.manifest.artefacts,
      'the same folder gives the same ISO',
    );
  });

  test('installers: the ISO is the tree, and its index leads to each file', async () => {
    const folder = await medium({
      '.treeinfo': '[general]\n',
      'BaseOS/repodata/repomd.xml': '<repomd/>',
      'images/install.img': await squashfs('rootfs'),
      'images/pxeboot/vmlinuz': kernel,
      'images/pxeboot/initrd.img': await initramfs('installer'),
    });
    await symlink('BaseOS', join(folder, 'current'));
    const result = await importing(await isoOf(folder));
    assert.equal(summary(result), 'installer  vmlinuz initrd.img tree.iso tree-index.json');
    const index = TreeIndex.parse(JSON.parse(await readFile(at('out/x/tree-index.json'), 'utf8')));
    const file = index.files.find(({ path }) => path === 'BaseOS/repodata/repomd.xml');
    const tree = await readFile(at('out/x/tree.iso'));
    assert.equal(tree.toString('utf8', file?.offset, (file?.offset ?? 0) + (file?.length ?? 0)), '<repomd/>');
    assert.deepEqual(index.links, [{ path: 'current', target: 'BaseOS' }]);
  });

  test('an ISO that was not fetched to its end', async () => {
    const iso = await isoOf(await medium(await debianLive()));
    const { length } = await readFile(iso);
    const folder = await medium({ ...(await debianLive()), 'live/large': Buffer.alloc(4 * 1024 * 1024) });
    const large = await isoOf(folder);
    await truncate(large, 1024 * 1024);
    await refused(large, {
      code: 'iso_truncated',
      message: /is truncated: live\/large ends at byte \d+, and the file has 1048576/,
    });
    await truncate(iso, Math.min(length, 20_000));
    await refused(iso, { code: 'iso_not_one' });
    await writeFile(iso, 'no ISO');
    await refused(iso, { code: 'iso_not_one' });
  });

  test('a root that was not fetched to its end, or is none', async () => {
    const files = await debianLive();
    const cut = files['live/filesystem.squashfs'].subarray(0, 200);
    await refused(await isoOf(await medium({ ...files, 'live/filesystem.squashfs': cut })), {
      code: 'root_not_squashfs',
      message: /truncated/,
    });
    const other = { ...files, 'live/filesystem.squashfs': await squashfs('other') };
    await refused(await isoOf(await medium(other)), {
      code: 'root_unclear',
      message: /at its top: pictures/,
    });
    const lying = Buffer.concat([cut, Buffer.alloc(8192, 0xff)]);
    await refused(await isoOf(await medium({ ...files, 'live/filesystem.squashfs': lying })), {
      code: 'tool_failed',
      message: /unsquashfs/,
    });
  });

  test('a hostile ISO: links that lead out, devices, names that climb', async () => {
    const { 'live/vmlinuz': _, ...rest } = await debianLive();
    const leading = await medium(rest);
    await symlink('../../../../etc/passwd', join(leading, 'live/vmlinuz'));
    await refused(await isoOf(leading), {
      code: 'import_link_outside',
      message: /live\/vmlinuz is a symbolic link/,
    });
    const device = await medium(rest);
    await run('mknod', [join(device, 'live/vmlinuz'), 'c', '1', '5']).catch(() =>
      rm(device, { recursive: true }),
    );
    await mkdir(device, { recursive: true });
    await refused(await isoOf(device), { code: /import_missing|import_unknown/ });
    // Rock Ridge's name of a file that climbs out, put where an honest one was.
    const climbing = await isoOf(await medium({ ...(await debianLive()), 'live/aa-aaaaaaa': 'x' }));
    const bytes = await readFile(climbing, 'latin1');
    assert.ok(bytes.includes('aa-aaaaaaa'));
    await writeFile(climbing, bytes.replaceAll('aa-aaaaaaa', '../../pwnd'), 'latin1');
    await importing(climbing);
    assert.ok(!(await readdir(base.path)).includes('pwnd'));
    assert.deepEqual((await readdir(at('out/x'))).sort(), [
      'contents.json.zst',
      'initrd.img',
      'manifest.json',
      'root.chunks',
      'root.squashfs',
      'vmlinuz',
    ]);
  });

  test('an initramfs that cannot be read, or cannot fetch', async () => {
    const files = await debianLive();
    const cut = files['live/initrd.img'].subarray(0, 60);
    await refused(await medium({ ...files, 'live/initrd.img': cut }), { code: 'initramfs_unreadable' });
    await refused(await medium({ ...files, 'live/initrd.img': await initramfs('installer') }), {
      code: 'initramfs_cannot',
    });
  });

  test('from an address, with its checksum', async () => {
    const iso = await isoOf(await medium(await debianLive()));
    const server = createServer((_, response) => void createReadStream(iso).pipe(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian.iso`;
      const { sha256 } = await digestOf(createReadStream(iso));
      assert.match(summary(await importing(url, { sha256 })), /^live-boot/);
      assert.deepEqual(await readdir(at('out')), ['x'], 'the download is gone');
      await refused(
        url,
        { code: 'checksum_differs', message: new RegExp(`is ${sha256}, not 0000`) },
        { sha256: '0'.repeat(64) },
      );
      await refused(url, { code: 'download_too_large' }, { mostBytes: 1000 });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
