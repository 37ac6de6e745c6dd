import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { ImportResult } from '@bootswarm/images/build';
import { makeCentosLive } from './fixtures/centos-live.ts';
import { program } from './program.ts';
import { InstallSite } from './testing/install-site.ts';
import { isThorough } from './thorough.ts';

/** Ten minutes, of which dracut has most. */
const skip = !isThorough && 'BOOTSWARM_TEST=all runs it';

describe('what was imported is installed', { timeout: 90 * 60_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-install-'));
  let imported: ImportResult;
  let site: InstallSite;

  before(async () => {
    const iso = await makeCentosLive(folder);
    const out = join(folder, 'centos');
    const [node, ...args] = program(
      ...['controller/cli/main.ts', '--json', 'image', 'import', iso],
      ...['--name', 'centos', '--version', '7', '--out', out],
    );
    const { stdout } = await promisify(execFile)(node, args, { maxBuffer: 64 * 2 ** 20 });
    imported = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as ImportResult;
    site = await InstallSite.start(folder, out);
  });

  after(async () => {
    await site?.stop();
    rmSync(folder, { recursive: true });
  });

  test("CentOS's live layout: the system inside ext3fs.img boots from a disk to its login", async () => {
    assert.equal(imported.manifest.rootFormat, 'nested');
    const machine = site.machine('centos', 'bios', ['A'], 1536);
    site.arm({ disks: [{ serial: 'A' }], root: { size: '3GiB' }, swap: '256MiB' });
    const console = await machine.install();
    assert.match(console, /initramfs: 6\./);
    const said = await machine.bootDisks(machine.disks, { isAtLogin: true });
    for (const line of ['host node1', 'mount / ext4', 'swap partition'])
      assert.ok(said.includes(line), `${line} of ${said.join('; ')}`);
  });
});
