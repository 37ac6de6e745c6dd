import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MachineStory } from '@bootswarm/controller/contract';
import { Lab, type Segment } from '../lab/index.ts';
import { buildMinimal } from './build.ts';
import { Site } from './site.ts';

/** Emulated on two shared cores, a boot takes two to four minutes. */
const LOGIN_MS = 600_000;
const SCRIPT_MS = 120_000;

describe('machines behind relays boot what was published', { timeout: 25 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let release = '';
  const segments: Segment[] = [];
  const [bios, uefi, later, kept] = [
    '52:54:00:b0:07:01',
    '52:54:00:b0:07:02',
    '52:54:00:b0:07:03',
    '52:54:00:b0:07:04',
  ] as const;

  before(async () => {
    lab = await Lab.create('boot');
    await buildMinimal(`${lab.folder}/image`);
    segments.push(await lab.addSegment({ relay: 'dhcrelay' }), await lab.addSegment({ relay: 'dhcrelay' }));
    site = await Site.start(lab);
    await site.addEdge('edge1', lab.core.bridge);
    for (const segment of segments) await site.addSegment(segment, 'edge1');
    release = await site.publish(`${lab.folder}/image`);
    for (const mac of [bios, uefi, later]) await site.bootswarm('machine', 'boot', mac, 'live', release);
    await site.releaseReady(release);
  });

  after(() => lab[Symbol.asyncDispose]());

  test('a BIOS and a UEFI machine in two segments reach the login prompt', async () => {
    const machines = await Promise.all([
      segmentOf(0).startMachine({ name: 'bios', firmware: 'bios', mac: bios }),
      segmentOf(1).startMachine({ name: 'uefi', firmware: 'uefi', mac: uefi }),
    ]);
    await Promise.all(machines.map((machine) => machine.waitFor(/login: $/, LOGIN_MS)));

    const stories = await Promise.all(machines.map(({ mac }) => storyOf(mac)));
    assert.deepEqual(
      stories.map((story) => story.segment),
      ['seg1', 'seg2'],
    );
    // The ROM of the BIOS machine is iPXE already; UEFI firmware is given ours first.
    assert.deepEqual(stagesOf(stories[0]), ['offer', 'lease', 'script', 'kernel', 'initramfs', 'root']);
    assert.deepEqual(stagesOf(stories[1]), [
      'offer',
      'lease',
      'firmware',
      'offer',
      'lease',
      'script',
      'kernel',
      'initramfs',
      'root',
    ]);
    await Promise.all(machines.map((machine) => machine.powerOff()));
  });

  test('with the controller killed, another machine boots from the edge', async () => {
    await site.controller.kill9();
    const machine = await segmentOf(0).startMachine({ name: 'later', firmware: 'bios', mac: later });
    await machine.waitFor(/login: $/, LOGIN_MS);
    await machine.powerOff();
  });

  test('a machine keeps its address when the edge is killed between ACK and the next boot', async () => {
    // Asked for by name, so that it is not the one that a fresh edge would choose for this MAC.
    const address = segmentOf(0).subnet.address(177);
    const firstBoot = await segmentOf(0).addHost('first-boot', { mac: kept });
    const leased = await firstBoot.run([
      ...['udhcpc', '-i', firstBoot.interface, '-r', address, '-s', '/bin/true'],
      ...['-f', '-q', '-n', '-t', '5'],
    ]);
    assert.match(leased.stderr + leased.stdout, new RegExp(`lease of ${address} obtained`));
    await site.edge.kill9();
    await firstBoot.ip(`link set ${firstBoot.interface} down`);

    await site.startEdge('edge1', [lab.core.bridge]);
    const machine = await segmentOf(0).startMachine({ name: 'kept', firmware: 'bios', mac: kept });
    await machine.waitFor(/Bootswarm: booting from the local disk/, SCRIPT_MS);
    assert.match(machine.console.text, new RegExp(`net0: ${address}/`));
    await machine.powerOff();
  });

  function segmentOf(index: number): Segment {
    const segment = segments[index];
    assert.ok(segment);
    return segment;
  }

  async function storyOf(mac: string): Promise<MachineStory> {
    return (await site.bootswarm('machine', 'show', mac)) as MachineStory;
  }
});

/** In the order in which they came. */
function stagesOf(story: MachineStory | undefined): readonly string[] {
  return (story?.journal ?? []).map((record) => record.stage).toReversed();
}
