import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeRecord, MachineStory } from '@bootswarm/controller/contract';
import { type Host, Lab, type Segment } from '../lab/index.ts';
import { debianInstaller } from './fixtures/debian-installer.ts';
import { Site } from './site.ts';
import { isThorough } from './thorough.ts';

/** Emulated on two shared cores, Debian's installer comes to its network after one to three minutes. */
const INSTALLER_MS = 480_000;
const SCRIPT_MS = 120_000;
const RELEASE = 'debian-installer/12/amd64';
const [real, other, looping] = ['52:54:00:b0:0a:01', '52:54:00:b0:0a:02', '52:54:00:b0:0a:03'] as const;

const PROFILE = `
name: debian12
release: ${RELEASE}
kind: preseed
variables:
  password_hash: null
answers: |
  d-i debian-installer/locale string en_US
  d-i keyboard-configuration/xkb-keymap select us
  d-i netcfg/choose_interface select auto
  d-i mirror/country string manual
  d-i mirror/protocol string http
  d-i mirror/http/hostname string {{ edge.host }}
  d-i mirror/http/directory string {{ tree.path }}
  d-i mirror/http/proxy string
  d-i mirror/suite string bookworm
  d-i passwd/root-password-crypted password {{ password_hash | line }}
  d-i preseed/late_command string wget -qO- {{ installed.url | quote }}
`;

describe("a distribution's installer, once and no more", { timeout: 25 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let segment: Segment;

  before(async () => {
    lab = await Lab.create('installer');
    segment = await lab.addSegment({ relay: 'none' });
    site = await Site.start(lab);
    await site.addEdge('edge1', segment.coreInterface ?? '');
    await site.addSegment(segment, 'edge1');
    const out = `${lab.folder}/release`;
    await site.bootswarm(
      ...['image', 'import', await debianInstaller(lab), '--name', 'debian-installer', '--version', '12'],
      ...['--kernel-argument', 'console=ttyS0', '--out', out],
    );
    await site.publish(out);
    writeFileSync(`${lab.folder}/debian12.yaml`, PROFILE);
    await site.bootswarm('profile', 'apply', `${lab.folder}/debian12.yaml`);
    for (const mac of [real, other, looping]) {
      await site.bootswarm('machine', 'set-variable', mac, `password_hash=$6$of$${mac.replaceAll(':', '')}`);
      await site.bootswarm('machine', 'boot', mac, 'installer', 'debian12');
    }
    await site.releaseReady(RELEASE);
  });

  after(() => lab[Symbol.asyncDispose]());

  const whole = "Debian's installer fetches its own answers, goes on with the tree, and never comes again";
  test(whole, { skip: !isThorough && 'BOOTSWARM_TEST=all runs it' }, async () => {
    const machine = await segment.startMachine({ name: 'real', firmware: 'bios', mac: real });
    const answers = await recordOf(real, 'answers');
    console.log(`answers fetched ${Math.round(machine.seconds)} s after power-on`);
    assert.match(answers.detail, /^fetched preseed\.cfg, \d+ bytes$/);
    const tree = await recordOf(real, 'tree');
    console.log(`first file of the tree ${Math.round(machine.seconds)} s after power-on`);
    assert.equal(tree.detail, `trees/${RELEASE}/dists/bookworm/Release`);
    await machine.powerOff();

    const { spent, epoch } = (await site.bootswarm('machine', 'show', real)) as MachineStory;
    assert.equal(spent?.epoch, epoch);
    const trace = (await site.bootswarm('trace', real)) as { outcome: string };
    assert.equal(trace.outcome, 'booted');
    const again = await segment.startMachine({ name: 'real', firmware: 'bios', mac: real });
    await again.waitFor(/Bootswarm: booting from the local disk/, SCRIPT_MS);
    assert.doesNotMatch(again.console.text, /loading debian-installer/);
    await again.powerOff();
  });

  test('a profile that a machine is to be installed by is not removed, and a release that a profile names neither', async () => {
    await assert.rejects(site.bootswarm('profile', 'remove', 'debian12'), /profile_in_use/);
    await assert.rejects(site.bootswarm('image', 'remove', RELEASE), /release_in_use/);
  });

  test('with edge and controller killed at every step, a machine is installed once', async () => {
    const host = await hostOf('other', other);
    const script = await scriptOf(host, other);
    assert.match(script, / url=http/);
    await killEdge();
    assert.equal(await scriptOf(host, other), script, 'the same boot asks again');
    await site.controller.kill9();

    const [, url = ''] = / url=(\S+)/.exec(script) ?? [];
    const stranger = await hostOf('stranger', '52:54:00:b0:0a:09');
    assert.equal((await fetchOn(stranger, url)).status, 403);
    const answers = await fetchOn(host, url);
    await killEdge();
    assert.equal(answers.status, 200);
    assert.match(answers.text, /root-password-crypted password \$6\$of\$525400b00a02\n/);
    assert.ok(answers.text.includes(`d-i mirror/http/directory string /trees/${RELEASE}\n`));
    assert.match(await scriptOf(host, other), /booting from the local disk/);
    assert.equal((await fetchOn(host, url)).status, 200, 'the installer may ask once more');
    assert.match(await scriptOf(host, other), /booting from the local disk/);
  });

  test('a machine that never fetches its answers is given its disk in the end', async () => {
    const host = await hostOf('looping', looping);
    const boots: string[] = [];
    for (let boot = 1; boot <= 5; boot++) {
      const script = await scriptOf(host, looping);
      boots.push(/booting from the local disk/.test(script) ? 'disk' : 'installer');
      await killEdge();
      // Within 20 s it counts as the same boot.
      if (boot < 4) await sleep(21_000);
    }
    assert.deepEqual(boots, ['installer', 'installer', 'installer', 'disk', 'disk']);
  });

  async function killEdge(): Promise<void> {
    await site.edge.kill9();
    await site.startEdge('edge1', [segment.coreInterface ?? '']);
  }

  async function recordOf(mac: string, stage: string): Promise<EdgeRecord> {
    for (const deadline = Date.now() + INSTALLER_MS; Date.now() < deadline; await sleep(1000)) {
      const story = (await site.bootswarm('machine', 'show', mac)) as MachineStory;
      const record = story.journal.find((each) => each.stage === stage && each.cause === undefined);
      if (record) return record;
    }
    throw new Error(`no ${stage} of ${mac} within ${INSTALLER_MS / 1000} s`);
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

  async function scriptOf(host: Host, mac: string): Promise<string> {
    const url = `http://${segment.edgeAddress}:8480/boot.ipxe?mac=${mac.replaceAll(':', '-')}&platform=pcbios`;
    return (await fetchOn(host, url)).text;
  }

  async function fetchOn(
    host: Host,
    url: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { stdout } = await host.run(['curl', '-sS', '--max-time', '20', '-w', '\n%{http_code}', url]);
    const end = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
  }
});
