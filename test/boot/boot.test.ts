import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineStory } from '@bootswarm/controller/contract';
import { Lab, type Segment } from '../lab/index.ts';
import { buildMinimal } from './build.ts';
import { Site } from './site.ts';

/** Emulated on two shared cores, a boot takes two to four minutes; beside two others on a busy host, three times as long. */
const LOGIN_MS = 1_200_000;
const SCRIPT_MS = 120_000;
const STORY_MS = 60_000;

describe('machines behind relays boot what was published', { timeout: 50 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  const segments: Segment[] = [];
  const [bios, uefi, kept] = ['52:54:00:b0:07:01', '52:54:00:b0:07:02', '52:54:00:b0:07:03'] as const;

  before(async () => {
    lab = await Lab.create('boot');
    await buildMinimal(`${lab.folder}/image`);
    segments.push(await lab.addSegment({ relay: 'dhcrelay' }), await lab.addSegment({ relay: 'dhcrelay' }));
    site = await Site.start(lab);
    await site.addEdge('edge1', lab.core.bridge);
    for (const segment of segments) await site.addSegment(segment, 'edge1');
    const release = await site.publish(`${lab.folder}/image`);
    for (const mac of [bios, uefi]) await site.bootswarm('machine', 'boot', mac, 'live', release);
    await site.releaseReady(release);
  });

  after(() => lab[Symbol.asyncDispose]());

  test('a BIOS and a UEFI machine in two segments reach the login prompt, and nobody has missed the controller', async () => {
    const first = await segmentOf(0).startMachine({ name: 'bios', firmware: 'bios', mac: bios });
    await first.waitFor(/saving to .*root\.squashfs/, LOGIN_MS);
    await site.controller.kill9();
    const second = await segmentOf(1).startMachine({ name: 'uefi', firmware: 'uefi', mac: uefi });
    const machines = [first, second];
    await Promise.all(machines.map((machine) => machine.waitFor(/login: $/, LOGIN_MS)));

    // What the edge had to tell has waited for it.
    await site.startController();
    const [biosStages, uefiStages] = [await stagesOf(bios), await stagesOf(uefi)];
    // The ROM of the BIOS machine is iPXE already; UEFI firmware is given ours first.
    assert.deepEqual(biosStages, ['offer', 'lease', 'script', 'kernel', 'initramfs', 'root']);
    assert.deepEqual(uefiStages, [
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
    assert.deepEqual([(await storyOf(bios)).segment, (await storyOf(uefi)).segment], ['seg1', 'seg2']);
    await Promise.all(machines.map((machine) => machine.powerOff()));
  });

  test('a machine keeps its address when the edge is killed between ACK and the next boot', async () => {
    await site.controller.kill9();
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

  /** In the order in which they came; as soon as the last of them has. */
  async function stagesOf(mac: string): Promise<readonly string[]> {
    for (const deadline = Date.now() + STORY_MS; ; await sleep(500)) {
      const stages = (await storyOf(mac)).journal.map((record) => record.stage).toReversed();
      if (stages.includes('root') || Date.now() > deadline) return stages;
    }
  }

  async function storyOf(mac: string): Promise<MachineStory> {
    return (await site.bootswarm('machine', 'show', mac)) as MachineStory;
  }
});
