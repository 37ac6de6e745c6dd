/** Option names are in lower case, as they are case-insensitive on the wire (RFC 2347). */
export type TftpOptions = ReadonlyMap<string, string>;

/** RFC 1350 section 5. Text is Latin-1, so that every byte of a file name survives. */
export type TftpPacket =
  | {
      readonly kind: 'rrq' | 'wrq';
      readonly file: string;
      readonly mode: TftpMode;
      readonly options: TftpOptions;
    }
  | { readonly kind: 'data'; readonly block: number; readonly bytes: Uint8Array }
  | { readonly kind: 'ack'; readonly block: number }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'oack'; readonly options: TftpOptions };

/** `mail` is obsolete (RFC 1350 section 1) and reads as malformed. */
export type TftpMode = 'octet' | 'netascii';

export type MalformedReason =
  | 'too short'
  | 'unknown opcode'
  | 'unterminated text'
  | 'no file name'
  | 'unknown mode';

export type Decoded =
  | { readonly ok: true; readonly packet: TftpPacket }
  | { readonly ok: false; readonly reason: MalformedReason };

/** Codes of ERROR packets (RFC 1350 appendix; 8 from RFC 2347). */
export const ERROR = {
  notDefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransfer: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionsRefused: 8,
} as const;

const OPCODE = { rrq: 1, wrq: 2, data: 3, ack: 4, error: 5, oack: 6 } as const;

/** Reads a UDP payload in linear time and never throws. DATA shares no memory with `bytes`. */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length < 4) return malformed('too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = view.getUint16(2);
  switch (view.getUint16(0)) {
    case OPCODE.rrq:
      return decodeRequest('rrq', bytes);
    case OPCODE.wrq:
      return decodeRequest('wrq', bytes);
    case OPCODE.data:
      return decoded({ kind: 'data', block: number, bytes: Uint8Array.from(bytes.subarray(4)) });
    case OPCODE.ack:
      return decoded({ kind: 'ack', block: number });
    case OPCODE.error: {
      // Some clients leave the NUL out, and what they mean is plain.
      const [message = ''] = latin1(bytes.subarray(4)).split('\0', 1);
      return decoded({ kind: 'error', code: number, message });
    }
    case OPCODE.oack: {
      const texts = textsIn(bytes);
      return texts ? decoded({ kind: 'oack', options: optionsOf(texts) }) : malformed('unterminated text');
    }
    default:
      return malformed('unknown opcode');
  }
}

/** @throws RangeError when a text holds NUL or a character above U+00FF. */
export function encode(packet: TftpPacket): Uint8Array {
  switch (packet.kind) {
    case 'rrq':
    case 'wrq':
      return joined(OPCODE[packet.kind], texts([packet.file, packet.mode, ...[...packet.options].flat()]));
    case 'data':
      return joined(OPCODE.data, uint16(packet.block), packet.bytes);
    case 'ack':
      return joined(OPCODE.ack, uint16(packet.block));
    case 'error':
      return joined(OPCODE.error, uint16(packet.code), texts([packet.message]));
    case 'oack':
      return joined(OPCODE.oack, texts([...packet.options].flat()));
  }
}

function decodeRequest(kind: 'rrq' | 'wrq', bytes: Uint8Array): Decoded {
  const [requested, mode, ...options] = textsIn(bytes) ?? [];
  if (requested === undefined || mode === undefined) return malformed('unterminated text');
  // Old UNDI code reads past DHCP option 67 and asks for the END that follows it, too (quirk 3).
  const file = requested.slice(0, lengthWithoutEnds(requested));
  if (file === '') return malformed('no file name');
  const lowerMode = mode.toLowerCase();
  if (lowerMode !== 'octet' && lowerMode !== 'netascii') return malformed('unknown mode');
  return decoded({ kind, file, mode: lowerMode, options: optionsOf(options) });
}

/** A loop, as /\u00ff+$/ takes seconds for a name full of them. */
function lengthWithoutEnds(file: string): number {
  let length = file.length;
  while (file[length - 1] === '\u00ff') length--;
  return length;
}

/** The NUL-ended texts after the opcode, or undefined when the last one is cut off. */
function textsIn(bytes: Uint8Array): readonly string[] | undefined {
  const parts = latin1(bytes.subarray(2)).split('\0');
  return parts.pop() === '' ? parts : undefined;
}

/** The first of a repeated name counts; an empty name is a ROM's padding; a name without value is none. */
function optionsOf(parts: readonly string[]): TftpOptions {
  const options = new Map<string, string>();
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const name = parts[at]?.toLowerCase() ?? '';
    if (name === '') break;
    if (!options.has(name)) options.set(name, parts[at + 1] ?? '');
  }
  return options;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function texts(parts: readonly string[]): Uint8Array {
  for (const part of parts) {
    const hasWireForm = Array.from(part).every((character) => character > '\0' && character <= '\u00ff');
    if (!hasWireForm) throw new RangeError(`${JSON.stringify(part)} has no wire form`);
  }
  return Buffer.from(parts.map((part) => `${part}\0`).join(''), 'latin1');
}

function uint16(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number);
}

function joined(opcode: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 2));
  bytes[1] = opcode;
  let at = 2;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function decoded(packet: TftpPacket): Decoded {
  return { ok: true, packet };
}

function malformed(reason: MalformedReason): Decoded {
  return { ok: false, reason };
}
