import { SECTOR_BYTES } from './disk-plan.ts';

/** GRUB 2.06, include/grub/i386/pc/boot.h: offsets in boot.img. */
const KERNEL_SECTOR_AT = 0x5c;
const DRIVE_CHECK_AT = 0x66;
/** Above it are the disk's signature and the partition table. */
const BOOT_CODE_BYTES = 440;
/** x86: two single-byte instructions that do nothing. */
const NOPS = 0x9090;

/**
 * Boot code for the first sector of a disk, which loads the sector `coreSector`. What grub-bios-setup
 * would write, without a disk to write it to.
 * @param bootImage boot.img of grub-pc-bin: one sector.
 */
export function bootCode(bootImage: Buffer, coreSector: number): Buffer {
  if (bootImage.length !== SECTOR_BYTES) throw new RangeError('boot.img is not one sector');
  const code = Buffer.from(bootImage.subarray(0, BOOT_CODE_BYTES));
  code.writeBigUInt64LE(BigInt(coreSector), KERNEL_SECTOR_AT);
  // Else it would take the drive number of some firmware for a mistake, as on a floppy.
  code.writeUInt16LE(NOPS, DRIVE_CHECK_AT);
  return code;
}

/** include/grub/offsets.h and diskboot.S: the list of blocks ends with the first sector of core.img. */
const FIRST_BLOCK_AT = SECTOR_BYTES - 12;

/**
 * core.img as it lies at `coreSector`: its first sector says where the others are, which is right behind it.
 * @param coreImage of grub-mkimage, format i386-pc.
 */
export function placedCore(coreImage: Buffer, coreSector: number): Buffer {
  const sectors = Math.ceil(coreImage.length / SECTOR_BYTES);
  const core = Buffer.alloc(sectors * SECTOR_BYTES);
  coreImage.copy(core);
  core.writeBigUInt64LE(BigInt(coreSector + 1), FIRST_BLOCK_AT);
  core.writeUInt16LE(sectors - 1, FIRST_BLOCK_AT + 8);
  return core;
}
