import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { type BuildProgress, buildImage, verifyBuildFolder } from '@bootswarm/images/build';

const run = promisify(execFile);

const RECIPE = `
name: tiny
version: "1"
suite: bookworm
kernel: linux-image-cloud-amd64
packages: [openssh-server]
exclude: [/usr/share/doc/*, /usr/share/man/*, /usr/share/locale/*]
users:
  - name: ops
    groups: [adm]
    sshKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ops@example]
files:
  - { path: "/etc/it's $(touch /pwned) here", content: "a 'quoted' $HOME", mode: "0640", owner: "root:adm" }
  - { path: /bin/greet, source: greet.sh, mode: "0755" }
  # Links in the new root must not lead out of it: this one is absolute.
  - { path: /var/run/outside/file, content: inside }
services: { enable: [console-getty.service], disable: [not-there.service], mask: [fstrim.timer] }
hooks:
  - { name: greet, script: "greet > /etc/greeting; test ! -e /var/run/outside/file || cp /var/run/outside/file /etc/inside" }
kernelArguments: ["console=ttyS0,115200n8"]
`;

/** A line for a child process that builds until SIGINT, as the command line tool does. */
const BUILD_UNTIL_SIGINT = `
  import { buildImage } from '@bootswarm/images/build';
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const [recipeFile, outFolder, cacheFolder] = process.argv.slice(1);
  const onProgress = (progress) => console.log(JSON.stringify(progress));
  await buildImage({ recipeFile, outFolder, cacheFolder, signal: stop.signal, onProgress }).catch((error) => console.log(error.code));
`;

const { signal } = new AbortController();
const ignoreProgress = (): void => {};

async function mountsBelow(folder: string): Promise<string[]> {
  return (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter((line) => line.includes(folder));
}

async function processesOf(word: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(word) && line.includes('unshare'));
}

suite('a recipe is built on this host', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  let base: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let cacheFolder = '';
  const inBase = (...names: string[]): string => join(base.path, ...names);

  before(async () => {
    base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-lab-'));
    cacheFolder = inBase('cache');
    await writeFile(inBase('tiny.yaml'), RECIPE);
    await writeFile(inBase('greet.sh'), '#!/bin/sh\necho hello from the root\n');
  });
  after(() => base.remove());

  const leavesNothing = async (): Promise<void> => {
    const expected = ['cache', 'greet.sh', 'out', 'tiny.yaml'];
    assert.deepEqual(
      (await readdir(base.path)).filter((name) => !expected.includes(name)),
      [],
    );
    assert.deepEqual(await mountsBelow(base.path), []);
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith('bootswarm-tiny-')),
      [],
    );
    assert.deepEqual(await processesOf(base.path), []);
  };

  test('the image holds what the recipe says', async () => {
    const seen: BuildProgress[] = [];
    const options = { recipeFile: inBase('tiny.yaml'), outFolder: inBase('out'), cacheFolder, signal };
    const manifest = await buildImage({ ...options, onProgress: (progress) => seen.push(progress) });

    assert.deepEqual(manifest.kernelArguments, ['boot=live', 'console=ttyS0,115200n8']);
    assert.deepEqual((await verifyBuildFolder(inBase('out'))).manifest, manifest);
    assert.deepEqual(
      [...new Set(seen.map((progress) => progress.stage))],
      ['packages', 'configure', 'squashfs', 'contents', 'hash'],
    );
    await leavesNothing();

    const squashfs = inBase('out', 'root.squashfs');
    const cat = async (path: string) => (await run('unsquashfs', ['-cat', squashfs, path])).stdout;
    assert.equal(await cat("etc/it's $(touch /pwned) here"), "a 'quoted' $HOME");
    assert.equal(await cat('etc/greeting'), 'hello from the root\n');
    assert.equal(await cat('etc/inside'), 'inside');
    assert.ok(!(await readdir('/run')).includes('outside'));
    assert.equal(await cat('etc/machine-id'), '');
    assert.match(await cat('etc/passwd'), /^ops:x:1000:1000::\/home\/ops:\/bin\/bash$/m);
    assert.match(await cat('etc/shadow'), /^root:\*:/m);
    assert.match(await readFile(inBase('out/packages.lock'), 'utf8'), /^openssh-server=1:9/m);
    assert.match(await cat('etc/shadow'), /^ops:\*:/m);
    assert.match(await cat('etc/group'), /^adm:x:\d+:ops$/m);
    assert.match(await cat('home/ops/.ssh/authorized_keys'), /ops@example$/m);

    const { stdout: list } = await run('unsquashfs', ['-ll', squashfs], { maxBuffer: 64 * 1024 * 1024 });
    assert.ok(/^-rw-r----- root\/adm .* squashfs-root\/etc\/it's \$\(touch \/pwned\) here$/m.test(list));
    assert.ok(/^-rwxr-xr-x root\/root .* squashfs-root\/usr\/bin\/greet$/m.test(list));
    assert.match(list, /getty\.target\.wants\/console-getty\.service -> /);
    assert.match(list, /etc\/systemd\/system\/fstrim\.timer -> \/dev\/null$/m);
    const unwanted =
      /squashfs-root\/(boot\/(vmlinuz|initrd)|\.bootswarm|pwned|etc\/(ssh\/ssh_host_|hostname$|resolv\.conf$)|var\/lib\/apt\/lists\/.)/;
    assert.deepEqual(
      list.split('\n').filter((line) => unwanted.test(line)),
      [],
    );
  });

  test('the kernel is one, and the initramfs can fetch the root', async () => {
    // Documentation/x86/boot.rst: the magic of the setup header.
    await using kernel = await open(inBase('out', 'vmlinuz'));
    const { buffer } = await kernel.read(Buffer.alloc(4), 0, 4, 0x202);
    assert.equal(buffer.toString('latin1'), 'HdrS');
    const initramfs = await readFile(inBase('out', 'initrd.img'));
    assert.equal(initramfs.readUInt32LE(0), 0xfd2fb528, 'zstd');
    const { stdout: names } = await run('sh', [
      '-c',
      'zstd -dc "$1" | bsdtar -tf -',
      'sh',
      inBase('out', 'initrd.img'),
    ]);
    for (const wanted of [
      '9990-mount-http.sh',
      'virtio_net.ko',
      'squashfs.ko',
      'overlay.ko',
      'bin/wget',
      'ipconfig',
    ]) {
      assert.ok(names.includes(wanted), wanted);
    }
  });

  test('a package that does not exist is refused by name', async () => {
    const recipeFile = inBase('tiny.yaml');
    await writeFile(recipeFile, RECIPE.replace('openssh-server', 'no-such-package'));
    const options = { recipeFile, outFolder: inBase('refused'), signal, onProgress: ignoreProgress };
    await assert.rejects(buildImage(options), {
      code: 'package_missing',
      field: 'packages',
      message: 'there is no package no-such-package in bookworm for amd64',
    });
    await leavesNothing();
  });

  test('a hook that fails is named, and its log is kept', async () => {
    const recipeFile = inBase('tiny.yaml');
    await writeFile(recipeFile, RECIPE.replace('greet >', 'echo so far; wave >'));
    const outFolder = inBase('refused');
    const options = { recipeFile, outFolder, cacheFolder, signal, onProgress: ignoreProgress };
    const refused = await buildImage(options).catch((error) => error);
    assert.equal(refused.code, 'step_failed');
    assert.equal(refused.field, 'hooks');
    assert.match(refused.message, /^hook greet failed.*wave: not found/s);
    const log = /\/\S+\.log/.exec(refused.remedy)?.[0] ?? '';
    assert.match(await readFile(log, 'utf8'), /bootswarm: hook greet/);
    await rm(log);
    await leavesNothing();
  });

  for (const moment of ['installing essential', 'hook sleep']) {
    test(`SIGINT while ${moment} leaves nothing`, async () => {
      const recipeFile = inBase('tiny.yaml');
      const sleeping =
        '  - { name: sleep, script: "trap : TERM; sleep 1000 & wait; sleep 1000" }\nkernelArguments:';
      await writeFile(recipeFile, RECIPE.replace('kernelArguments:', sleeping));
      const script = ['--input-type=module', '--eval', BUILD_UNTIL_SIGINT, recipeFile, inBase('stopped')];
      // Packages that are in the cache are not installed.
      if (moment === 'hook sleep') script.push(cacheFolder);
      const child = spawn(process.execPath, script, {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (!output.includes(moment) && (output + text).includes(moment)) child.kill('SIGINT');
        output += text;
      });
      await once(child, 'close');
      assert.match(output, /build_stopped\n$/);
      await leavesNothing();
    });
  }
});
