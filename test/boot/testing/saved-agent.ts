import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Guest, type GuestOptions } from '../guest.ts';
import { Qmp } from './qmp.ts';

const BOOT_MS = 8 * 60_000;
const SAVE_MS = 120_000;
const MEMORY_MIB = 768;

/** A disk to be plugged into a running machine. */
export interface PluggedDisk {
  /** Raw. */
  readonly file: string;
  readonly serial: string;
  /** 16 hexadecimal digits after 0x. */
  readonly wwn?: string;
  /** Where each write is to be logged, from the beginning: see write-log.ts. */
  readonly logFile?: string;
  /** Bytes at which the disk cannot be read. */
  readonly unreadable?: readonly number[];
}

/** A machine whose agent is up and has nothing to do, without a disk: saved once, and woken as often as one likes. */
export class SavedAgent {
  readonly #options: GuestOptions;
  readonly #folder: string;
  readonly #state: string;

  private constructor(options: GuestOptions, folder: string, state: string) {
    this.#options = options;
    this.#folder = folder;
    this.#state = state;
  }

  /** @param isWaiting whether the agent has told the edge that it waits. */
  static async save(
    kernel: NonNullable<GuestOptions['kernel']>,
    folder: string,
    isWaiting: () => boolean,
    firmware: GuestOptions['firmware'] = 'bios',
  ): Promise<SavedAgent> {
    const variablesFile = join(folder, `agent-${firmware}-variables.fd`);
    const options: GuestOptions = { firmware, disks: [], memoryMiB: MEMORY_MIB, variablesFile, kernel };
    const state = join(folder, `agent-${firmware}.state`);
    const saved = new SavedAgent(options, folder, state);
    await using guest = new PluggableGuest(options, folder);
    await guest.until('waiting for an order', isWaiting, BOOT_MS);
    const qmp = await guest.qmp();
    // Slowly by default, as it would be sent over a network.
    await qmp.do('migrate-set-parameters', { 'max-bandwidth': 2 ** 34 });
    await qmp.do('stop');
    await qmp.do('migrate', { uri: `exec:cat >'${state}'` });
    for (const deadline = performance.now() + SAVE_MS; ; await sleep(100)) {
      const { status } = (await qmp.do('query-migrate')) as { readonly status: string };
      if (status === 'completed') return saved;
      if (status === 'failed' || performance.now() > deadline) throw new Error(`not saved: ${status}`);
    }
  }

  /** The machine as it was, and as if it had these disks since it was switched on. The caller ends it. */
  async wake(disks: readonly PluggedDisk[]): Promise<PluggableGuest> {
    if (!existsSync(this.#state)) throw new TypeError('it was not saved');
    const more = ['-incoming', `exec:cat '${this.#state}'`];
    const guest = new PluggableGuest({ ...this.#options, more }, this.#folder);
    await guest.running();
    for (const disk of disks) await guest.plug(disk);
    return guest;
  }
}

/** A guest whose disks come and go while it runs. */
export class PluggableGuest extends Guest {
  readonly #socket: string;
  #qmp: Qmp | undefined;
  #disks = 0;

  constructor(options: GuestOptions, folder: string) {
    const socket = join(folder, `${randomUUID().slice(0, 8)}.qmp`);
    super({
      ...options,
      more: [
        ...['-qmp', `unix:${socket},server=on,wait=off`],
        ...['-device', 'virtio-scsi-pci,id=scsi0'],
        ...(options.more ?? []),
      ],
    });
    this.#socket = socket;
  }

  async qmp(): Promise<Qmp> {
    this.#qmp ??= await Qmp.connect(this.#socket);
    return this.#qmp;
  }

  async running(): Promise<void> {
    const qmp = await this.qmp();
    for (const deadline = performance.now() + SAVE_MS; ; await sleep(50)) {
      const { status } = (await qmp.do('query-status')) as { readonly status: string };
      // As it was when it was saved.
      if (status === 'paused') break;
      if (performance.now() > deadline) throw new Error(`it does not wake: ${status}`);
    }
    await qmp.do('cont');
  }

  async plug({ file, serial, wwn, logFile, unreadable }: PluggedDisk): Promise<void> {
    const qmp = await this.qmp();
    const id = `disk${this.#disks}`;
    this.#disks += 1;
    const open = { driver: 'file', filename: file, discard: 'unmap', locking: 'off' } as const;
    const node = { 'node-name': id, driver: 'raw', discard: 'unmap' } as const;
    if (logFile !== undefined) {
      writeFileSync(logFile, '');
      await qmp.do('blockdev-add', {
        ...node,
        driver: 'blklogwrites',
        file: { ...open, cache: { 'no-flush': true } },
        log: { driver: 'file', filename: logFile, cache: { 'no-flush': true } },
      });
    } else if (unreadable)
      await qmp.do('blockdev-add', {
        ...node,
        file: {
          driver: 'blkdebug',
          image: open,
          'inject-error': unreadable.map((byte) => ({
            event: 'none',
            iotype: 'read',
            errno: 5,
            sector: byte / 512,
          })),
        },
      });
    else await qmp.do('blockdev-add', { ...node, file: { ...open, cache: { 'no-flush': true } } });
    await qmp.do('device_add', {
      driver: 'scsi-hd',
      bus: 'scsi0.0',
      id: `plug-${id}`,
      drive: id,
      serial,
      'write-cache': 'on',
      ...(wwn === undefined ? {} : { wwn }),
    });
  }

  async setLink(up: boolean): Promise<void> {
    await (await this.qmp()).do('set_link', { name: 'net0', up });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#qmp?.close();
    await super[Symbol.asyncDispose]();
  }
}
