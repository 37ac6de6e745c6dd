import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { pathOf, program } from './program.ts';
import { FaultsSite } from './testing/faults-site.ts';
import { InstallSite } from './testing/install-site.ts';
import { isThorough } from './thorough.ts';

/** A quarter of an hour together. */
const skip = !isThorough && 'BOOTSWARM_TEST=all runs it';
const BUILD_MS = 20 * 60_000;

describe('a machine is started by something else', { timeout: 2 * 60 * 60_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-variants-'));
  let site: FaultsSite;

  before(async () => {
    site = await FaultsSite.start(folder);
  });

  after(async () => {
    await site?.stop();
    rmSync(folder, { recursive: true });
  });

  for (const table of ['mbr', 'gpt'] as const)
    test(`by extlinux, on a BIOS and a disk with ${table}`, async () => {
      const disk = site.disk(`EXT-${table}`);
      site.arm({ disks: [{ serial: disk.serial }], table, bootLoader: 'extlinux' });
      assert.equal(await site.install([disk]), 'done');
      assert.equal(await site.boot(disk.file), 'whole');
    });

  test('by UEFI with Secure Boot', async () => {
    const uefi = await site.withFirmware('uefi');
    const disk = uefi.disk('SECURE');
    uefi.arm({ disks: [{ serial: 'SECURE' }] });
    assert.equal(await uefi.install([disk]), 'done');
    assert.equal(await uefi.boot(disk.file, 'uefi-secure'), 'whole');
  });
});

describe('the image of a disk is installed', { timeout: 2 * 60 * 60_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-variants-'));
  let site: InstallSite;

  before(async () => {
    const [built, imported] = [join(folder, 'built'), join(folder, 'imported')];
    const recipe = pathOf('test/boot/fixtures/installable.yaml');
    await bootswarm('build', recipe, '--disk', '--out', built);
    const release = ['--name', 'cloud', '--version', '1', '--out', imported];
    await bootswarm('import', join(built, 'disk.raw.zst'), ...release);
    site = await InstallSite.start(folder, imported);
  });

  after(async () => {
    await site?.stop();
    rmSync(folder, { recursive: true });
  });

  for (const firmware of ['bios', 'uefi'] as const)
    test(`with ${firmware}: as the system of its machine`, async () => {
      const machine = site.machine(`image-${firmware}`, firmware, ['OTHER', 'MEANT']);
      site.arm({ disks: [{ serial: 'MEANT' }] });
      const log = await machine.install();
      assert.equal(/boot entries [0-9A-F]{4};/.test(log), firmware === 'uefi');
      const said = await machine.bootDisks(machine.disks.slice(1));
      for (const line of ['host node1', 'mount / ext4'])
        assert.ok(said.includes(line), `${line} of ${said.join('; ')}`);
    });

  test('over the same one, and again after the power was cut: nothing of the old one can be started', async () => {
    const machine = site.machine('image-again', 'uefi', ['AGAIN']);
    const [disk] = machine.disks;
    const partitions = async (): Promise<number> => {
      const { stdout } = await promisify(execFile)('sfdisk', ['--json', disk?.file ?? '']);
      return (JSON.parse(stdout) as SfdiskTable).partitiontable.partitions?.length ?? 0;
    };
    site.arm({ disks: [{ serial: 'AGAIN' }] });
    await machine.install();
    assert.ok((await partitions()) > 0);

    site.arm({ disks: [{ serial: 'AGAIN' }] });
    site.edge.reports.length = 0;
    site.edge.ended.length = 0;
    await machine.cutPower('writing it', () =>
      site.edge.reports.some(
        ({ progress }) => progress?.step === 'unpack' && (progress.doneBytes ?? 0) > 20 * 2 ** 20,
      ),
    );
    assert.equal(await partitions(), 0);
    await machine.install();
    const said = await machine.bootDisks();
    assert.ok(said.includes('host node1'), said.join('; '));
  });
});

interface SfdiskTable {
  readonly partitiontable: { readonly partitions?: readonly object[] };
}

async function bootswarm(...args: readonly string[]): Promise<void> {
  const [node, ...rest] = program('controller/cli/main.ts', '--json', 'image', ...args);
  await promisify(execFile)(node, rest, { maxBuffer: 64 * 2 ** 20, timeout: BUILD_MS });
}
