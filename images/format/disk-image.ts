import { constants, createZstdDecompress } from 'node:zlib';

/** RFC 8878, section 3.1.1, as its bytes come. */
const ZSTD_MAGIC = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);
/** 128 MiB, as `zstd --long` takes by default: what an image may make a machine hold while it unpacks. */
const WINDOW_LOG_MOST = 27;

/** Whether the image of a disk, by its first bytes, is under zstd; it is raw otherwise. */
export function isZstdDiskImage(head: Uint8Array): boolean {
  return ZSTD_MAGIC.equals(head.subarray(0, ZSTD_MAGIC.length));
}

/** Unpacks the image of a disk. @throws by its stream, at what would need more memory than a machine gives. */
export function unpackDiskImage(): ReturnType<typeof createZstdDecompress> {
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MOST } });
}
