import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AgentOrder, type AgentReport, ImageProfile, type Intent } from '@bootswarm/controller/contract';
import { MAC } from '../decide/testing/world.ts';
import { OTHER_ADDRESS, RELEASE, WORK_ADDRESS, WorkSite } from '../testing/work-site.ts';

const install = { kind: 'install', profile: 'web' } as const;
const wipe: Intent = { kind: 'wipe', method: 'overwrite', disks: ['S-1'] };
const MINUTE = 60_000;
/** SHA-256 of the root of the release. */
const ROOT_SHA = '72'.padEnd(64, 'a');
/** What the script of a machine says that boots the mini image. */
const MINI = /mini\/1\.0\/amd64/;

describe('an installation', () => {
  test('is ordered with all that the agent needs, done once, and heard of when its system is up', () =>
    WorkSite.run(install, async (site) => {
      assert.match(await site.boot(), MINI);
      const { install: order, intent } = await site.order();
      assert.ok(order);
      assert.deepEqual(intent, install);
      assert.deepEqual(
        [order.epoch, order.attempt, order.release, order.profile.name],
        [1, 1, RELEASE, 'web'],
      );
      assert.deepEqual(order.machine, {
        id: 'm-1',
        hostname: 'm-1',
        domain: 'lab.example',
        mac: MAC,
        address: WORK_ADDRESS,
        prefixLength: 24,
        router: '127.0.0.1',
        dnsServers: ['10.99.0.53'],
      });
      assert.equal(await site.begin(order.ticket), '200');
      assert.equal(await site.end(order.ticket, 'done'), '200');
      assert.equal((await site.order()).intent.kind, 'local');
      assert.match(await site.boot(), /booting from the local disk/);
      assert.equal((await site.ask(order.firstBootUrl)).status, 200);
      assert.equal((await site.ask(order.firstBootUrl)).status, 410);
      assert.match(await site.boot(), /booting from the local disk/);
      assert.deepEqual(await site.told(), ['install 1', 'install 1 spent', 'first-boot 1 spent']);
      const [begun] = (await site.journal()).filter(({ stage }) => stage === 'install');
      assert.equal(begun?.detail, 'try 1 begins: sda: all');
    }));

  test('is tried twice and then no more: the agent shows why', () =>
    WorkSite.run(install, async (site) => {
      for (const attempt of [1, 2]) {
        await site.boot();
        const { install: order } = await site.order();
        assert.equal(order?.attempt, attempt);
        assert.equal(await site.begin(order.ticket), '200');
        assert.equal(await site.end(order.ticket, 'failed'), '200');
      }
      const { install: third, failed, intent } = await site.order();
      assert.deepEqual([third, failed, intent], [undefined, 'disk_lost: sda is gone', install]);
      assert.doesNotMatch(await site.boot(), /local disk/, 'never to a disk that is half written');
      const journal = await site.journal();
      const script = journal.findLast(({ stage }) => stage === 'script');
      assert.match(script?.detail ?? '', /whose agent shows what failed: disk_lost: sda is gone/);
      assert.deepEqual(await site.told(), [
        'install 1',
        'install 1 install_failed',
        'install 1',
        'install 1 install_failed spent',
      ]);
      site.arm(install);
      assert.equal((await site.order()).install?.attempt, 1, 'armed anew it begins anew');
    }));

  test('that power cuts break off twice is failed, at whatever moment the edge is killed', () =>
    WorkSite.run(install, async (site) => {
      await site.boot();
      assert.equal(await site.begin(await site.ticket()), '200');
      await site.restart();
      await site.boot();
      await site.restart();
      assert.equal(await site.begin(await site.ticket()), '200');
      await site.restart();
      await site.boot();
      await site.boot();
      await site.restart();
      assert.match((await site.order()).failed ?? '', /^broken_off: try 2 was broken off/);
      assert.deepEqual(await site.told(), [
        'install 1',
        'install 1 work_broken_off',
        'install 1',
        'install 1 work_broken_off spent',
      ]);
    }));

  test('that cannot begin ends as well', () =>
    WorkSite.run(install, async (site) => {
      for (const attempt of [1, 2]) {
        const ticket = await site.ticket();
        assert.equal(await site.end(ticket, 'failed'), '200', `${attempt}`);
        assert.equal(await site.end(ticket, 'failed'), '200', 'said again');
        assert.equal(await site.begin(ticket), 'ticket_spent');
      }
      assert.match((await site.order()).failed ?? '', /^disk_lost/);
      assert.equal((await site.told()).length, 2, 'what is said again is told once');
    }));

  test('waits for its release to be here, and goes on when it is', () =>
    WorkSite.run(install, async (site) => {
      site.missing.add(ROOT_SHA);
      assert.doesNotMatch(await site.boot(), MINI);
      const order = await site.order();
      assert.match(order.notYet ?? '', /fetching minimal\/1\.0\/amd64: 2 of 3 files/);
      assert.equal(order.install, undefined);
      const [script] = (await site.journal()).filter(({ stage }) => stage === 'script');
      assert.equal(script?.cause, 'release_not_ready');
      site.missing.clear();
      assert.equal((await site.order()).install?.release, RELEASE);
      assert.match(await site.boot(), MINI);
    }));

  test('takes the release of its intent before that of its profile', () =>
    WorkSite.run({ ...install, release: 'other/2/amd64' }, async (site) => {
      assert.match((await site.order()).notYet ?? '', /does not know other\/2\/amd64 yet/);
    }));

  test('by a profile that the edge does not know waits', () =>
    WorkSite.run({ ...install, profile: 'nobodys' }, async (site) => {
      assert.match((await site.order()).notYet ?? '', /does not know the image profile nobodys/);
      await site.boot();
      const [script] = (await site.journal()).filter(({ stage }) => stage === 'script');
      assert.equal(script?.cause, 'profile_unknown');
    }));

  test('whose system comes up before its end was heard is done', () =>
    WorkSite.run(install, async (site) => {
      const { install: order } = await site.order();
      await site.begin(order?.ticket ?? '');
      await site.restart();
      assert.equal((await site.ask(order?.firstBootUrl ?? '')).status, 200);
      assert.match(await site.boot(), /booting from the local disk/);
      assert.deepEqual(await site.told(), ['install 1', 'first-boot 1 spent']);
    }));

  test('whose system does not come up is told once, over restarts, and may come up later', () =>
    WorkSite.run(install, async (site) => {
      const { install: order } = await site.order();
      await site.begin(order?.ticket ?? '');
      await site.end(order?.ticket ?? '', 'done');
      site.wait(20 * MINUTE - 5_000);
      await site.works.lookForSilence();
      assert.equal((await site.told()).length, 2);
      site.wait(10_000);
      await site.restart();
      await site.works.lookForSilence();
      assert.equal((await site.told()).length, 2, 'an edge that was away hears for a minute first');
      site.wait(MINUTE);
      await site.works.lookForSilence();
      await site.works.lookForSilence();
      await site.restart();
      site.wait(MINUTE);
      await site.works.lookForSilence();
      assert.deepEqual((await site.told()).slice(2), ['first-boot 1 no_first_boot']);
      const last = (await site.journal()).at(-1);
      assert.equal(last?.detail, 'the installed system did not say within 20 min that it is up');
      assert.equal((await site.ask(order?.firstBootUrl ?? '')).status, 200);
      assert.deepEqual((await site.told()).slice(3), ['first-boot 1 spent']);
    }));

  test('that another edge used up is not done here', () =>
    WorkSite.run(install, async (site) => {
      site.follow({ machines: [{ ...site.machine, spentEpoch: 1 }] });
      assert.equal((await site.order()).intent.kind, 'local');
      site.follow({ machines: [{ ...site.machine, spentEpoch: 1, spentFailure: 'no disk' }] });
      assert.equal((await site.order()).failed, 'no disk');
    }));
});

test('an agent that waits hears at once that there is another try, and that it is done', () =>
  WorkSite.run(install, async (site) => {
    const { token, install: first } = await site.order();
    const next = (after: string) =>
      site.ask(`/agent/intent?after=${after}&waitSeconds=40`) as Promise<{ body: AgentOrder }>;
    const waiting = next(token);
    await site.begin(first?.ticket ?? '');
    const { body: second } = await waiting;
    assert.equal(second.install?.attempt, 2);
    const waitingOn = next(second.token);
    await site.end(first?.ticket ?? '', 'done');
    assert.equal((await waitingOn).body.intent.kind, 'local');
  }));

test('whoever writes the MAC of another machine into the URL of a script breaks nothing off', () =>
  WorkSite.run(install, async (site) => {
    const ticket = await site.ticket();
    await site.begin(ticket);
    await site.boot(OTHER_ADDRESS, MAC);
    assert.equal(await site.end(ticket, 'done'), '200');
  }));

test('a wipe is ordered by its disks, done once, and awaits no system', () =>
  WorkSite.run(wipe, async (site) => {
    const { wipe: order } = await site.order();
    assert.deepEqual([order?.method, order?.disks, order?.attempt], ['overwrite', ['S-1'], 1]);
    assert.equal(await site.begin(order?.ticket ?? ''), '200');
    assert.equal(await site.end(order?.ticket ?? '', 'done'), '200');
    site.wait(100 * MINUTE);
    await site.works.lookForSilence();
    assert.deepEqual(await site.told(), ['wipe 1', 'wipe 1 spent']);
    assert.match(await site.boot(), /booting from the local disk/);
  }));

test('a machine that is to be rescued boots the mini image, and is given the keys', () =>
  WorkSite.run({ kind: 'rescue', sshKeys: ['ssh-ed25519 AAAA me'] }, async (site) => {
    assert.match(await site.boot(), MINI);
    const { intent } = await site.order();
    assert.deepEqual(intent, { kind: 'rescue', sshKeys: ['ssh-ed25519 AAAA me'] });
  }));

test('reports of work are told as steps of it, and as what failed for good', () =>
  WorkSite.run(install, async (site) => {
    const report: AgentReport = {
      format: 1,
      mac: MAC,
      addresses: [],
      version: '1',
      kernel: '6',
      memoryBytes: 1,
      uptimeSeconds: 1,
      stage: 'installing',
      detail: '1 of 2 bytes',
      progress: { step: 'unpack', doneBytes: 1, totalBytes: 2 },
    };
    await site.begin(await site.ticket());
    assert.equal((await site.ask('/agent/report', report)).status, 200);
    const steps = (await site.journal()).filter(({ stage }) => stage === 'install');
    assert.deepEqual(
      steps.map(({ detail, epoch }) => [detail, epoch]),
      [
        ['try 1 begins: sda: all', 1],
        ['unpack: 1 of 2 bytes', 1],
      ],
    );
    for (const uptimeSeconds of [10, 20]) {
      await site.end(await site.ticket(), 'failed');
      const failed = { ...report, uptimeSeconds, stage: 'failed', detail: 'disk_lost', progress: undefined };
      await site.ask('/agent/report', failed);
    }
    const told = (await site.journal()).filter(({ stage }) => stage === 'agent');
    assert.deepEqual(
      told.map(({ cause }) => cause),
      ['install_failed'],
    );
  }));

test('an installation is not begun, and no try is used up, as long as its texts cannot be filled', () =>
  WorkSite.run(install, async (site) => {
    const profile = ImageProfile.parse({
      name: 'web',
      kind: 'image',
      release: RELEASE,
      layout: { disks: [{ serial: 'S-1' }] },
      kernelArguments: ['console=tty0'],
      variables: { rack: null },
      firstBoot: { hostname: 'web-{{ rack }}' },
    });
    site.follow({ profiles: [profile] });
    const boot = await site.boot();
    assert.doesNotMatch(boot, MINI);
    assert.match(boot, /Asking again/);
    const script = (await site.journal()).findLast(({ stage }) => stage === 'script');
    assert.equal(script?.cause, 'template_failed');
    assert.match(script?.detail ?? '', /variable 'rack' has no value/);
    const { install: none, failed } = await site.order();
    assert.equal(none, undefined);
    assert.match(failed ?? '', /^template_failed: firstBoot\.hostname of profile web: .*'rack' has no value/);

    const filled = { variables: { rack: 'r1' }, kernelArguments: ['console=ttyS0', 'quiet'] };
    site.follow({ machines: [{ ...site.machine, ...filled }] });
    assert.match(await site.boot(), MINI);
    const { install: order } = await site.order();
    assert.deepEqual([order?.attempt, order?.machine.hostname], [1, 'web-r1']);
    assert.deepEqual(order?.profile.kernelArguments, ['console=ttyS0', 'quiet']);
    assert.deepEqual([order?.profile.variables, order?.profile.firstBoot.hostname], [undefined, undefined]);
  }));

test('an inspection is kept until the controller takes it, over restarts', () =>
  WorkSite.run(install, async (site) => {
    const inspection = {
      format: 1,
      takenAt: '2026-01-01T00:00:00.000Z',
      firmware: 'bios',
      system: {},
      processors: { sockets: 1, cores: 1, threads: 1 },
      memory: { totalBytes: 1, modules: [] },
      disks: [],
      cards: [],
    };
    assert.equal((await site.ask('/agent/inspection', inspection)).status, 200);
    assert.equal((await site.ask('/agent/inspection', { ...inspection, firmware: 'coreboot' })).status, 400);
    await site.restart();
    const [sent] = site.queuedInspections as readonly { mac: string; segment: string }[];
    assert.deepEqual([sent?.mac, sent?.segment], [MAC, 'seg']);
  }));

test('a live system by the agent is ordered once its release is here', () =>
  WorkSite.run({ kind: 'live', release: RELEASE, by: 'agent' }, async (site) => {
    assert.match(await site.boot(), MINI);
    assert.deepEqual((await site.order()).notYet, undefined);
    site.missing.add(ROOT_SHA);
    assert.match((await site.order()).notYet ?? '', /is fetching/);
    assert.doesNotMatch(await site.boot(), MINI, 'there is nothing to do yet');
  }));
