import type { Firmware, Machine, NetworkBoot } from '../lab/index.ts';
import type { Chain, Ground } from './ground.ts';
import type { Column } from './matrix.ts';

/** Emulated, two at once on two cores: HTTP boot alone takes two minutes here. */
const BOOT_MS = 360_000;
const SECURE_BOOT_MS = 60_000;

/** A kind of firmware that boots. */
export interface Boot {
  readonly row: string;
  readonly firmware: Firmware;
  readonly networkBoot?: NetworkBoot;
  readonly chain: Chain;
  /** What the edge must have journaled on the way, in order: that it was this way and no other. */
  readonly way: readonly RegExp[];
}

const SCRIPT = [/^script boot live/, /^kernel fetched/, /^initramfs fetched/];

export const BOOTS: readonly Boot[] = [
  {
    row: 'BIOS, iPXE option ROM',
    firmware: 'bios',
    chain: 'ipxe',
    way: [/^offer .*iPXE/, ...SCRIPT],
  },
  {
    row: 'BIOS, PXE ROM without user-class',
    firmware: 'bios',
    chain: 'undionly',
    way: [/^offer .*BIOS/, /^firmware undionly\.kpxe by TFTP: complete/, /^offer .*iPXE/, ...SCRIPT],
  },
  {
    row: 'UEFI PXE',
    firmware: 'uefi',
    chain: 'ipxe',
    way: [/^offer .*UEFI x64/, /^firmware snponly\.efi by TFTP: complete/, /^offer .*iPXE/, ...SCRIPT],
  },
  {
    row: 'UEFI HTTP',
    firmware: 'uefi',
    networkBoot: 'http',
    chain: 'ipxe',
    way: [/^offer .*UEFI HTTP x64 by HTTP boot/, /^offer .*iPXE/, ...SCRIPT],
  },
  {
    row: 'UEFI Secure Boot',
    firmware: 'uefi-secure',
    chain: 'shim',
    way: [/^firmware shimx64\.efi by TFTP: complete/, /^firmware grubx64\.efi by TFTP: complete/],
  },
];

/**
 * Boots a machine to its kernel's first line.
 * @returns what there is to say of it beyond that.
 * @throws with how far it came.
 */
export async function bootOnce(ground: Ground, boot: Boot, column: Column): Promise<string> {
  const { firmware, networkBoot, chain } = boot;
  const name = boot.row.toLowerCase().replace(/\W+/g, '-');
  const machine = await ground.segment(chain, column).startMachine({
    name,
    firmware,
    ...(networkBoot === undefined ? {} : { networkBoot }),
  });
  try {
    const { match } = await machine.waitFor(/Linux version (\S+)/, BOOT_MS);
    // Told by the kernel a few lines later: it was measured by firmware, shim and GRUB before it ran.
    if (firmware === 'uefi-secure') await machine.waitFor(/secureboot: Secure boot enabled/, SECURE_BOOT_MS);
    const missing = firstMissing(boot.way, textsOf(ground, machine));
    if (missing) throw new Error(`Linux ${match[1]} came up another way: the journal lacks ${missing}`);
    return '';
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Linux ')) throw error;
    throw new Error(howFar(ground, machine), { cause: error });
  } finally {
    await machine.powerOff();
  }
}

function textsOf(ground: Ground, { mac }: Machine): readonly string[] {
  return ground.toldOf(mac).map(({ stage, detail }) => `${stage} ${detail}`);
}

function firstMissing(way: readonly RegExp[], texts: readonly string[]): RegExp | undefined {
  let from = 0;
  return way.find((wanted) => {
    const found = texts.slice(from).findIndex((text) => wanted.test(text));
    from += found + 1;
    return found < 0;
  });
}

function howFar(ground: Ground, machine: Machine): string {
  const told = textsOf(ground, machine).at(-1) ?? 'nothing';
  const [line = 'nothing'] = machine.console.text.trimEnd().split('\n').slice(-1);
  return `no kernel after ${machine.seconds.toFixed(0)} s; the edge last told: ${told}; its console: ${line.trim()}`;
}
