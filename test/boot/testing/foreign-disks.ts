import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** Makes a disk of so many bytes, all of them zero. */
export function emptyDisk(file: string, bytes: number): void {
  const disk = openSync(file, 'w');
  ftruncateSync(disk, bytes);
  closeSync(disk);
}

function put(file: string, at: number, bytes: Uint8Array): void {
  const disk = openSync(file, 'r+');
  writeSync(disk, bytes, 0, bytes.length, at);
  closeSync(disk);
}

/** A GPT with a partition that nobody may write. */
export function putDataMark(file: string): void {
  execFileSync('sfdisk', ['--quiet', file], { input: 'label: gpt\nsize=64MiB, name="bootswarm-keep-db"\n' });
}

/** A member of a mirror: the superblock of md, version 1.2 (the kernel's `md_p.h`, `mdp_superblock_1`). */
export function putRaidMember(file: string): void {
  const block = Buffer.alloc(256);
  block.writeUInt32LE(0xa92b4efc, 0);
  block.writeUInt32LE(1, 4);
  block.write('0123456789abcdef', 16, 'latin1');
  block.write('other:0', 32, 'latin1');
  block.writeUInt32LE(1, 72);
  block.writeUInt32LE(2, 92);
  block.writeBigUInt64LE(8n, 144);
  let sum = 0n;
  for (let at = 0; at < block.length; at += 4) sum += BigInt(block.readUInt32LE(at));
  block.writeUInt32LE(Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn), 216);
  put(file, 4096, block);
}

/** A physical volume: its label, in the second sector (LVM2, `lib/format_text/layout.h`). */
export function putLvmMember(file: string): void {
  const label = Buffer.alloc(512);
  label.write('LABELONE', 0, 'latin1');
  label.writeBigUInt64LE(1n, 8);
  label.writeUInt32LE(32, 20);
  label.write('LVM2 001', 24, 'latin1');
  label.write('aaaaaabbbbccccddddeeeeffffgggggg', 32, 'latin1');
  label.writeBigUInt64LE(BigInt(2 ** 30), 64);
  label.writeUInt32LE(lvmChecksum(label.subarray(20)), 16);
  put(file, 512, label);
}

/** CRC-32 with another beginning, and no turn at the end. */
function lvmChecksum(bytes: Uint8Array): number {
  let crc = 0xf597a6cf;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return crc >>> 0;
}

/** A member of a pool: uberblocks in its first two labels (ZFS On-Disk Specification, section 1.2). */
export function putZfsMember(file: string): void {
  for (const label of [0, 256 * 1024])
    for (let index = 0; index < 128; index++) {
      const block = Buffer.alloc(1024);
      block.writeBigUInt64LE(0xbab10cn, 0);
      block.writeBigUInt64LE(5000n, 8);
      put(file, label + 128 * 1024 + index * 1024, block);
    }
}

/**
 * What another system left: bytes that are no zeros wherever a boot loader may stand, and code that says on the serial
 * line that it was started.
 */
export function putOldSystem(file: string): void {
  const head = Buffer.alloc(4 * 2 ** 20, 0xf4);
  // mov dx, 3f8h; mov si, text; lodsb; test al, al; jz end; out dx, al; jmp lodsb; end: hlt; jmp end
  const code = Buffer.from('baf803be157cac84c07403eeebf8f4ebfd', 'hex');
  head.fill(0, 0, 446);
  head.set(code, 0);
  head.write('THE OLD SYSTEM\r\n\0', 0x15, 'latin1');
  head.fill(0, 446, 510);
  head.set([0x80, 1, 1, 0, 0x83, 2, 2, 0, 1, 0, 0, 0, 0, 8, 0, 0], 446);
  head.set([0x55, 0xaa], 510);
  put(file, 0, head);
}
