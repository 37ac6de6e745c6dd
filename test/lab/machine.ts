import { randomUUID } from 'node:crypto';
import { constants, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Network } from './network.ts';
import type { Process, ProcessExit } from './process.ts';
import { type Firmware, type NetworkBoot, pristineVariables, qemuCommand } from './qemu.ts';
import { createTerminalFilter } from './terminal.ts';
import type { Transcript } from './transcript.ts';

export interface MachineOptions {
  /** Unique in its segment. Its log and UEFI variables go by it, and the variables outlive its power cycles. */
  readonly name: string;
  readonly firmware: Firmware;
  /** `pxe` unless said. */
  readonly networkBoot?: NetworkBoot;
  /** Given in turn unless said. */
  readonly mac?: string;
  /** Random unless said. */
  readonly uuid?: string;
  readonly serial?: string;
  /** 1024 unless said. */
  readonly memoryMiB?: number;
  /** 1 unless said. */
  readonly cpus?: number;
  /** BOOTSWARM_QEMU_ACCEL unless said, else `tcg`. */
  readonly accel?: string;
  /**
   * The NIC's option ROM; it must be built for PCI 1af4:1000, or SeaBIOS passes it over. Unless said, it is
   * QEMU's iPXE for BIOS, and none for UEFI so that the firmware's own PXE is tried.
   */
  readonly romFile?: string;
  /** Raw unless its name ends in `.qcow2`; tried after the network. */
  readonly diskFile?: string;
  /** A reboot then ends the machine. */
  readonly noReboot?: boolean;
  readonly extraArguments?: readonly string[];
}

/** SeaBIOS holds 16 keys and loses the rest of what arrives at once. */
const KEYSTROKE_MS = 20;

export interface ConsoleMatch {
  readonly match: RegExpExecArray;
  /** From power-on to the moment the match was seen. */
  readonly seconds: number;
}

/** An emulated server, from power-on to power-off. */
export class Machine {
  readonly name: string;
  readonly mac: string;
  readonly uuid: string;
  /** QEMU's process; its exit is the machine's. */
  readonly process: Process;
  readonly #network: Network;
  /** The segment's end of its cable: an interface there. */
  readonly tap: string;
  readonly #poweredOnAt = performance.now();

  private constructor(
    identity: { name: string; mac: string; uuid: string },
    process: Process,
    network: Network,
    tap: string,
  ) {
    this.name = identity.name;
    this.mac = identity.mac;
    this.uuid = identity.uuid;
    this.process = process;
    this.#network = network;
    this.tap = tap;
  }

  /** Plugs a TAP device into the network's bridge and starts QEMU behind it; `folder` keeps its variables. */
  static async powerOn(
    network: Network,
    folder: string,
    tap: string,
    options: MachineOptions & { readonly mac: string },
  ): Promise<Machine> {
    const { name, firmware, uuid = randomUUID() } = options;
    const variablesFile = join(folder, `${network.label}-${name}-variables.fd`);
    await copyUnlessThere(pristineVariables(firmware), variablesFile);
    await network.ip(`tuntap add dev ${tap} mode tap`, `link set ${tap} master ${network.bridge} up`);
    const argv = qemuCommand({
      memoryMiB: 1024,
      cpus: 1,
      accel: process.env['BOOTSWARM_QEMU_ACCEL'] ?? 'tcg',
      ...(firmware === 'bios' ? {} : { romFile: '' }),
      ...options,
      uuid,
      tap,
      variablesFile,
    });
    const qemu = await network.start(argv, { name, filter: createTerminalFilter() });
    return new Machine({ name, mac: options.mac, uuid }, qemu, network, tap);
  }

  /** Everything on the serial line so far, free of terminal escapes. */
  get console(): Transcript {
    return this.process.output;
  }

  /** Since power-on. */
  get seconds(): number {
    return (performance.now() - this.#poweredOnAt) / 1000;
  }

  /**
   * The first match on the console from the character `since` on (`console.text.length` is "from now on").
   * Throws with the console's tail.
   */
  async waitFor(pattern: RegExp, timeoutMs: number, since = 0): Promise<ConsoleMatch> {
    const match = await this.console.waitFor(pattern, timeoutMs, since);
    return { match, seconds: this.seconds };
  }

  /** Types on the serial line; `\r` is the Enter key. Resolves once all is typed. */
  async type(text: string): Promise<void> {
    for (const key of text) {
      this.process.write(key);
      await setTimeout(KEYSTROKE_MS);
    }
  }

  /** Cuts the power and unplugs the cable. */
  async powerOff(): Promise<ProcessExit> {
    const exit = await this.process.kill9();
    await this.#network.run(['ip', 'link', 'del', this.tap]);
    return exit;
  }
}

async function copyUnlessThere(from: string | undefined, to: string): Promise<void> {
  if (from === undefined) return;
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
