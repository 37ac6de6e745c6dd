import { gunzipSync } from 'node:zlib';
import type { Architecture } from '@bootswarm/images/format';

/** Bytes of a kernel's beginning that tell what it is. */
export const KERNEL_HEADER_BYTES = 64 * 1024;

/**
 * What a kernel runs on, by its first bytes; undefined where it is no kernel.
 * Sources: the kernel's Documentation/arch/x86/boot.rst (HdrS, xloadflags), Documentation/arch/arm64/booting.rst, and
 * for a compressed EFI kernel drivers/firmware/efi/libstub/zboot-header.S and the PE format's machine field.
 */
export function kernelArchitecture(head: Buffer): Architecture | 'i386' | undefined {
  if (head.length >= 0x238 && head.toString('latin1', 0x202, 0x206) === 'HdrS') {
    // From boot protocol 2.12 on, bit 0 of xloadflags says that it has a 64-bit entry.
    const isWide = head.readUInt16LE(0x206) >= 0x20c && (head.readUInt16LE(0x236) & 1) === 1;
    return isWide ? 'amd64' : 'i386';
  }
  if (head.length >= 64 && head.toString('latin1', 56, 60) === 'ARM\x64') return 'arm64';
  if (head.length >= 64 && head.toString('latin1', 0, 2) === 'MZ') {
    const at = head.readUInt32LE(0x3c);
    if (at + 6 > head.length || head.toString('latin1', at, at + 4) !== 'PE\0\0') return undefined;
    return ({ 34404: 'amd64', 43620: 'arm64' } as const)[head.readUInt16LE(at + 4)];
  }
  // Fedora's older kernels for arm64 are Image.gz; what is cut off here does not matter.
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return kernelArchitecture(gunzipHead(head));
  return undefined;
}

function gunzipHead(head: Buffer): Buffer {
  try {
    // Finished early without complaint: only the beginning is here. 1 MiB of it cannot grow beyond 1 GiB.
    const whole = gunzipSync(head, { finishFlush: 2, maxOutputLength: 128 * 1024 * 1024 });
    return whole.readUInt16BE(0) === 0x1f8b ? Buffer.alloc(0) : whole;
  } catch {
    return Buffer.alloc(0);
  }
}
