import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineStory } from '@bootswarm/controller/contract';
import { Lab, type Machine, type Segment } from '../lab/index.ts';
import { sayAtBoot } from './fixtures/say-at-boot.ts';
import { DISK_BYTES, readyToInstall } from './install-ground.ts';
import { diskArguments, emptyDisk, type MachineDisk } from './machine-disks.ts';
import { program } from './program.ts';
import { Site } from './site.ts';
import type { StageReport } from './stages.ts';
import { tellJournal } from './tell-journal.ts';

/** Two machines at a time, emulated on two shared cores; of a server these are a minute or two. */
const INSPECTED_MS = 10 * 60_000;
const INSTALLED_MS = 30 * 60_000;
const BOOT_MS = 10 * 60_000;
const RESYNC_MS = 20 * 60_000;
const TOLD_MS = 30_000;
const REBOOT_MS = 60_000;
const CONSOLE = 'console=ttyS0,115200n8';

interface DemoMachine {
  readonly name: string;
  readonly firmware: 'bios' | 'uefi';
  readonly mac: string;
  readonly serials: readonly string[];
  /** In a profile, as YAML. */
  readonly layout: string;
  /** What the installed system says of itself. */
  readonly expected: readonly RegExp[];
}

const MACHINES: readonly [DemoMachine, DemoMachine] = [
  {
    name: 'bios',
    firmware: 'bios',
    mac: '52:54:00:b0:07:01',
    serials: ['LEFT', 'RIGHT'],
    layout:
      '{ disks: [{ serial: LEFT }, { serial: RIGHT }], root: { size: 2GiB }, swap: 256MiB, lvm: { group: data } }',
    expected: [/^root \/dev\/md\d+ ext4$/, /^array md\d+ : active raid1 /, /^group data /],
  },
  {
    name: 'uefi',
    firmware: 'uefi',
    mac: '52:54:00:b0:07:02',
    serials: ['ONLY'],
    layout:
      '{ disks: [{ serial: ONLY }], root: { fileSystem: xfs, size: 3GiB }, lvm: { group: data, volumes: [{ name: srv, size: 512MiB, fileSystem: ext4, mount: /srv }] } }',
    expected: [/^root \/dev\/vda\d xfs$/, /^group data /, /^mount \/srv ext4$/],
  },
];

/** What the new system says of itself, and when its mirrors are whole. */
const SAY_WHAT_IS_THERE = sayAtBoot(`echo
echo "SAID root $(findmnt -rn -o SOURCE,FSTYPE /)"
findmnt -rn -o TARGET,FSTYPE | sed -n 's|^/srv|SAID mount &|p'
vgs --noheadings -o vg_name,vg_size,vg_free | sed 's/^ */SAID group /'
[ ! -e /proc/mdstat ] || sed -n 's/^md/SAID array md/p' /proc/mdstat
echo SAID all
while [ -e /proc/mdstat ] && grep -q -e resync -e recovery -e _ /proc/mdstat; do sleep 2; done
sync
echo SAID whole`);

/**
 * `npm run demo -- --install`: inspects a BIOS and a UEFI machine, shows what would be written, installs them, and boots
 * them from their disks without the network: one from a mirror, and from either of its disks alone.
 * @throws at the first thing that is not as it should be.
 */
export async function installDemo(report: StageReport): Promise<void> {
  await using lab = await Lab.create('demo');
  const segments = [
    await lab.addSegment({ relay: 'dhcrelay' }),
    await lab.addSegment({ relay: 'dhcrelay' }),
  ] as const;
  const site = await Site.start(lab);
  await site.addEdge('edge1', lab.core.bridge);
  for (const segment of segments) await site.addSegment(segment, 'edge1');
  report.tell({ stage: 'site', detail: 'a controller, and an edge for two segments behind dhcrelay' });
  const { release } = await readyToInstall(site, lab.folder, (stage, detail) =>
    report.tell({ stage, detail }),
  );
  for (const machine of MACHINES) await applyProfile(site, machine, release, report);
  void tellJournal(site.edge, new Map(MACHINES.map(({ mac, name }) => [mac, name])), report);

  const seconds = await Promise.all([
    new Installed(site, segments[0], MACHINES[0], report).show(),
    new Installed(site, segments[1], MACHINES[1], report).show(),
  ]);
  report.tell({
    stage: 'done',
    detail: `${seconds.length} machines active ${Math.max(...seconds).toFixed(0)} s after power-on, and the mirror boots from either disk`,
  });
}

async function applyProfile(
  site: Site,
  { name, layout }: DemoMachine,
  release: string,
  report: StageReport,
): Promise<void> {
  const file = `${site.lab.folder}/${name}.yaml`;
  const profile = { name, kind: 'image', release, kernelArguments: [CONSOLE] };
  const rest = { hooks: { after: [SAY_WHAT_IS_THERE] } };
  // JSON is YAML; the layout stays as a person writes it.
  const lines = Object.entries({ ...profile, ...rest }).map(
    ([key, value]) => `${key}: ${JSON.stringify(value)}`,
  );
  writeFileSync(file, `${lines.join('\n')}\nlayout: ${layout}\n`);
  await site.bootswarm('profile', 'apply', file);
  report.tell({ stage: 'profile', machine: name, detail: `bootswarm profile apply: ${layout}` });
}

/** One machine on its way to its disks. */
class Installed {
  readonly #site: Site;
  readonly #segment: Segment;
  readonly #of: DemoMachine;
  readonly #report: StageReport;
  readonly #disks: readonly MachineDisk[];

  constructor(site: Site, segment: Segment, of: DemoMachine, report: StageReport) {
    this.#site = site;
    this.#segment = segment;
    this.#of = of;
    this.#report = report;
    this.#disks = of.serials.map((serial) =>
      emptyDisk(`${site.lab.folder}/${of.name}-${serial}.raw`, serial, DISK_BYTES),
    );
  }

  /** @returns seconds from power-on to the first word of the new system. */
  async show(): Promise<number> {
    const beganAt = performance.now();
    const { mac, name } = this.#of;
    await this.#site.bootswarm('machine', 'boot', mac, 'inspect');
    const agent = await this.#powerOn('pxe', this.#disks, 'it boots from the network');
    await this.#told(INSPECTED_MS, '"detail":"waiting: inspected');
    await this.#showPlan();
    await this.#site.bootswarm('machine', 'boot', mac, 'install', name);
    this.#tell('intent', `bootswarm machine boot ${mac} install ${name}`);
    const { match } = await agent.waitFor(/ end: (verify .*)\n|FAILED: .*\n/, INSTALLED_MS);
    const [failure, steps] = match.map((each) => each?.trim());
    if (steps === undefined) throw new Error(`${name}: ${failure}`);
    this.#tell('installed', steps);
    const rebooted = await Promise.race([agent.process.exit, sleep(REBOOT_MS, undefined, { ref: false })]);
    if (!rebooted) throw new Error(`${name} did not reboot within ${REBOOT_MS / 1000} s`);
    await agent.powerOff();

    const system = await this.#powerOn('none', this.#disks, 'it boots from its disk, and from nothing else');
    await this.#requireExpected(system);
    await this.#told(BOOT_MS, '"msg":"an installed system is up"');
    const seconds = (performance.now() - beganAt) / 1000;
    await this.#requireActive();
    if (this.#disks.length > 1) await this.#showEitherDisk(system);
    else await system.powerOff();
    for (const { file } of this.#disks) rmSync(file);
    return seconds;
  }

  async #showEitherDisk(whole: Machine): Promise<void> {
    this.#tell('mirror', 'waiting until both disks hold the same');
    await whole.waitFor(/SAID whole/, RESYNC_MS);
    await whole.powerOff();
    for (const disk of this.#disks) {
      const alone = await this.#powerOn('none', [disk], `with ${disk.serial} alone`);
      await this.#requireExpected(alone);
      await alone.powerOff();
    }
  }

  async #powerOn(
    networkBoot: 'pxe' | 'none',
    disks: readonly MachineDisk[],
    detail: string,
  ): Promise<Machine> {
    const { name, firmware, mac } = this.#of;
    this.#tell('power on', detail);
    return this.#segment.startMachine({
      ...{ name, firmware, mac, networkBoot },
      // A reboot ends it, so that the next boot is one that we see to.
      noReboot: true,
      extraArguments: diskArguments(disks),
    });
  }

  async #showPlan(): Promise<void> {
    const { mac, name } = this.#of;
    const { lab, env } = this.#site;
    const shown = await lab.core.run(program('controller/cli/main.ts', 'machine', 'plan', mac, name), {
      env,
    });
    if (shown.code !== 0) throw new Error(`machine plan: ${shown.stderr}`);
    const lines = shown.stdout.split('\n').filter((line) => line !== '');
    for (const line of lines) this.#tell('plan', line);
  }

  /** What the system that runs now says of itself is what its profile asks for. */
  async #requireExpected(system: Machine): Promise<void> {
    const { match, seconds } = await system.waitFor(/SAID root.*?SAID all/s, BOOT_MS);
    const said = [...match[0].matchAll(/^SAID (?!all)(.*)$/gm)].map(([, line = '']) => line.trim());
    this.#tell('up', `${said.join('; ')}: ${seconds.toFixed(0)} s after power-on`);
    for (const pattern of this.#of.expected)
      if (!said.some((line) => pattern.test(line)))
        throw new Error(`${this.#of.name} says nothing like ${pattern}: ${said.join('; ')}`);
  }

  /** The controller hears of it a moment after the edge. */
  async #requireActive(): Promise<void> {
    const { mac } = this.#of;
    for (const deadline = Date.now() + TOLD_MS; ; await sleep(1_000)) {
      const { work } = (await this.#site.bootswarm('machine', 'show', mac)) as MachineStory;
      if (work?.state === 'active') break;
      if (Date.now() > deadline) throw new Error(`${mac} is not active: ${JSON.stringify(work)}`);
    }
    this.#tell('active', 'the controller knows it as active');
  }

  /** Waits until the edge says something of this machine. @throws where it tells of a failure first. */
  async #told(timeoutMs: number, words: string): Promise<void> {
    const line = await this.#site.edge.waitForLine(
      new RegExp(`^(?=.*"mac":"${this.#of.mac}")(?=.*(${words}|"cause":))`),
      timeoutMs,
    );
    const { cause, detail } = JSON.parse(line) as { cause?: string; detail: string };
    if (cause !== undefined) throw new Error(`${this.#of.name}: ${cause}: ${detail}`);
  }

  #tell(stage: string, detail: string): void {
    this.#report.tell({ stage, machine: this.#of.name, detail });
  }
}
