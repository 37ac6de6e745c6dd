/**
 * `npm run demo`: the main job on this host alone. Builds a release, publishes it by the command line, starts
 * a controller and an edge, and boots a BIOS and a UEFI machine in two segments behind DHCP relays. With `--install`
 * the machines are installed; with `--swarm N` so many boot live, and fetch of each other; with `--rollout` twelve, most
 * of them played, are installed in waves, while the controller is killed.
 */
import { parseArgs } from 'node:util';
import { Lab, type Machine, type Segment } from '../lab/index.ts';
import { buildMinimal } from './build.ts';
import { installDemo } from './demo-install.ts';
import { rolloutDemo } from './demo-rollout.ts';
import { swarmDemo } from './demo-swarm.ts';
import { Site } from './site.ts';
import { makeStageReport, type StageReport } from './stages.ts';
import { tellJournal } from './tell-journal.ts';

/** Emulated on two shared cores, a boot takes two to four minutes. */
const LOGIN_MS = 600_000;
/** Of a swarm: each takes 1.5 GiB of this host's memory. */
const MOST_MACHINES = 12;

const { values: options } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    swarm: { type: 'string' },
    rollout: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(
    [
      'Usage: npm run demo [-- --install | --swarm N | --rollout] [--json]',
      'Boots a BIOS and a UEFI machine from a release that it builds and publishes, and prints each stage.',
      'With --install it inspects them, installs them to disks, and boots them from there.',
      'With --swarm N so many machines boot live at once, and fetch most of the image of each other.',
      'With --rollout twelve machines, ten of them played at the level of protocols, are inspected, reserved and',
      'installed by a rollout; the controller is killed meanwhile, and a bad release stops at its canary.',
      'BOOTSWARM_QEMU_ACCEL=kvm uses hardware acceleration where /dev/kvm works.\n',
    ].join('\n'),
  );
} else {
  const report = makeStageReport(options.json, (line) => process.stdout.write(`${line}\n`));
  await chosenDemo(report).catch((error: unknown) => {
    report.tell({ stage: 'failed', detail: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  });
}

function chosenDemo(report: StageReport): Promise<void> {
  const { install, swarm, rollout } = options;
  if (rollout) return rolloutDemo(report);
  if (swarm === undefined) return install ? installDemo(report) : demo(report);
  const count = Number(swarm);
  if (Number.isInteger(count) && count >= 2 && count <= MOST_MACHINES) return swarmDemo(count, report);
  return Promise.reject(
    new Error(`--swarm takes a number of machines, 2 to ${MOST_MACHINES}, and not '${swarm}'`),
  );
}

async function demo(report: StageReport): Promise<void> {
  await using lab = await Lab.create('demo');
  const image = `${lab.folder}/image`;
  await buildMinimal(image, (detail) => report.tell({ stage: 'build', detail }));

  const segments = [
    await lab.addSegment({ relay: 'dhcrelay' }),
    await lab.addSegment({ relay: 'dhcrelay' }),
  ] as const;
  report.tell({
    stage: 'lab',
    detail: `segments ${segments.map((s) => s.subnet.cidr).join(' and ')}, each behind dhcrelay`,
  });
  const site = await Site.start(lab);
  report.tell({ stage: 'controller', detail: 'up; the operator has a token' });
  await site.addEdge('edge1', lab.core.bridge);
  report.tell({ stage: 'edge', detail: 'up, and joined the controller with its join token' });
  for (const segment of segments) await site.addSegment(segment, 'edge1');
  report.tell({ stage: 'segments', detail: 'added by bootswarm segment add' });
  const release = await site.publish(image);
  report.tell({ stage: 'publish', detail: `${release} by bootswarm image publish` });
  const macs = ['52:54:00:b0:07:01', '52:54:00:b0:07:02'] as const;
  for (const mac of macs) await site.bootswarm('machine', 'boot', mac, 'live', release);
  report.tell({ stage: 'intent', detail: `bootswarm machine boot ${macs.join(', ')}: live ${release}` });
  await site.releaseReady(release);
  report.tell({ stage: 'ready', detail: 'the edge fetched and verified every artefact' });

  const machines = await Promise.all([
    powerOn(segments[0], 'bios', macs[0], report),
    powerOn(segments[1], 'uefi', macs[1], report),
  ]);
  void tellJournal(site.edge, new Map(machines.map(({ mac, name }) => [mac, name])), report);
  const logins = await Promise.all(machines.map((machine) => untilLogin(machine, report)));
  const slowest = Math.max(...logins);
  report.tell({
    stage: 'done',
    detail: `${machines.length} machines at the login prompt ${slowest.toFixed(0)} s after power-on`,
  });
}

async function powerOn(
  segment: Segment,
  firmware: 'bios' | 'uefi',
  mac: string,
  report: StageReport,
): Promise<Machine> {
  const machine = await segment.startMachine({ name: firmware, firmware, mac });
  report.tell({ stage: 'power on', machine: firmware, detail: `${mac} in segment ${segment.number}` });
  return machine;
}

/** @returns seconds since power-on. */
async function untilLogin(machine: Machine, report: StageReport): Promise<number> {
  const { seconds } = await machine.waitFor(/login: $/, LOGIN_MS);
  report.tell({
    stage: 'login',
    machine: machine.name,
    detail: `the login prompt, ${seconds.toFixed(0)} s after power-on`,
  });
  return seconds;
}
