import { type FileHandle, open } from 'node:fs/promises';
import type { DevicePaths } from '@bootswarm/images/install';

/** Of an MBR: its code. What follows are the disk's signature and the table. */
export const MBR_CODE_BYTES = 440;

/** The code of an MBR, by the path of its disk. */
export type BootCode = ReadonlyMap<string, Uint8Array>;

/** `int 18h`, by which a disk tells a BIOS to go on to the next (BIOS Boot Specification 1.01, section 6.7), and a loop. */
const NOT_YET = Buffer.of(0xcd, 0x18, 0xeb, 0xfe);

/**
 * Makes a BIOS go on to the next disk until there is something whole to start. What was there before would start, and
 * find half of what it looks for: programs that write tables keep the code.
 */
export async function forbidBoot({ disks }: DevicePaths): Promise<void> {
  for (const disk of disks)
    await change(disk, async (device) => {
      await device.write(forbiddenCode(), 0, MBR_CODE_BYTES, 0);
    });
}

/** Puts the code on disks that makes a BIOS start them: the last that is written of an installation. */
export async function writeBootCode(codes: BootCode): Promise<void> {
  for (const [disk, code] of codes)
    await change(disk, async (device) => {
      await device.write(code, 0, MBR_CODE_BYTES, 0);
    });
}

/** Bytes of a disk by which firmware would start it, and what stands in their place until it may. */
export interface HeldBack {
  /** Byte of the disk. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly instead: Uint8Array;
}

/** Puts bytes back that were held back, but where something else was written in their place meanwhile. */
export async function giveBack(disk: string, held: readonly HeldBack[]): Promise<void> {
  await change(disk, async (device) => {
    for (const { at, bytes, instead } of held) {
      const found = Buffer.alloc(instead.length);
      await device.read(found, 0, found.length, at);
      if (found.equals(instead)) await device.write(bytes, 0, bytes.length, at);
    }
  });
}

/** The code as it is on a disk. */
export async function readBootCode(disk: string): Promise<Buffer> {
  const device = await open(disk);
  try {
    const code = Buffer.alloc(MBR_CODE_BYTES);
    await device.read(code, 0, code.length, 0);
    return code;
  } finally {
    await device.close();
  }
}

/** A code in the place of another one, until that may start. Pure. */
export function forbiddenCode(): Buffer {
  return Buffer.concat([NOT_YET], MBR_CODE_BYTES);
}

async function change(disk: string, act: (device: FileHandle) => Promise<void>): Promise<void> {
  const device = await open(disk, 'r+');
  try {
    await act(device);
    await device.sync();
  } finally {
    await device.close();
  }
}

/** `jmp` over the fields of a boot sector, with its distance. */
const JUMP = 0xeb;
const DISTANCE_AT = 1;
/** Behind what grub-install writes into its boot sector: GRUB, `include/grub/i386/pc/boot.h`, `DRIVE_CHECK`. */
const FREE_AT = 0x68;

/**
 * GRUB's first sector that does not start GRUB: grub-install fills in where the rest of it stands, and a BIOS goes on to
 * the next disk. Pure.
 * @param image boot.img. @throws TypeError for one that begins in another way.
 */
export function withoutStart(image: Uint8Array): Buffer {
  if (image.length !== 512 || image[0] !== JUMP || image[DISTANCE_AT] === undefined)
    throw new TypeError('this is no boot.img of GRUB 2');
  const changed = Buffer.from(image);
  changed[DISTANCE_AT] = FREE_AT - DISTANCE_AT - 1;
  changed.set(NOT_YET, FREE_AT);
  return changed;
}

/** What grub-install made of such a sector, as it starts GRUB. Pure. @param image boot.img as it was. */
export function withStart(code: Uint8Array, image: Uint8Array): Buffer {
  const changed = Buffer.from(code.subarray(0, MBR_CODE_BYTES));
  changed[DISTANCE_AT] = image[DISTANCE_AT] ?? 0;
  changed.set(image.subarray(FREE_AT, FREE_AT + NOT_YET.length), FREE_AT);
  return changed;
}
