import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { InstallSite, scribble } from './testing/install-site.ts';
import { isThorough } from './thorough.ts';

const RESYNC_MS = 20 * 60_000;
/** Each takes ten minutes and more. */
const skip = !isThorough && 'BOOTSWARM_TEST=all runs it';

/** Steps, in their order: what the edge was told while a machine was installed. */
function stepsOf({ edge }: InstallSite): readonly string[] {
  const steps = edge.reports.flatMap(({ progress }) => progress?.step ?? []);
  return steps.filter((step, index) => step !== steps[index - 1]);
}

describe('a machine is installed', { timeout: 4 * 60 * 60_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-install-'));
  let site: InstallSite;

  before(async () => {
    site = await InstallSite.start(folder);
  });

  after(async () => {
    await site.stop();
    rmSync(folder, { recursive: true });
  });

  test('on a BIOS: ext4, swap, and a volume group of the rest; the disk beside it is not touched', async () => {
    // The disk that is meant is the second: names and order say nothing.
    const machine = site.machine('bios', 'bios', ['OTHER', 'MEANT']);
    const [other, meant] = machine.disks;
    assert.ok(other && meant);
    const there = scribble(other);
    const before = there();
    site.arm({
      disks: [{ serial: 'MEANT' }],
      root: { size: '3GiB' },
      swap: '256MiB',
      lvm: { volumes: [{ name: 'srv', size: '512MiB', fileSystem: 'xfs', mount: '/srv/data' }] },
    });
    await machine.install();
    assert.ok(there().equals(before), 'the other disk is as it was');

    const { edge } = site;
    assert.equal(edge.begun.length, 1);
    assert.match(edge.begun[0]?.plan ?? '', /serial MEANT.*\n.*bios-boot/);
    assert.equal(edge.begun[0]?.ticket, edge.ended[0]?.ticket);
    const steps = stepsOf(site);
    for (const step of ['fetch', 'unpack', 'initramfs'])
      assert.ok(steps.includes(step), `${step} of ${steps}`);
    assert.ok(
      edge.reports.some(({ progress }) => progress?.step === 'fetch' && (progress.doneBytes ?? 0) > 0),
    );
    assert.ok(edge.lines.some((line) => line.includes('boot-loader: grub')));

    // A BIOS boots from the disk alone that it takes for the first.
    const said = await machine.bootDisks([meant, other]);
    for (const line of ['host node1', 'mount / ext4', 'mount /srv/data xfs', 'swap partition'])
      assert.ok(said.includes(line), `${line} of ${said.join('; ')}`);
  });

  test('with UEFI: xfs, by a boot entry, once more after a power cut while it was unpacked', async () => {
    const machine = site.machine('uefi', 'uefi', ['A']);
    site.arm({ disks: [{ serial: 'A' }], root: { fileSystem: 'xfs' } });
    await machine.cutPower('unpacking', () => stepsOf(site).includes('unpack'));
    const console = await machine.install();
    assert.match(console, /boot entries \w{4}; boot order/);
    const said = await machine.bootDisks();
    for (const line of ['mount / xfs', 'mount /boot/efi vfat'])
      assert.ok(said.includes(line), `${line} of ${said.join('; ')}`);
  });

  for (const firmware of ['bios', 'uefi'] as const)
    test(`on a mirror with ${firmware}: it boots with either disk removed`, async () => {
      const machine = site.machine(`mirror-${firmware}`, firmware, ['A', 'B']);
      site.arm({ disks: [{ serial: 'A' }, { serial: 'B' }], root: { size: '2GiB' } });
      await machine.install();
      const whole = await machine.bootDisks(machine.disks, { isMirrorWhole: true, timeoutMs: RESYNC_MS });
      assert.ok(whole.includes('mount / ext4'));
      assert.ok(
        whole.some((line) => /^array md\d+ : active raid1 /.test(line)),
        whole.join('; '),
      );
      for (const disk of machine.disks) {
        const alone = await machine.bootDisks([disk]);
        assert.ok(alone.includes('mount / ext4'), `${disk.serial} alone: ${alone.join('; ')}`);
      }
    });
});
