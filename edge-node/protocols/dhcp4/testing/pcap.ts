export interface Datagram {
  readonly srcIp: string;
  readonly srcPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
  readonly payload: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const IPV4_AT = 14;

/** The UDP datagrams of a little-endian classic pcap of Ethernet frames. @throws RangeError on other formats. */
export function readPcap(file: Uint8Array): readonly Datagram[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getUint32(0, true) !== 0xa1b2c3d4 || view.getUint32(20, true) !== 1) {
    throw new RangeError('not a little-endian classic pcap of Ethernet frames');
  }
  const datagrams: Datagram[] = [];
  for (let at = FILE_HEADER_BYTES; at < file.length; ) {
    const capturedBytes = view.getUint32(at + 8, true);
    at += RECORD_HEADER_BYTES;
    const datagram = udpOf(file.subarray(at, at + capturedBytes));
    if (datagram) datagrams.push(datagram);
    at += capturedBytes;
  }
  return datagrams;
}

function udpOf(frame: Uint8Array): Datagram | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const isIpv4 = view.getUint16(12) === 0x0800;
  const isUdp = isIpv4 && view.getUint8(IPV4_AT + 9) === 17;
  if (!isUdp) return undefined;
  const udpAt = IPV4_AT + (view.getUint8(IPV4_AT) & 15) * 4;
  return {
    srcIp: frame.subarray(IPV4_AT + 12, IPV4_AT + 16).join('.'),
    dstIp: frame.subarray(IPV4_AT + 16, IPV4_AT + 20).join('.'),
    srcPort: view.getUint16(udpAt),
    dstPort: view.getUint16(udpAt + 2),
    payload: frame.subarray(udpAt + 8, udpAt + view.getUint16(udpAt + 4)),
  };
}
