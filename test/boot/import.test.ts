import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ImportResult } from '@bootswarm/images/build';
import { Lab, type Machine, type Segment } from '../lab/index.ts';
import { type LiveSystems, makeLiveSystems } from './fixtures/live-systems.ts';
import { mediaOf, packIso, writeMedium } from './fixtures/media.ts';
import { Site } from './site.ts';
import { isThorough } from './thorough.ts';

const LOGIN_MS = 600_000;
const CONSOLE = 'console=ttyS0,115200n8';

describe("machines boot what was imported from distributions' media", { timeout: 20 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let segment: Segment;
  let systems: LiveSystems;
  let machines = 0;

  before(async () => {
    lab = await Lab.create('import');
    systems = await makeLiveSystems(lab.folder);
    segment = await lab.addSegment({ relay: 'none' });
    site = await Site.start(lab);
    await site.addEdge('edge1', segment.coreInterface ?? '');
    await site.addSegment(segment, 'edge1');
  });

  after(() => lab[Symbol.asyncDispose]());

  type MediumName = keyof ReturnType<typeof mediaOf>;

  /** Packs the ISO, imports and publishes it, and powers on a machine that is to boot it. */
  async function bootFrom(
    medium: MediumName,
    name: string,
    ...options: string[]
  ): Promise<{ machine: Machine; imported: ImportResult }> {
    const folder = `${lab.folder}/${name}`;
    await writeMedium(folder, mediaOf(systems)[medium]);
    await packIso(folder, `${folder}.iso`);
    const out = `${folder}-release`;
    const imported = (await site.bootswarm(
      ...['image', 'import', `${folder}.iso`, '--name', name, '--version', '1', '--out', out],
      ...['--kernel-argument', CONSOLE, '--kernel-argument', 'no_timer_check', ...options],
    )) as ImportResult;
    const release = await site.publish(out);
    machines += 1;
    const mac = `52:54:00:b0:09:0${machines}`;
    await site.bootswarm('machine', 'boot', mac, 'live', release);
    await site.releaseReady(release);
    return { imported, machine: await segment.startMachine({ name, firmware: 'bios', mac }) };
  }

  async function untilLogin({ machine }: { machine: Machine }): Promise<void> {
    const { seconds } = await machine.waitFor(/login: $/, LOGIN_MS);
    console.log(`${machine.name}: login prompt ${Math.round(seconds)} s after power-on`);
    await machine.powerOff();
  }

  test("Ubuntu's medium in casper's way, and Fedora's of today in dracut's", async () => {
    const [ubuntu, fedora] = [await bootFrom('ubuntu', 'ubuntu'), await bootFrom('fedora41', 'fedora41')];
    assert.equal(ubuntu.imported.manifest.rootFormat, 'iso');
    assert.equal(fedora.imported.manifest.rootFormat, undefined);
    await Promise.all([untilLogin(ubuntu), untilLogin(fedora)]);
  });

  const older = "Debian's medium in live-boot's way, and CentOS's with ext3fs.img";
  test(older, { skip: !isThorough && 'BOOTSWARM_TEST=all runs it' }, async () => {
    const [debian, centos] = [await bootFrom('debian', 'debian'), await bootFrom('centos', 'centos')];
    assert.deepEqual(debian.imported.manifest.kernelArguments, [
      'boot=live',
      'quiet',
      CONSOLE,
      'no_timer_check',
    ]);
    assert.equal(centos.imported.manifest.rootFormat, 'nested');
    await Promise.all([untilLogin(debian), untilLogin(centos)]);
  });

  const classic = 'the classic pair of each: kernel, and an initramfs with the root inside';
  test(classic, { skip: !isThorough && 'BOOTSWARM_TEST=all runs it' }, async () => {
    const pairs = [
      await bootFrom('debian', 'debian-pair', '--classic'),
      await bootFrom('fedora', 'fedora-pair', '--classic'),
    ];
    const fromMenu = pairs[1]?.imported.menuArguments;
    assert.deepEqual([fromMenu?.menu, fromMenu?.taken], ['EFI/BOOT/grub.cfg', ['rd.luks=0', 'quiet']]);
    for (const { imported } of pairs)
      assert.deepEqual(
        imported.manifest.artefacts.map(({ role }) => role),
        ['kernel', 'initramfs'],
      );
    await Promise.all(pairs.map(untilLogin));
  });
});
