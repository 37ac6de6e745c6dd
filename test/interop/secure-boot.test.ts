import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { debianKernel, Site, smallInitramfs, writeBuildFolder } from '../boot/index.ts';
import { Lab, type Segment } from '../lab/index.ts';

const BOOT_MS = 240_000;
const CONSOLE = ['console=ttyS0,115200n8', 'earlyprintk=ttyS0,115200n8'];

describe('machines with Secure Boot, and Microsoft’s keys', { timeout: 10 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let honest: Segment;
  let tampered: Segment;

  before(async () => {
    lab = await Lab.create('secure-boot');
    honest = await lab.addSegment({ relay: 'dhcrelay' });
    tampered = await lab.addSegment({ relay: 'dnsmasq' });
    site = await Site.start(lab);
    await site.addEdge('edge1', lab.core.bridge);
    const kernel = await debianKernel(lab);
    await serve(honest, 'signed', kernel);
    const changed = kernel.slice();
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] ?? 0) ^ 1;
    await serve(tampered, 'changed', changed);
  });

  after(() => lab[Symbol.asyncDispose]());

  test('run a kernel that Debian signed, and refuse one of which a single bit was changed', async () => {
    const [good, bad] = await Promise.all([
      honest.startMachine({ name: 'honest', firmware: 'uefi-secure' }),
      tampered.startMachine({ name: 'tampered', firmware: 'uefi-secure' }),
    ]);
    await Promise.all([
      good.waitFor(/secureboot: Secure boot enabled/, BOOT_MS),
      bad.waitFor(/bad shim signature/, BOOT_MS),
    ]);
    assert.match(good.console.text, /Linux version \d/);
    assert.doesNotMatch(bad.console.text, /Linux version \d/);
    await Promise.all([good.powerOff(), bad.powerOff()]);
  });

  /** Publishes a release with this kernel, and has every machine of the segment boot it by way of shim. */
  async function serve(segment: Segment, version: string, kernel: Uint8Array): Promise<void> {
    const folder = `${lab.folder}/${version}`;
    const files = { kernel, initramfs: smallInitramfs(), root: new Uint8Array([1]) };
    await writeBuildFolder(folder, files, CONSOLE, version);
    const release = await site.publish(folder);
    const { number, subnet, gateway } = segment;
    const document = {
      name: `seg${number}`,
      subnet: subnet.cidr,
      router: gateway,
      pools: [{ first: subnet.address(100), last: subnet.address(199) }],
      edges: ['edge1'],
      firmware: { 'uefi-x64': 'shimx64.efi' },
      defaultIntent: { kind: 'live', release },
    };
    const file = `${lab.folder}/${document.name}.json`;
    writeFileSync(file, JSON.stringify(document));
    await site.bootswarm('segment', 'apply', file);
    await site.releaseReady(release);
  }
});
