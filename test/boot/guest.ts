import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Firmware,
  flashArguments,
  machineType,
  pristineVariables,
  processorArguments,
} from '../lab/index.ts';

const QEMU = 'qemu-system-x86_64';
const KEY_MS = 400;

export interface GuestDisk {
  /** Raw. */
  readonly file: string;
  readonly serial: string;
}

export interface GuestOptions {
  readonly firmware: Firmware;
  /** In the order in which the machine sees them. */
  readonly disks: readonly GuestDisk[];
  readonly memoryMiB: number;
  /** Kept between boots; made from pristine ones where it is not there. */
  readonly variablesFile: string;
  /** Started in the place of what is on the disks. */
  readonly kernel?: { readonly image: string; readonly initramfs: string; readonly arguments: string };
  /** False for a machine without any card. */
  readonly hasNetwork?: boolean;
  /** More of QEMU's own arguments. */
  readonly more?: readonly string[];
}

/**
 * An emulated machine without a network but QEMU's own, in which 10.0.2.2 is this host's loopback: what matters are its
 * disks. It ends at a reboot.
 */
export class Guest implements AsyncDisposable {
  readonly #process: ReturnType<typeof spawn>;
  readonly #ended: Promise<unknown>;
  #console = '';
  readonly #startedAt = performance.now();

  constructor({
    firmware,
    disks,
    memoryMiB,
    variablesFile,
    kernel,
    hasNetwork = true,
    more = [],
  }: GuestOptions) {
    const pristine = pristineVariables(firmware);
    if (pristine !== undefined && !existsSync(variablesFile)) copyFileSync(pristine, variablesFile);
    this.#process = spawn(
      'setpriv',
      [
        // Whoever ends this process, however: its machines end as well.
        ...['--pdeathsig', 'KILL', '--', QEMU],
        ...['-nodefaults', '-display', 'none', '-monitor', 'none', '-no-reboot'],
        ...['-machine', machineType(firmware), ...processorArguments('tcg'), '-m', String(memoryMiB)],
        ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
        ...(hasNetwork
          ? ['-netdev', 'user,id=net0', '-device', 'virtio-net-pci,netdev=net0,romfile=']
          : ['-nic', 'none']),
        ...disks.flatMap(({ file, serial }, index) => [
          ...['-drive', `if=none,id=disk${index},format=raw,cache=unsafe,discard=unmap,file=${file}`],
          ...['-device', `virtio-blk-pci,drive=disk${index},serial=${serial},bootindex=${index + 1}`],
        ]),
        ...['-device', 'virtio-rng-pci'],
        ...(firmware === 'bios' ? [] : flashArguments(firmware, variablesFile)),
        ...(kernel
          ? ['-kernel', kernel.image, '-initrd', kernel.initramfs, '-append', kernel.arguments]
          : []),
        ...more,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#process.stdout?.setEncoding('latin1').on('data', (text: string) => {
      this.#console += text;
    });
    this.#ended = once(this.#process, 'exit');
  }

  /** Everything on its serial line so far. */
  get console(): string {
    return this.#console;
  }

  /** Types on the serial line, no faster than firmware takes it. */
  async type(keys: string): Promise<void> {
    for (const key of keys) {
      this.#process.stdin?.write(key);
      await sleep(KEY_MS);
    }
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves as soon as something holds. @throws with the tail of the console where it does not in time, or the guest ends. */
  async until(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      if (performance.now() > deadline || !this.isRunning)
        throw new Error(
          `not ${what} after ${this.seconds.toFixed(0)} s${this.isRunning ? '' : ', and it has ended'}: ${this.#console.slice(-3000)}`,
        );
      await sleep(200);
    }
  }

  /** Resolves when it has rebooted, which ends it. */
  async rebooted(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.isRunning) {
      if (performance.now() > deadline) throw new Error(`no reboot: ${this.#console.slice(-3000)}`);
      await sleep(200);
    }
  }

  /** Cuts the power. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
