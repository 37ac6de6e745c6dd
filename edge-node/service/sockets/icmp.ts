export const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;

/** An echo request (RFC 792) of `bytes`, at least 16 and even. */
export function echoRequest(identifier: number, bytes = 16): Uint8Array {
  const packet = Buffer.alloc(bytes);
  packet.writeUInt8(ECHO_REQUEST, 0);
  packet.writeUInt16BE(identifier, 4);
  packet.writeUInt16BE(checksumOf(packet), 2);
  return packet;
}

/** RFC 1071. */
function checksumOf(packet: Buffer): number {
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
