import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import type { AgentFacts } from '@bootswarm/controller/contract';

const ETHERNET = '1';
const SECTOR_BYTES = 512;
/** Not disks of the machine: memory, loops, what was put together from other disks, optical drives. */
const NO_DISK = /^(ram|loop|dm-|md|sr|zram|fd|nbd)/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const NO_MAC = '00:00:00:00:00:00';

/** An Ethernet card, as /sys/class/net shows it. */
export interface Link {
  readonly name: string;
  readonly mac: string;
  readonly driver: string | undefined;
  /** A carrier; only of a card that is up. */
  readonly hasLink: boolean;
}

/** What Linux says of the machine in /proc and /sys. Whatever is missing there is left out. */
export class Host {
  readonly #root: string;

  /** @param root another than `/`, for tests. */
  constructor(root = '/') {
    this.#root = root;
  }

  async commandLine(): Promise<string> {
    return (await this.#read('proc/cmdline')) ?? '';
  }

  async kernel(): Promise<string> {
    return (await this.#read('proc/sys/kernel/osrelease')) ?? 'unknown';
  }

  /** Since the kernel started. */
  async uptimeSeconds(): Promise<number> {
    const seconds = Number.parseFloat((await this.#read('proc/uptime')) ?? '');
    return Number.isFinite(seconds) ? seconds : 0;
  }

  /** As firmware tells it to DHCP, too: the kernel has put its bytes in order. */
  async uuid(): Promise<string | undefined> {
    const uuid = (await this.#read('sys/class/dmi/id/product_uuid'))?.toLowerCase();
    return uuid !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ? uuid : undefined;
  }

  /** Consoles that the kernel writes to, such as `tty0` and `ttyS0`; the last one is /dev/console. */
  async consoles(): Promise<readonly string[]> {
    const active = (await this.#read('sys/class/tty/console/active')) ?? '';
    return active.split(/\s+/).filter((name) => /^tty[A-Za-z0-9]+$/.test(name));
  }

  /** The Ethernet cards, in the order of their names. */
  async links(): Promise<readonly Link[]> {
    const names = await this.#list('sys/class/net');
    const links = await Promise.all(
      names.map(async (name): Promise<Link | undefined> => {
        const at = `sys/class/net/${name}`;
        const [type, address, carrier] = await Promise.all(
          ['type', 'address', 'carrier'].map((file) => this.#read(`${at}/${file}`)),
        );
        const driver = await this.#linkOf(`${at}/device/driver`);
        const mac = address?.toLowerCase() ?? '';
        // Bridges, bonds and tunnels have no device behind them.
        const isCard = (await this.#linkOf(`${at}/device`)) !== undefined;
        if (type !== ETHERNET || !MAC.test(mac) || mac === NO_MAC || !isCard) return undefined;
        return { name, mac, driver, hasLink: carrier === '1' };
      }),
    );
    return links.filter((link) => link !== undefined);
  }

  async facts(): Promise<AgentFacts> {
    const [manufacturer, product, serial] = await Promise.all(
      ['sys_vendor', 'product_name', 'product_serial'].map((file) => this.#text(`sys/class/dmi/id/${file}`)),
    );
    const isUefi = await stat(join(this.#root, 'sys/firmware/efi')).then(
      () => true,
      () => false,
    );
    const links = await this.links();
    return {
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(product === undefined ? {} : { product }),
      ...(serial === undefined ? {} : { serial }),
      firmware: isUefi ? 'uefi' : 'bios',
      processors: Math.max(1, cpus().length),
      cards: links.slice(0, 128).map(({ name, mac, driver, hasLink }) => ({
        name,
        mac,
        hasLink,
        ...(driver === undefined ? {} : { driver }),
      })),
      disks: await this.#disks(),
    };
  }

  memoryBytes(): number {
    return totalmem();
  }

  async #disks(): Promise<AgentFacts['disks']> {
    const names = (await this.#list('sys/block')).filter((name) => !NO_DISK.test(name)).slice(0, 512);
    const isPath = await Promise.all(names.map((name) => this.#text(`sys/block/${name}/hidden`)));
    const disks = names.filter((_, index) => isPath[index] !== '1');
    return Promise.all(
      disks.map(async (name) => {
        const sectors = Number((await this.#read(`sys/block/${name}/size`)) ?? '0');
        const model = await this.#text(`sys/block/${name}/device/model`);
        return {
          name,
          bytes: Number.isSafeInteger(sectors) ? sectors * SECTOR_BYTES : 0,
          ...(model === undefined ? {} : { model }),
        };
      }),
    );
  }

  /** A line of a vendor, of whatever they wrote there. */
  async #text(path: string): Promise<string | undefined> {
    const text = (await this.#read(path))
      ?.replace(/[^\x20-\x7e]/g, '')
      .trim()
      .slice(0, 200);
    return text === '' ? undefined : text;
  }

  async #read(path: string): Promise<string | undefined> {
    // `carrier` of a card that is down cannot be read: EINVAL.
    return readFile(join(this.#root, path), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  async #list(path: string): Promise<readonly string[]> {
    return (await readdir(join(this.#root, path)).catch(() => [])).toSorted();
  }

  async #linkOf(path: string): Promise<string | undefined> {
    return readlink(join(this.#root, path)).then(basename, () => undefined);
  }
}
