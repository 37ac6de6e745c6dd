import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathOf, Site } from '../boot/index.ts';
import { applyPlayedProfile, Fleet, publishPlayed, publishPlayedMini, specOf } from '../fleet/index.ts';
import { type Host, Lab, type Segment } from '../lab/index.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const UP_MS = 90_000;
const CLOCK_SET = /"seconds":(-?\d+).*the clock was set/;

describe('edges and machines, as time passes and clocks are set', {
  timeout: 600_000,
  skip: process.getuid?.() !== 0 && 'needs root',
}, () => {
  const clockFile = join(tmpdir(), `bootswarm-clock-${process.pid}`);
  const setClock = (aheadMs: number): void => writeFileSync(clockFile, String(aheadMs));
  let lab: Lab;
  let site: Site;
  let machines: Segment;
  let clients: Segment;
  let release = '';

  before(async () => {
    setClock(0);
    // Of all that is started from here on, but not of this process.
    process.env['BOOTSWARM_TEST_CLOCK'] = clockFile;
    process.env['NODE_OPTIONS'] = `--import=${pathOf('test/faults/shifted-clock.ts')}`;
    lab = await Lab.create('clock');
    machines = await lab.addSegment({ relay: 'dhcrelay' });
    clients = await lab.addSegment({ relay: 'dhcrelay' });
    site = await Site.start(lab);
    await site.addEdge('edge1', lab.core.bridge);
    await site.addSegment(machines, 'edge1');
    const { number, subnet, gateway } = clients;
    const pool = `${subnet.address(100)}-${subnet.address(101)}`;
    const where = ['--subnet', subnet.cidr, '--router', gateway, '--pool', pool, '--edge', 'edge1'];
    await site.bootswarm('segment', 'add', `seg${number}`, ...where);
    const mini = await publishPlayedMini(site);
    release = await publishPlayed(site, 'played', '1');
    await applyPlayedProfile(site, 'web', release);
    await site.releaseReady(mini);
  });

  after(async () => {
    await lab?.[Symbol.asyncDispose]();
    rmSync(clockFile, { force: true });
  });

  test('a controller that was away for 24 hours: what was armed is installed, and what was to boot live does', async () => {
    const [armed, live] = [specOf(1), specOf(2)];
    await site.bootswarm('machine', 'boot', armed.mac, 'install', 'web');
    await site.bootswarm('machine', 'boot', live.mac, 'live', release);
    await site.releaseReady(release);
    const fleet = await Fleet.start(site, machines, { machines: [armed, live] });
    await site.controller.kill9();
    await site.edge.kill9();
    setClock(24 * HOUR_MS + 60_000);
    await site.startEdge('edge1', [lab.core.bridge]);
    await fleet.power('on', armed.name, live.name);
    await fleet.process.waitForLine(
      new RegExp(`"machine":"${armed.name}".*"${release} from the disk"`),
      UP_MS,
    );
    await fleet.process.waitForLine(new RegExp(`"machine":"${live.name}".*"a live system`), UP_MS);
    await fleet.power('off', armed.name, live.name);
  });

  test('a clock that is set by decades, forth and back: who has an address keeps it, and nobody else gets it', async () => {
    const [first, second, third] = [
      await clients.addHost('first'),
      await clients.addHost('second'),
      await clients.addHost('third'),
    ];
    const held = [await leaseOf(first), await leaseOf(second)];
    assert.deepEqual(held.toSorted(), [clients.subnet.address(100), clients.subnet.address(101)]);
    for (const years of [20, -30]) {
      setClock(years * YEAR_MS);
      await site.edge.output.waitFor(CLOCK_SET, 10_000, site.edge.output.text.length);
      assert.equal(await leaseOf(third), undefined, `${years} years on`);
      assert.deepEqual([await leaseOf(first, held[0]), await leaseOf(second, held[1])], held);
    }
    // It ends the process that serves, which then knows no more than the clock of now.
    await site.edge.kill9();
    await site.startEdge('edge1', [lab.core.bridge]);
    assert.equal(await leaseOf(third), undefined, 'after a restart');
    assert.deepEqual([await leaseOf(first, held[0]), await leaseOf(second, held[1])], held);
  });

  /** @returns the address that it gets within three tries. */
  async function leaseOf(host: Host, wanted?: string): Promise<string | undefined> {
    const asked = wanted === undefined ? [] : ['-r', wanted];
    const done = await host.run([
      ...['udhcpc', '-i', host.interface, ...asked, '-s', '/bin/true'],
      ...['-f', '-q', '-n', '-t', '3', '-T', '1'],
    ]);
    return /lease of (\S+) obtained/.exec(done.stderr + done.stdout)?.[1];
  }
});
