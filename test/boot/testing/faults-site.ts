import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Guest, type GuestOptions } from '../guest.ts';
import { emptyDisk } from './foreign-disks.ts';
import type { EdgeServer } from './install-edge.ts';
import { InstallSite } from './install-site.ts';
import { type PluggableGuest, type PluggedDisk, SavedAgent } from './saved-agent.ts';
import { buildSmallSystem } from './small-system.ts';
import { readWriteLog } from './write-log.ts';

const SMALL = 'small/1/amd64';
const DISK_BYTES = 2 * 2 ** 30;
/** Emulated on two shared cores: half a minute on a quiet host. */
const INSTALL_MS = 8 * 60_000;
const REBOOT_MS = 60_000;
/** SeaBIOS gives up within a second, OVMF within ten. */
const NO_BOOT_MS = 90_000;
/** What each says of a disk that it does not start. */
const NOT_FOUND = /failed to load Boot\w+ "UEFI Misc Device".*Not Found/;
const NOTHING = { bios: /No bootable device/, uefi: NOT_FOUND, 'uefi-secure': NOT_FOUND };
const UP_MS = 4 * 60_000;

type Firmware = GuestOptions['firmware'];

/** A disk of a machine, with a log of everything that was written to it. */
export interface FaultyDisk extends PluggedDisk {
  readonly logFile: string;
}

/** Where installations go wrong: a saved agent, a small system, and an edge that can be made to fail. */
export class FaultsSite {
  readonly folder: string;
  readonly edge: EdgeServer;
  /** Where the small system's artefacts lie. */
  readonly release: string;
  readonly firmware: Firmware;
  readonly #site: InstallSite;
  readonly #agent: SavedAgent;
  #disks = 0;

  private constructor(firmware: Firmware, site: InstallSite, release: string, agent: SavedAgent) {
    this.folder = site.folder;
    this.edge = site.edge;
    this.release = release;
    this.firmware = firmware;
    this.#site = site;
    this.#agent = agent;
  }

  static async start(folder: string): Promise<FaultsSite> {
    const site = await InstallSite.start(folder);
    const small = await buildSmallSystem(join(folder, 'image'), folder);
    site.edge.publish(small);
    return FaultsSite.#of('bios', site, small.folder);
  }

  static async #of(firmware: Firmware, site: InstallSite, release: string): Promise<FaultsSite> {
    const { edge, mini, folder } = site;
    edge.order = undefined;
    edge.reports.length = 0;
    const isWaiting = (): boolean => edge.reports.some(({ stage }) => stage === 'waiting');
    return new FaultsSite(firmware, site, release, await SavedAgent.save(mini, folder, isWaiting, firmware));
  }

  /** The same with machines of another firmware. */
  withFirmware(firmware: Firmware): Promise<FaultsSite> {
    return FaultsSite.#of(firmware, this.#site, this.release);
  }

  async stop(): Promise<void> {
    await this.#site.stop();
  }

  disk(serial: string, { bytes = DISK_BYTES, wwn }: { bytes?: number; wwn?: string } = {}): FaultyDisk {
    this.#disks += 1;
    const file = join(this.folder, `${this.firmware}-${this.#disks}-${serial}.img`);
    emptyDisk(file, bytes);
    return { file, serial, logFile: `${file}.log`, ...(wwn === undefined ? {} : { wwn }) };
  }

  /** Orders that the small system be installed. */
  arm(layout: object): void {
    this.#site.arm(layout, SMALL);
  }

  /** Wakes the agent in a machine with these disks. The caller ends it. */
  wake(disks: readonly PluggedDisk[]): Promise<PluggableGuest> {
    return this.#agent.wake(disks);
  }

  /** Resolves when the try that is going on has ended in one way or another. @returns its cause, or `done`. */
  async ended(guest: Guest): Promise<string> {
    const { edge } = this;
    await guest.until('at the end of a try', () => edge.ended.length > 0, INSTALL_MS);
    const [end] = edge.ended;
    return end?.outcome === 'failed' ? (end.cause ?? 'no cause') : 'done';
  }

  /** Has the agent install, and waits until the machine has rebooted. @returns how it ended, as `ended`. */
  async install(disks: readonly PluggedDisk[]): Promise<string> {
    await using guest = await this.wake(disks);
    const end = await this.ended(guest);
    if (end === 'done') await guest.rebooted(REBOOT_MS);
    return end;
  }

  /** Runs the agent until something holds, and cuts the power. */
  async cutPower(disks: readonly PluggedDisk[], what: string, holds: () => boolean): Promise<void> {
    await using guest = await this.wake(disks);
    await guest.until(what, holds, INSTALL_MS);
  }

  /** By its log: reports come once a second, and some steps are over before. */
  isAt(step: string): boolean {
    return this.edge.lines.some((line) => line.includes(` ${step}: `));
  }

  /** Bytes of the image that the agent has fetched. */
  get fetchedBytes(): number {
    const fetches = this.edge.reports.filter(({ progress }) => progress?.step === 'fetch');
    return fetches.at(-1)?.progress?.doneBytes ?? 0;
  }

  /**
   * Switches a machine on that has this disk alone.
   * @returns `nothing` where firmware finds nothing to start, else what was started: `the old system`, or that the new
   * one is `whole`. @throws with its console for everything between.
   */
  async boot(
    file: string,
    firmware: Firmware = this.firmware,
  ): Promise<'nothing' | 'the old system' | 'whole'> {
    // Of a machine that was told nothing: it starts what it finds.
    const variablesFile = join(this.folder, 'pristine-variables.fd');
    rmSync(variablesFile, { force: true });
    const disks = [{ file, serial: 'BOOT' }];
    await using guest = new Guest({ firmware, disks, memoryMiB: 512, variablesFile });
    const says = (text: string): boolean => guest.console.includes(text);
    const isDecided = (): boolean =>
      NOTHING[firmware].test(guest.console) || says('THE OLD SYSTEM') || says('Linux version');
    await guest.until('started, nor left alone', isDecided, NO_BOOT_MS);
    if (says('THE OLD SYSTEM')) return 'the old system';
    if (!says('Linux version')) return 'nothing';
    await guest.until('up', () => says('SAID end'), UP_MS);
    if (!says('SAID host node1') || !says('SAID sums right') || this.edge.firstBoots === 0)
      throw new Error(guest.console.slice(-2000));
    return 'whole';
  }
}

/** How often a disk was asked to change something. */
export function writesTo({ logFile }: FaultyDisk): number {
  return readWriteLog(logFile).filter(({ kind }) => kind !== 'flush').length;
}
