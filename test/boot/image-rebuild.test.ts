import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BuildCache, type BuildOptions, type BuildProgress, buildImage } from '@bootswarm/images/build';
import { randomFrom } from '../lab/index.ts';
import { isThorough } from './thorough.ts';

const run = promisify(execFile);

const RECIPE = `
name: tiny
version: "1"
suite: bookworm
kernel: linux-image-cloud-amd64
exclude: [/usr/share/doc/*, /usr/share/man/*, /usr/share/locale/*]
users: [{ name: ops, groups: [adm] }]
files: [{ path: /etc/motd, content: "hello\\n" }]
services: { mask: [fstrim.timer] }
hooks: [{ name: note, script: "date > /run/ignored; touch /etc/noted" }]
`;

/** A line for a child process that builds until SIGINT, as the command does, and says how it ended. */
const BUILD_UNTIL_SIGINT = `
  import { buildImage } from '@bootswarm/images/build';
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const { signal } = stop;
  console.log('listening');
  const options = JSON.parse(process.argv[1]);
  const ended = await buildImage({ ...options, signal, onProgress: () => {} }).catch((error) => error);
  console.log(ended.code ?? 'built', ended.message ?? '', ended.stack ?? '');
`;

suite('a recipe is built again', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  let base: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let first: Readonly<Record<string, string>>;
  let warmMs = 0;
  const inBase = (...names: string[]): string => join(base.path, ...names);

  before(async () => {
    base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-lab-'));
  });
  after(() => base.remove());

  async function build(
    folder: string,
    recipe: string,
    more: Partial<BuildOptions> = { cacheFolder: inBase('cache') },
  ): Promise<Readonly<Record<string, string>>> {
    const recipeFile = inBase(folder, 'tiny.yaml');
    await mkdir(dirname(recipeFile), { recursive: true });
    await writeFile(recipeFile, recipe);
    const { signal } = new AbortController();
    const outFolder = inBase(folder, 'out');
    const manifest = await buildImage({
      recipeFile,
      outFolder,
      replace: true,
      signal,
      onProgress: () => {},
      ...more,
    });
    return Object.fromEntries(manifest.artefacts.map(({ role, sha256 }) => [role, sha256]));
  }

  const toolsRunning = async (): Promise<string[]> => {
    const { stdout } = await run('ps', ['-eo', 'args']);
    return stdout.split('\n').filter((line) => line.includes(base.path) && line.includes('unshare'));
  };

  const leavesNothing = async (folder: string): Promise<void> => {
    const names = (await readdir(inBase(folder))).filter((name) => name !== 'tiny.yaml' && name !== 'out');
    assert.deepEqual(names, []);
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
    assert.deepEqual(
      mounts.filter((line) => line.includes(base.path)),
      [],
    );
    assert.deepEqual(await toolsRunning(), []);
    assert.equal((await run('losetup', ['--list', '--noheadings'])).stdout.includes(base.path), false);
  };

  test('later and elsewhere: every byte is the same', async () => {
    first = await build('one', RECIPE);
    // Installing the packages a second time takes minutes.
    const more = isThorough ? {} : { cacheFolder: await onlyPackages() };
    assert.deepEqual(await build('other/place', RECIPE, more), first);
  });

  /** A cache that knows the installed packages, and nothing that was made of them. */
  async function onlyPackages(): Promise<string> {
    const folder = inBase('packages-alone');
    await mkdir(folder);
    const names = (await readdir(inBase('cache'))).filter((name) => name.startsWith('base-'));
    for (const name of names) await run('cp', ['-a', inBase('cache', name), folder]);
    return folder;
  }

  test('after an edit of a file, a user and a hook: no package is installed', async () => {
    const edited = RECIPE.replace('hello', 'goodbye').replace('adm]', 'adm, audio]').replace('noted', 'seen');
    // Once they are: where the archive has changed since the first build, this one looks at it again.
    let isInstalling = true;
    for (let tries = 0; tries < 2 && isInstalling; tries++) {
      const told: string[] = [];
      const startedAt = performance.now();
      const onProgress = ({ message }: BuildProgress): void => void told.push(message ?? '');
      const { kernel, initramfs, root } = await build('one', edited, {
        cacheFolder: inBase('cache'),
        onProgress,
      });
      warmMs = performance.now() - startedAt;
      isInstalling = !told.includes('taking the packages from the cache');
      assert.deepEqual([kernel, initramfs], [first['kernel'], first['initramfs']]);
      assert.notEqual(root, first['root']);
    }
    assert.equal(isInstalling, false);
    assert.match(
      (await run('unsquashfs', ['-cat', inBase('one/out/root.squashfs'), 'etc/motd'])).stdout,
      /goodbye/,
    );
  });

  test('with the edit taken back: every byte is the same as without the cache', async () => {
    assert.deepEqual(await build('one', RECIPE), first);
    await leavesNothing('one');
  });

  test('an edit that the initramfs takes in makes another one', async () => {
    const modules = '{ path: /etc/modprobe.d/x.conf, content: "install floppy /bin/true" }, ';
    const other = await build('one', RECIPE.replace('files: [', `files: [${modules}`));
    assert.equal(other['kernel'], first['kernel']);
    assert.notEqual(other['initramfs'], first['initramfs']);
  });

  test('SIGINT or SIGKILL at any moment leaves nothing, and nothing bad in the cache', async () => {
    const seed = Number(process.env['BOOTSWARM_TEST_SEED'] ?? 7);
    const random = randomFrom(seed);
    const options = JSON.stringify({
      recipeFile: inBase('one/tiny.yaml'),
      outFolder: inBase('one/out'),
      replace: true,
      cacheFolder: inBase('cache'),
    });
    await writeFile(inBase('one/tiny.yaml'), RECIPE);
    const signals = ['SIGINT', 'SIGKILL', 'SIGINT', 'SIGINT', 'SIGKILL'] as const;
    for (const signal of isThorough ? signals : signals.slice(0, 2)) {
      // What comes last is made anew each time, so that it is being stored when the end comes.
      for (const name of await readdir(inBase('cache')))
        if (/^(usr|initramfs)-/.test(name)) await rm(inBase('cache', name), { recursive: true });
      const argv = ['--input-type=module', '--eval', BUILD_UNTIL_SIGINT, options];
      const child = spawn(process.execPath, argv, {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const closed = once(child, 'close');
      // Before that, nobody would hear the signal.
      while (!output.includes('listening') && child.exitCode === null) await sleep(20);
      const delayMs = Math.round(random() * warmMs * 2);
      await Promise.race([sleep(delayMs, undefined, { ref: false }), closed]);
      child.kill(signal);
      await closed;
      if (signal === 'SIGINT') {
        assert.match(output, /^listening\n(build_stopped|built)/, `seed ${seed}, after ${delayMs} ms`);
        await leavesNothing('one');
      }
      // The kernel ends them with their builder; the last of them takes its time to exit.
      for (const until = Date.now() + 10_000; (await toolsRunning()).length > 0; await sleep(50))
        assert.ok(Date.now() < until, 'a killed build goes on');
      for (const name of await readdir(inBase('one')))
        if (name.startsWith('.')) await rm(inBase('one', name), { recursive: true });
    }
    assert.deepEqual(await build('one', RECIPE), first, `seed ${seed}`);
    const names = await readdir(inBase('cache'));
    assert.deepEqual(
      names.filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('a full disk is told, and nothing is left', async () => {
    await mkdir(inBase('small'));
    await writeFile(inBase('tiny.yaml'), RECIPE);
    const options = JSON.stringify({ recipeFile: inBase('tiny.yaml'), outFolder: inBase('small/out') });
    const script =
      'mount -t tmpfs -o size=150M small "$1"; "$2" --input-type=module --eval "$3" "$4"; ls -A "$1"';
    const argv = [script, 'sh', inBase('small'), process.execPath, BUILD_UNTIL_SIGINT, options];
    const { stdout } = await run('unshare', ['--mount', 'sh', '-euc', ...argv], { cwd: import.meta.dirname });
    assert.match(stdout, /^listening\ndisk_full the disk of \S+ is full/);
    // Below it would be what lies in the folder.
    assert.match(stdout.trimEnd().split('\n').at(-1) ?? '', /^ {4}at /, stdout);
  });

  test('a mirror that is not there is told at once', async () => {
    const mirror = 'http://127.0.0.1:9/debian';
    const refused = await build('one', RECIPE, { mirror, cacheFolder: inBase('cache') }).catch(
      (error) => error,
    );
    assert.equal(refused.code, 'mirror_unreachable');
    assert.match(refused.message, /127\.0\.0\.1/);
    await leavesNothing('one');
  });

  const locked = 'the very versions of a lock are taken, and one that the archive does not have is named';
  test(locked, { skip: !isThorough && 'BOOTSWARM_TEST=all runs it' }, async () => {
    const lock = inBase('wrong.lock');
    const text = await readFile(inBase('one/out/packages.lock'), 'utf8');
    await writeFile(lock, text.replace(/^zstd=.*$/m, 'zstd=0.0.1-1'));
    const refused = await build('one', RECIPE, { lock, cacheFolder: inBase('cache') }).catch(
      (error) => error,
    );
    assert.equal(refused.code, 'lock_unmet');
    assert.match(refused.message, /says:\nzstd=0\.0\.1-1 \(there is [0-9.+a-z-]+\)$/);
    await leavesNothing('one');
  });

  test('the cache is listed, and emptied', async () => {
    const cache = new BuildCache(inBase('cache'));
    const kinds = (await cache.list()).map(({ kind }) => kind);
    for (const kind of ['base', 'usr', 'initramfs', 'packages'] as const)
      assert.ok(kinds.includes(kind), kind);
    await cache.clean();
    assert.deepEqual(await readdir(inBase('cache')), []);
  });
});
