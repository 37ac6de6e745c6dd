import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Manifest, releaseId } from '@bootswarm/images/format';
import { DiskLayout } from '@bootswarm/images/install';
import { sayAtBoot } from '../fixtures/say-at-boot.ts';
import { Guest, type GuestDisk, type GuestOptions } from '../guest.ts';
import { pathOf, program } from '../program.ts';
import { EdgeServer } from './install-edge.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const DISK_BYTES = 6 * GIB;
/** Emulated on two shared cores; of a server these are seconds. */
const INSTALL_MS = 30 * 60_000;
const BOOT_MS = 12 * 60_000;
const CONSOLE = 'console=ttyS0,115200n8';

/** What the new system says of itself. */
const SAY_WHAT_IS_THERE = sayAtBoot(`echo
echo "SAID host $(hostname)"
findmnt -rn -o TARGET,FSTYPE | sed "s/^/SAID mount /"
swapon --noheadings --show=TYPE | sed "s/^/SAID swap /"
[ ! -e /proc/mdstat ] || sed -n "s/^md/SAID array md/p" /proc/mdstat
echo SAID end
while [ -e /proc/mdstat ] && grep -q -e resync -e recovery -e _ /proc/mdstat; do sleep 2; done
sync
echo SAID whole`);

/** Where tests install machines: a mini image, an image that has all that a profile may ask for, and an edge. */
export class InstallSite {
  readonly folder: string;
  readonly edge: EdgeServer;
  readonly #release: string;
  #epochs = 0;

  private constructor(folder: string, edge: EdgeServer, release: string) {
    this.folder = folder;
    this.edge = edge;
    this.#release = release;
  }

  /**
   * Builds a mini image, which takes minutes.
   * @param image where the one to install was built; made of `installable.yaml` unless said.
   */
  static async start(folder: string, image = join(folder, 'image')): Promise<InstallSite> {
    const edge = await EdgeServer.start();
    const root = join(folder, 'root.json');
    writeFileSync(root, edge.repository.root);
    await bootswarm('mini', 'build', '--flavour', 'vm', '--trust-root', root, '--out', join(folder, 'mini'));
    if (!existsSync(image))
      await bootswarm('image', 'build', pathOf('test/boot/fixtures/installable.yaml'), '--out', image);
    const manifest = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8')) as Manifest;
    edge.publish({ manifest, folder: image });
    return new InstallSite(folder, edge, releaseId(manifest));
  }

  async stop(): Promise<void> {
    await this.edge.stop();
  }

  /** A machine with empty disks of these serial numbers. */
  machine(
    name: string,
    firmware: GuestOptions['firmware'],
    serials: readonly string[],
    memoryMiB = 1024,
  ): InstalledMachine {
    const disks = serials.map((serial): GuestDisk => {
      const file = join(this.folder, `${name}-${serial}.img`);
      const handle = openSync(file, 'w');
      ftruncateSync(handle, DISK_BYTES);
      closeSync(handle);
      return { file, serial };
    });
    const variablesFile = join(this.folder, `${name}-variables.fd`);
    return new InstalledMachine(this, { firmware, disks, memoryMiB, variablesFile });
  }

  /** Orders the installation of the one machine that there is. @param release of another that the edge has. */
  arm(layout: object, release = this.#release): void {
    this.#epochs += 1;
    const hooks = { before: [], after: release === this.#release ? [SAY_WHAT_IS_THERE] : [] };
    this.edge.arm({
      epoch: this.#epochs,
      release,
      machine: {
        id: 'm1',
        hostname: 'node1',
        mac: '52:54:00:12:34:56',
        address: '10.0.2.15',
        prefixLength: 24,
        router: '10.0.2.2',
        dnsServers: ['10.0.2.3'],
      },
      profile: {
        name: 'p',
        kind: 'image',
        release,
        layout: DiskLayout.parse(layout),
        kernelArguments: [CONSOLE, 'no_timer_check'],
        firstBoot: {
          rootPasswordHash: '*',
          sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEqVvD0b test'],
          network: 'dhcp',
          timezone: 'Etc/UTC',
          locale: 'C.UTF-8',
        },
        hooks,
        firstBootMinutes: 20,
      },
    });
  }

  get mini(): NonNullable<GuestOptions['kernel']> {
    return {
      image: join(this.folder, 'mini/vmlinuz'),
      initramfs: join(this.folder, 'mini/initrd.img'),
      arguments: `${CONSOLE} no_timer_check bootswarm.edge=http://10.0.2.2:${this.edge.port}`,
    };
  }
}

class InstalledMachine {
  readonly disks: readonly GuestDisk[];
  readonly #site: InstallSite;
  readonly #options: GuestOptions;

  constructor(site: InstallSite, options: GuestOptions) {
    this.#site = site;
    this.#options = options;
    this.disks = options.disks;
  }

  /** Boots the agent. The caller ends it. */
  bootAgent(): Guest {
    return new Guest({ ...this.#options, kernel: this.#site.mini });
  }

  /** Boots the agent, and waits until it has installed and rebooted. @returns its console. */
  async install(): Promise<string> {
    await using guest = this.bootAgent();
    const { ended } = this.#site.edge;
    const isOver = (): boolean => ended.some(({ outcome }) => outcome === 'done') || ended.length > 1;
    await guest.until('installed', isOver, INSTALL_MS);
    await guest.rebooted(60_000);
    return guest.console;
  }

  /** Boots the agent, and cuts the power once something holds. */
  async cutPower(what: string, holds: (console: string) => boolean): Promise<void> {
    await using guest = this.bootAgent();
    await guest.until(what, () => holds(guest.console), INSTALL_MS);
  }

  /**
   * Boots what is on some of its disks.
   * @param wait until its mirrors have all that they should, or until a person may log in, for so long.
   * @returns what the new system says of itself.
   */
  async bootDisks(
    disks = this.disks,
    wait: {
      readonly isMirrorWhole?: boolean;
      readonly isAtLogin?: boolean;
      readonly timeoutMs?: number;
    } = {},
  ): Promise<readonly string[]> {
    await using guest = new Guest({ ...this.#options, disks });
    await guest.until('up', () => guest.console.includes('SAID end'), BOOT_MS);
    const { edge } = this.#site;
    await guest.until('heard of', () => edge.firstBoots > 0, BOOT_MS);
    if (wait.isMirrorWhole === true)
      await guest.until('whole', () => guest.console.includes('SAID whole'), wait.timeoutMs ?? BOOT_MS);
    if (wait.isAtLogin === true)
      await guest.until('at its login prompt', () => guest.console.includes(' login: '), BOOT_MS);
    return [...guest.console.matchAll(/SAID (.*?)\r?\n/g)].map(([, line = '']) => line.trim());
  }
}

/** Fills the beginning, the middle and the end of a disk with noise. @returns what stands in these places when it is called. */
export function scribble({ file }: GuestDisk): () => Buffer {
  const places = [0, DISK_BYTES / 2, DISK_BYTES - MIB];
  const handle = openSync(file, 'r+');
  for (const place of places) writeSync(handle, randomBytes(MIB), 0, MIB, place);
  closeSync(handle);
  return () => {
    const whole = Buffer.alloc(places.length * MIB);
    const disk = openSync(file, 'r');
    for (const [index, place] of places.entries()) readSync(disk, whole, index * MIB, MIB, place);
    closeSync(disk);
    return whole;
  };
}

async function bootswarm(...args: readonly string[]): Promise<void> {
  const [node, ...rest] = program('controller/cli/main.ts', '--json', ...args);
  await promisify(execFile)(node, rest, { maxBuffer: 64 * MIB });
}
