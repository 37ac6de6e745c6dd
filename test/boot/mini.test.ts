import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeRecord, MachineStory } from '@bootswarm/controller/contract';
import { type Firmware, Lab, type Segment } from '../lab/index.ts';
import { buildMini } from './build.ts';
import { Site } from './site.ts';
import { isThorough } from './thorough.ts';

/** Emulated on two shared cores: firmware, 46 MB by iPXE, a minute of unpacking, Node. */
const REPORT_MS = 480_000;
const CHANGE_MS = 60_000;
const STATUS_PORT = 8481;
/** What of an agent's status is looked at. */
interface StatusPage {
  readonly mac: string;
  readonly intent: string;
  readonly isHeard: boolean;
}

/** `agent.test.ts` boots it on UEFI, `install-faults.test.ts` on a BIOS. */
const FIRMWARES: readonly Firmware[] = isThorough ? ['bios', 'uefi'] : [];

describe('the mini image', { timeout: 25 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let segment: Segment;
  let folder = '';

  before(async () => {
    lab = await Lab.create('mini');
    folder = `${lab.folder}/mini-vm`;
    site = await Site.start(lab);
    await buildMini('vm', folder, site.env);
    segment = await lab.addSegment({ relay: 'dhcrelay' });
    await site.addEdge('edge1', lab.core.bridge);
    await site.addSegment(segment, 'edge1');
  });

  after(() => lab[Symbol.asyncDispose]());

  test('is within its limit', () => {
    const bytes = ['vmlinuz', 'initrd.img'].map((name) => statSync(`${folder}/${name}`).size);
    assert.ok(bytes.reduce((sum, each) => sum + each, 0) <= 50_000_000, `${bytes}`);
  });

  test('is what machines to be inspected boot into, and only a mini image is', async () => {
    const release = await site.publish(folder);
    await site.bootswarm('mini', 'use', release);
    assert.deepEqual(await site.bootswarm('mini', 'show'), { amd64: release });
    await site.releaseReady(release);
    await assert.rejects(site.bootswarm('mini', 'use', 'nothing/1/amd64'), /machine_release_unknown/);
  });

  for (const [index, firmware] of FIRMWARES.entries())
    test(`boots on ${firmware}, reports, shows its status, and follows its intent`, async () => {
      const mac = `52:54:00:b0:08:0${index + 1}`;
      await site.bootswarm('machine', 'boot', mac, 'inspect');
      const machine = await segment.startMachine({ name: firmware, firmware, mac });
      try {
        const inspected = await heard(mac, /^waiting: inspected/, REPORT_MS);
        assert.match(inspected.detail, new RegExp(firmware === 'uefi' ? 'UEFI, ' : 'BIOS, '));
        assert.match(inspected.detail, /1 cards \(1 with a link\)/);
        assert.equal(inspected.segment, `seg${segment.number}`);
        const stages = (await storyOf(mac)).journal.map(({ stage }) => stage);
        for (const stage of ['script', 'kernel', 'initramfs', 'agent'])
          assert.ok(stages.includes(stage as never));

        const page = await statusOf(inspected.address ?? '');
        assert.equal(page.mac, mac);
        assert.equal(page.intent, 'inspect');
        assert.equal(page.isHeard, true);
        const traced = (await site.bootswarm('trace', mac)) as { outcome: string };
        assert.equal(traced.outcome, 'booted');

        await site.bootswarm('machine', 'boot', mac, 'local');
        await heard(mac, /rebooting for 'local'/, CHANGE_MS);
        await machine.waitFor(/rebooting for 'local'/, CHANGE_MS);
        await machine.waitFor(/booting from the local disk/, CHANGE_MS);
      } finally {
        await machine.powerOff();
      }
    });

  async function storyOf(mac: string): Promise<MachineStory> {
    return (await site.bootswarm('machine', 'show', mac)) as MachineStory;
  }

  /** The first record of an agent that matches. */
  async function heard(mac: string, pattern: RegExp, timeoutMs: number): Promise<EdgeRecord> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const { journal } = await storyOf(mac);
      const found = journal.find(({ stage, detail }) => stage === 'agent' && pattern.test(detail));
      if (found) return found;
      await sleep(2_000);
    }
    const { journal } = await storyOf(mac);
    throw new Error(`no agent said ${pattern}: ${JSON.stringify(journal.slice(0, 5), undefined, 1)}`);
  }

  async function statusOf(address: string): Promise<StatusPage> {
    const asked = await lab.core.run([
      'curl',
      '-sS',
      '--max-time',
      '20',
      `http://${address}:${STATUS_PORT}/status.json`,
    ]);
    assert.equal(asked.code, 0, asked.stderr);
    return JSON.parse(asked.stdout) as StatusPage;
  }
});
