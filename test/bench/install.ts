import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { digestOf, findArtefact, Manifest } from '@bootswarm/images/format';
import {
  DISK_BYTES,
  diskArguments,
  emptyDisk,
  initramfsOf,
  type MachineDisk,
  readyToInstall,
  Site,
} from '../boot/index.ts';
import { Lab, type Machine, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { cpuSeconds, processTree } from './cpu.ts';

const AGENT_MOST_MB = 160;
const MIB = 2 ** 20;
const MEMORY_MIB = 1536;
/** The mini image starts in it, and the root of `large` is larger. */
const SMALL_MEMORY_MIB = 640;
const BULK_MIB = 704;
const SERIAL = 'BENCH';
const CONSOLE = 'console=ttyS0,115200n8';
const KERNEL_SPEAKS = /Linux version \d/;
const BOOT_MS = 300_000;
const INSTALL_MS = 20 * 60_000;
/** What an installation takes with an agent and without; what only one that makes a system has to do is told beside it. */
const COMPARED = ['partition', 'mount', 'fetch', 'verify', 'unpack', 'boot-loader', 'unmount'];

/** An installation from power-on to the first word of the new system, beside the same squashfs unpacked without an agent. */
export const installBench: Bench = {
  name: 'install',
  summary:
    'a machine installed, by stage, against unsquashfs and grub-install; memory of the agent against its limit',
  better: { seconds: 'less', cpu_seconds: 'less', agent_rss_mb: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-install');
    try {
      say('building the mini image and an image to install: 1 to 8 minutes');
      const ground = await Ground.lay(lab);
      const limit = async (): Promise<Measurement> => ({ agent_rss_mb: AGENT_MOST_MB });
      let large: Measurement | undefined;
      return {
        cases: [
          {
            name: 'ext4',
            subjects: {
              ours: () => ground.ours('usual', MEMORY_MIB),
              unsquashfs: () => ground.peer(),
              limit,
            },
          },
          {
            name: 'large',
            subjects: {
              ours: async () => {
                // Minutes, and no time of it is held against anything: once is enough.
                large ??= await ground.ours('large', SMALL_MEMORY_MIB);
                return large;
              },
              limit,
            },
          },
        ],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

/** By the profile that installs it. */
type Releases = Readonly<Record<'usual' | 'large', string>>;

class Ground {
  readonly #lab: Lab;
  readonly #site: Site;
  readonly #segment: Segment;
  readonly #image: string;
  readonly #releases: Releases;
  #machines = 0;

  private constructor(lab: Lab, site: Site, segment: Segment, image: string, releases: Releases) {
    this.#lab = lab;
    this.#site = site;
    this.#segment = segment;
    this.#image = image;
    this.#releases = releases;
  }

  static async lay(lab: Lab): Promise<Ground> {
    const segment = await lab.addSegment({ relay: 'none' });
    const site = await Site.start(lab);
    await site.addEdge('edge1', segment.coreInterface ?? '');
    await site.addSegment(segment, 'edge1');
    const { release, folder } = await readyToInstall(site, lab.folder, () => {});
    const large = await site.publish(await withBulk(folder, `${lab.folder}/large`));
    await applyProfile(lab, site, 'usual', release);
    await applyProfile(lab, site, 'large', large);
    return new Ground(lab, site, segment, folder, { usual: release, large });
  }

  /** Installs a machine by its agent. */
  async ours(profile: keyof Releases, memoryMiB: number): Promise<Measurement> {
    const { name, mac, disk } = this.#nextMachine();
    await this.#site.bootswarm('machine', 'boot', mac, 'install', profile);
    await this.#site.releaseReady(this.#releases[profile]);
    const machine = await this.#segment.startMachine({
      ...{ name, firmware: 'bios', mac, memoryMiB },
      extraArguments: diskArguments([disk]),
    });
    const cpu = cpuByStep(machine, /^ *[\d.]+ s {2}([a-z-]+): /);
    try {
      const kernel = await machine.waitFor(KERNEL_SPEAKS, BOOT_MS);
      const agent = await machine.waitFor(/Bootswarm agent \d/, BOOT_MS);
      const verify = await machine.waitFor(/ verify: /, BOOT_MS);
      const steps = await stepsTaken(machine);
      const installedAt = machine.seconds;
      const restart = await machine.waitFor(KERNEL_SPEAKS, BOOT_MS, machine.console.text.length);
      await this.#site.edge.waitForLine(
        new RegExp(`^(?=.*"mac":"${mac}").*an installed system is up`),
        BOOT_MS,
      );
      const [, kilobytes = ''] = /memory of the agent: (\d+) kB/.exec(machine.console.text) ?? [];
      return {
        seconds: comparedSeconds(steps),
        cpu_seconds: comparedSeconds(await cpu),
        agent_rss_mb: (Number(kilobytes) * 1024) / 1e6,
        firmware_seconds: kernel.seconds,
        kernel_seconds: agent.seconds - kernel.seconds,
        agent_seconds: verify.seconds - agent.seconds,
        ...Object.fromEntries(Array.from(steps, ([step, seconds]) => [`${step}_seconds`, seconds])),
        reboot_seconds: restart.seconds - installedAt,
        'first-boot_seconds': machine.seconds - restart.seconds,
        total_seconds: machine.seconds,
      };
    } finally {
      await machine.powerOff();
      rmSync(disk.file);
    }
  }

  /** The same squashfs from the same edge to such a disk, in the same kernel and with the same programs. */
  async peer(): Promise<Measurement> {
    const { name, mac, disk } = this.#nextMachine();
    const root = findArtefact(manifestIn(this.#image), 'root');
    if (!root) throw new Error('the image has no root');
    const { kernel, initramfs } = await this.#peerSystem();
    const url = `http://${this.#segment.edgeAddress}:8480/artefacts/${root.sha256}/${root.name}`;
    const machine = await this.#segment.startMachine({
      ...{ name, firmware: 'bios', mac, memoryMiB: MEMORY_MIB, noReboot: true },
      extraArguments: [
        ...diskArguments([disk]),
        ...['-kernel', kernel, '-initrd', initramfs],
        ...['-append', `${CONSOLE} rdinit=/peer peer.url=${url} peer.sha256=${root.sha256}`],
      ],
    });
    const cpu = cpuByStep(machine, /^PEER (\S+) /);
    try {
      const { match } = await machine.waitFor(/PEER (end|failed) .*\n/, INSTALL_MS);
      if (match[1] === 'failed') throw new Error(`the peer failed: ${machine.console.text.slice(-2000)}`);
      const told = Array.from(machine.console.text.matchAll(/PEER (\S+) ([\d.]+)/g), ([, step = '', at]) => ({
        step,
        at: Number(at),
      }));
      const steps = new Map(
        told.slice(0, -1).map(({ step, at }, index) => [step, (told[index + 1]?.at ?? at) - at]),
      );
      return {
        seconds: comparedSeconds(steps),
        cpu_seconds: comparedSeconds(await cpu),
        ...Object.fromEntries(Array.from(steps, ([step, seconds]) => [`${step}_seconds`, seconds])),
      };
    } finally {
      await machine.powerOff();
      rmSync(disk.file);
    }
  }

  #nextMachine(): { readonly name: string; readonly mac: string; readonly disk: MachineDisk } {
    this.#machines += 1;
    const name = `machine${this.#machines}`;
    const mac = `52:54:00:b0:0c:${this.#machines.toString(16).padStart(2, '0')}`;
    return { name, mac, disk: emptyDisk(`${this.#lab.folder}/${name}.raw`, SERIAL, DISK_BYTES) };
  }

  /** The mini image with one file more. */
  async #peerSystem(): Promise<{ readonly kernel: string; readonly initramfs: string }> {
    const [mini, folder] = [`${this.#lab.folder}/mini`, `${this.#lab.folder}/peer`];
    const initramfs = join(folder, 'initrd.img');
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(mini, 'initrd.img'), initramfs);
    const content = readFileSync(join(import.meta.dirname, 'install-peer.sh'), 'latin1');
    await appendFile(initramfs, initramfsOf({ name: 'peer', mode: 0o755, content }));
    return { kernel: join(mini, 'vmlinuz'), initramfs };
  }
}

/** Waits until the agent has installed. @returns seconds by step. @throws why it failed. */
async function stepsTaken(machine: Machine): Promise<ReadonlyMap<string, number>> {
  const { match } = await machine.waitFor(/ end: (verify .*)\n|FAILED: .*\n/, INSTALL_MS);
  const [whole, text] = match;
  if (text === undefined) throw new Error(whole.trim());
  return new Map(
    Array.from(text.matchAll(/([a-z-]+) ([\d.]+) s/g), ([, step = '', seconds]) => [step, Number(seconds)]),
  );
}

/**
 * CPU seconds that an emulated machine takes for each step, until the one that is called `end`: who else uses this host
 * is not in them. Never rejects.
 * @param begun finds the name of a step in the line of the console with which it begins.
 */
async function cpuByStep(machine: Machine, begun: RegExp): Promise<ReadonlyMap<string, number>> {
  const taken = new Map<string, number>();
  let current: { readonly step: string; readonly since: number } | undefined;
  for await (const line of machine.console.lines()) {
    const [, step] = begun.exec(line) ?? [];
    if (step === undefined) continue;
    const now = cpuTaken(machine);
    if (now === undefined) break;
    if (current) taken.set(current.step, (taken.get(current.step) ?? 0) + now - current.since);
    if (step === 'end') break;
    current = { step, since: now };
  }
  return taken;
}

/** undefined where it is not there any more. */
function cpuTaken(machine: Machine): number | undefined {
  try {
    return cpuSeconds(processTree(machine.process.pid));
  } catch {
    return undefined;
  }
}

function comparedSeconds(steps: ReadonlyMap<string, number>): number {
  // The agent verifies pieces while it fetches; its step of that name is about signatures, and a second at most.
  return COMPARED.reduce((sum, step) => sum + (steps.get(step) ?? 0), 0);
}

async function applyProfile(lab: Lab, site: Site, name: string, release: string): Promise<void> {
  const file = `${lab.folder}/${name}.yaml`;
  writeFileSync(
    file,
    `name: ${name}
kind: image
release: ${release}
layout: { disks: [{ serial: ${SERIAL} }] }
kernelArguments: ["${CONSOLE}"]
`,
  );
  await site.bootswarm('profile', 'apply', file);
}

/** A copy of an image with a file of noise in its root, which no compression makes any smaller. */
async function withBulk(image: string, folder: string): Promise<string> {
  await cp(image, folder, { recursive: true });
  const bulk = `${folder}-bulk`;
  mkdirSync(bulk);
  for (let done = 0; done < BULK_MIB; done += 64) await appendFile(join(bulk, 'bulk'), randomBytes(64 * MIB));
  const manifest = manifestIn(folder);
  const root = findArtefact(manifest, 'root');
  if (!root) throw new Error('the image has no root');
  const squashfs = join(folder, root.name);
  await promisify(execFile)('mksquashfs', [bulk, squashfs, '-quiet', '-no-progress', '-no-recovery']);
  rmSync(bulk, { recursive: true });
  const stream = Readable.toWeb(createReadStream(squashfs)) as ReadableStream<Uint8Array>;
  const { pieces, ...digest } = await digestOf(stream);
  const artefacts = manifest.artefacts.map((each) =>
    each.role === 'root' ? { ...each, ...digest, pieces: [...pieces] } : each,
  );
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...manifest, version: `${manifest.version}-large`, artefacts }),
  );
  return folder;
}

function manifestIn(folder: string): Manifest {
  return Manifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
}
