import type { TftpPacket } from '@bootswarm/edge-node/tftp';

/** A file that is on its way, as a ROM takes it: block by block (RFC 1350), in the size that the server agreed to. */
export interface Download {
  readonly blockBytes: number;
  /** Of the next block. */
  readonly expected: number;
  readonly bytes: number;
}

export type DownloadStep =
  | { readonly kind: 'goes on'; readonly download: Download; readonly send?: TftpPacket }
  | { readonly kind: 'done'; readonly bytes: number; readonly send: TftpPacket }
  | { readonly kind: 'failed'; readonly reason: string };

/** iPXE's, and that of most ROMs: what an Ethernet frame holds (RFC 2348). */
const BLOCK_BYTES = 1456;

/** 512 bytes until the server agrees to another size. */
export const BEGUN: Download = { blockBytes: 512, expected: 1, bytes: 0 };

/** The first packet. @param file as DHCP named it. */
export function firstRequest(file: string): TftpPacket {
  return {
    kind: 'rrq',
    file,
    mode: 'octet',
    options: new Map([
      ['tsize', '0'],
      ['blksize', String(BLOCK_BYTES)],
    ]),
  };
}

/** What comes of a packet of the server. A block that came before is acknowledged again. Pure. */
export function onServerPacket(download: Download, packet: TftpPacket): DownloadStep {
  const { blockBytes, expected, bytes } = download;
  const ack = (block: number): TftpPacket => ({ kind: 'ack', block: block & 0xffff });
  if (packet.kind === 'error') return { kind: 'failed', reason: `${packet.code} ${packet.message}` };
  if (packet.kind === 'oack') {
    if (expected !== 1) return { kind: 'goes on', download };
    const agreed = Number(packet.options.get('blksize') ?? blockBytes);
    return { kind: 'goes on', download: { ...download, blockBytes: agreed }, send: ack(0) };
  }
  if (packet.kind !== 'data') return { kind: 'failed', reason: `the server sent ${packet.kind}` };
  if (packet.block !== (expected & 0xffff)) return { kind: 'goes on', download, send: ack(expected - 1) };
  const send = ack(expected);
  const whole = bytes + packet.bytes.length;
  if (packet.bytes.length < blockBytes) return { kind: 'done', bytes: whole, send };
  return { kind: 'goes on', download: { blockBytes, expected: expected + 1, bytes: whole }, send };
}
