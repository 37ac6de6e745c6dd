import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentOrder, MachineStory } from '@bootswarm/controller/contract';
import { Manifest } from '@bootswarm/images/format';
import { type Host, Lab, type Segment } from '../lab/index.ts';
import { writeBuildFolder } from './build-folder.ts';
import { Site } from './site.ts';

const TOLD_MS = 90_000;
const MINI = /loading mini\/1\/amd64/;
const [killed, failing, lying] = ['52:54:00:b0:0b:01', '52:54:00:b0:0b:02', '52:54:00:b0:0b:03'] as const;

const PROFILE = `
name: web
kind: image
release: interop/1/amd64
layout: { disks: [{ serial: S-1 }], root: { size: 20GiB }, lvm: {} }
firstBootMinutes: 1
`;
const INSPECTION = {
  format: 1,
  takenAt: '2026-01-01T00:00:00.000Z',
  firmware: 'uefi',
  system: { product: 'Server 9' },
  processors: { sockets: 1, cores: 2, threads: 2 },
  memory: { totalBytes: 2 ** 31, modules: [] },
  disks: [{ name: 'sda', sizeBytes: 2 ** 37, serial: 'S-1' }],
  cards: [],
};

describe('work on disks, whoever is killed meanwhile', { timeout: 30 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let segment: Segment;

  before(async () => {
    lab = await Lab.create('work');
    segment = await lab.addSegment({ relay: 'none' });
    site = await Site.start(lab);
    await site.addEdge('edge1', segment.coreInterface ?? '');
    await site.addSegment(segment, 'edge1');
    const files = {
      kernel: Buffer.alloc(5000, 1),
      initramfs: Buffer.alloc(6000, 2),
      root: Buffer.alloc(9000, 3),
    };
    const folder = `${lab.folder}/release`;
    await writeBuildFolder(folder, files);
    await site.publish(folder);
    const mini = await miniFolder(`${lab.folder}/mini`, files);
    await site.publish(mini);
    await site.bootswarm('mini', 'use', 'mini/1');
    writeFileSync(`${lab.folder}/web.yaml`, PROFILE);
    await site.bootswarm('profile', 'apply', `${lab.folder}/web.yaml`);
    for (const mac of [killed, failing, lying])
      await site.bootswarm('machine', 'boot', mac, 'install', 'web');
    await site.releaseReady('interop/1/amd64');
    await site.releaseReady('mini/1/amd64');
  });

  after(() => lab[Symbol.asyncDispose]());

  test('with edge and controller killed at every step, a machine is installed once', async () => {
    const host = await hostOf('killed', killed);
    assert.match(await scriptOf(host, killed), MINI);
    const first = await orderOf(host);
    await killEdge();
    const { ticket } = first;
    assert.deepEqual(await post(host, 'begin', { ticket, plan: 'sda' }), { status: 200 });
    await killEdge();
    assert.deepEqual(await post(host, 'begin', { ticket, plan: 'sda' }), {
      status: 409,
      code: 'ticket_spent',
    });
    await site.controller.kill9();
    // The power was cut.
    await scriptOf(host, killed);
    await killEdge();
    assert.deepEqual(await post(host, 'end', { ticket, outcome: 'done', detail: '' }), {
      status: 409,
      code: 'ticket_spent',
    });
    const second = await orderOf(host);
    assert.equal(second.attempt, 2);
    assert.deepEqual(await post(host, 'begin', { ticket: second.ticket, plan: 'sda' }), { status: 200 });
    await killEdge();
    const done = { ticket: second.ticket, outcome: 'done', detail: 'installed' };
    assert.deepEqual(await post(host, 'end', done), { status: 200 });
    await killEdge();
    assert.deepEqual(
      await post(host, 'end', done),
      { status: 200 },
      'who did not hear the answer asks again',
    );
    for (let boot = 0; boot < 2; boot++) {
      assert.match(await scriptOf(host, killed), /booting from the local disk/);
      await killEdge();
    }
    assert.deepEqual(await fetchOn(host, first.firstBootUrl), { status: 200, text: 'noted\n' });
    await killEdge();
    assert.equal((await fetchOn(host, first.firstBootUrl)).status, 410);

    await site.startController();
    const { work, spent, epoch, journal } = await storyOf(killed, ({ work }) => work?.state === 'active');
    assert.deepEqual([work?.epoch, spent?.epoch], [epoch, epoch]);
    const told = journal.filter(({ epoch }) => epoch !== undefined).toReversed();
    assert.deepEqual(
      told.map(({ stage, cause }) => [stage, cause].filter(Boolean).join(' ')),
      ['install', 'install work_broken_off', 'install', 'install', 'first-boot'],
    );
    await killEdge();
    assert.match(await scriptOf(host, killed), /booting from the local disk/);
    await site.controller.kill9();
    await site.startController();
    await site.bootswarm('machine', 'boot', killed, 'install', 'web');
    await soon(async () => MINI.test(await scriptOf(host, killed)), 'armed anew it is installed anew');
  });

  test('a machine that fails twice shows why, and is never given its half-written disk', async () => {
    const host = await hostOf('failing', failing);
    for (const attempt of [1, 2]) {
      const order = await orderOf(host);
      assert.equal(order.attempt, attempt);
      const { ticket } = order;
      await post(host, 'begin', { ticket, plan: 'sda' });
      await killEdge();
      const why = { outcome: 'failed', cause: 'disk_read_error', detail: 'sda: sector 9' };
      assert.deepEqual(await post(host, 'end', { ticket, ...why }), { status: 200 });
      await killEdge();
    }
    for (let boot = 0; boot < 2; boot++) {
      assert.match(await scriptOf(host, failing), MINI);
      const { install, failed } = await agentOrder(host);
      assert.deepEqual([install, failed], [undefined, 'disk_read_error: sda: sector 9']);
      await killEdge();
    }
    const { work, spent } = await storyOf(failing, ({ work }) => work?.isOver === true);
    assert.deepEqual(
      [work?.state, work?.cause, spent?.cause],
      ['failed', 'install_failed', 'install_failed'],
    );
  });

  test('a system that does not come up is told once, and its edge may be killed meanwhile', async () => {
    const host = await hostOf('lying', lying);
    const { ticket } = await orderOf(host);
    const stranger = await hostOf('stranger', '52:54:00:b0:0b:09');
    assert.deepEqual(await post(stranger, 'begin', { ticket, plan: 'sda' }), {
      status: 409,
      code: 'ticket_other_machine',
    });
    const forged = { ticket: `${ticket}x`, plan: 'sda' };
    assert.deepEqual(await post(host, 'begin', forged), { status: 409, code: 'ticket_forged' });
    await post(host, 'begin', { ticket, plan: 'sda' });
    await post(host, 'end', { ticket, outcome: 'done', detail: 'installed' });
    await killEdge();
    const silent = ({ work }: MachineStory): boolean => work?.cause === 'no_first_boot';
    await storyOf(lying, silent, 100_000);
    await killEdge();
    await sleep(8_000);
    const { journal } = await storyOf(lying, silent);
    assert.equal(journal.filter(({ cause }) => cause === 'no_first_boot').length, 1);
    // It ends with 3 where something is wrong.
    await assert.rejects(site.bootswarm('trace', lying), /"stoppedAt":"first-boot","cause":"no_first_boot"/);
  });

  test('an inspection that comes while the controller is away is kept, also by an edge that is killed', async () => {
    const host = await hostOf('inspected', '52:54:00:b0:0b:04');
    await site.controller.kill9();
    assert.deepEqual(await post(host, 'inspection', INSPECTION), { status: 200 });
    assert.deepEqual(await post(host, 'inspection', INSPECTION), { status: 200 });
    await killEdge();
    await site.startController();
    await soon(async () => {
      const machines = (await site.bootswarm('machine', 'list')) as MachineStory[];
      return machines.some(({ macs }) => macs.includes('52:54:00:b0:0b:04'));
    }, 'the controller knows the machine');
    await soon(async () => {
      const found = await site.bootswarm('machine', 'inspection', '52:54:00:b0:0b:04').catch(() => undefined);
      return (found as { number: number } | undefined)?.number === 1;
    }, 'the controller has the inspection, once');
    const plan = (await site.bootswarm('machine', 'plan', '52:54:00:b0:0b:04', 'web')) as {
      plan: { disks: readonly { disk: { serial: string } }[] };
    };
    assert.deepEqual(
      plan.plan.disks.map(({ disk }) => disk.serial),
      ['S-1'],
    );
  });

  async function killEdge(): Promise<void> {
    await site.edge.kill9();
    await site.startEdge('edge1', [segment.coreInterface ?? '']);
  }

  /** A host of the segment with a lease of the edge. */
  async function hostOf(name: string, mac: string): Promise<Host> {
    const host = await segment.addHost(name, { mac });
    const asked = await host.run([
      ...['udhcpc', '-i', host.interface, '-s', '/bin/true', '-f', '-q', '-n', '-t', '5'],
    ]);
    const [, address] = /lease of (\S+) obtained/.exec(asked.stderr + asked.stdout) ?? [];
    assert.ok(address, asked.stderr);
    await host.ip(`address add ${address}/${segment.subnet.prefixLength} dev ${host.interface}`);
    return host;
  }

  const urlOf = (path: string): string => `http://${segment.edgeAddress}:8480${path}`;

  async function scriptOf(host: Host, mac: string): Promise<string> {
    const query = `mac=${mac.replaceAll(':', '-')}&platform=pcbios`;
    return (await fetchOn(host, urlOf(`/boot.ipxe?${query}`))).text;
  }

  async function agentOrder(host: Host): Promise<AgentOrder> {
    return JSON.parse((await fetchOn(host, urlOf('/agent/intent'))).text) as AgentOrder;
  }

  async function orderOf(host: Host): Promise<NonNullable<AgentOrder['install']>> {
    const { install, ...rest } = await agentOrder(host);
    assert.ok(install, JSON.stringify(rest));
    return install;
  }

  async function post(
    host: Host,
    what: 'begin' | 'end' | 'inspection',
    body: object,
  ): Promise<{ readonly status: number; readonly code?: string }> {
    const { status, text } = await fetchOn(host, urlOf(`/agent/${what}`), [
      ...['--header', 'content-type: application/json', '--data', JSON.stringify(body)],
    ]);
    const { code } = JSON.parse(text) as { code?: string };
    return code === undefined ? { status } : { status, code };
  }

  async function fetchOn(
    host: Host,
    url: string,
    options: readonly string[] = [],
  ): Promise<{ readonly status: number; readonly text: string }> {
    const curl = ['curl', '-sS', '--max-time', '20', '-w', '\n%{http_code}', ...options, url] as const;
    const { stdout } = await host.run(['curl', ...curl.slice(1)]);
    const end = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
  }

  async function storyOf(
    mac: string,
    is: (story: MachineStory) => boolean,
    withinMs = TOLD_MS,
  ): Promise<MachineStory> {
    let story: MachineStory | undefined;
    await soon(
      async () => {
        story = (await site.bootswarm('machine', 'show', mac)) as MachineStory;
        return is(story);
      },
      `the controller hears of ${mac}`,
      withinMs,
    );
    assert.ok(story);
    return story;
  }

  async function soon(look: () => Promise<boolean>, what: string, withinMs = TOLD_MS): Promise<void> {
    for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(500))
      if (await look()) return;
    throw new Error(`not within ${withinMs / 1000} s: ${what}`);
  }
});

/** A mini image as far as an edge can tell. */
async function miniFolder(
  folder: string,
  files: { readonly kernel: Buffer; readonly initramfs: Buffer; readonly root: Buffer },
): Promise<string> {
  await writeBuildFolder(folder, files, []);
  const file = `${folder}/manifest.json`;
  const manifest = Manifest.parse(JSON.parse(readFileSync(file, 'utf8')));
  const artefacts = manifest.artefacts.filter(({ role }) => role !== 'root');
  writeFileSync(file, JSON.stringify({ ...manifest, name: 'mini', bootStyle: 'mini', artefacts }));
  return folder;
}
