import { OPTION } from './options/numbers.ts';
import type { DhcpOptions } from './options/option.ts';
import { END, MAX_VALUE_BYTES } from './tlv.ts';

interface Field {
  readonly bytes: number[];
  freeBytes: number;
}

/** Bytes of the options field that holds all of them, with END. */
export function lengthInOne(options: DhcpOptions): number {
  let length = 1;
  for (const { length: bytes } of options.values())
    length += bytes + 2 * Math.max(1, Math.ceil(bytes / MAX_VALUE_BYTES));
  return length;
}

/** Writes that field, in the order that `layOut` has: this is how all but the fullest messages leave. */
export function writeInOne(options: DhcpOptions, into: Uint8Array, startAt: number): void {
  let at = writeOption(OPTION.messageType, options.get(OPTION.messageType), into, startAt);
  for (const [code, value] of options)
    if (code !== OPTION.messageType && code !== OPTION.relayAgent) at = writeOption(code, value, into, at);
  at = writeOption(OPTION.relayAgent, options.get(OPTION.relayAgent), into, at);
  into[at] = END;
}

/** @returns where the next option goes. */
function writeOption(code: number, value: Uint8Array | undefined, into: Uint8Array, startAt: number): number {
  if (!value) return startAt;
  let [at, from] = [startAt, 0];
  do {
    const length = Math.min(MAX_VALUE_BYTES, value.length - from);
    into[at] = code;
    into[at + 1] = length;
    for (let index = 0; index < length; index++) into[at + 2 + index] = value[from + index] ?? 0;
    at += 2 + length;
    from += length;
  } while (from < value.length);
  return at;
}

/**
 * Lays options out over the packet's fields, in the order in which readers join them: options, file, sname
 * (RFC 3396 section 5). The message type comes first, and relay agent information last in the options field,
 * because that is where relays look for it (RFC 3046 section 2.1).
 * @param roomBytes each field's length; the first is the options field.
 * @param overload what option 52 says about the other fields, or 0.
 * @returns one array per field, with END and without padding, or undefined when there is too little room.
 */
export function layOut(
  options: DhcpOptions,
  roomBytes: readonly number[],
  overload: number,
): readonly (readonly number[])[] | undefined {
  const head = [
    ...inPieces(OPTION.messageType, options.get(OPTION.messageType)),
    ...(overload > 0 ? inPieces(OPTION.overload, Uint8Array.of(overload)) : []),
  ];
  const relay = inPieces(OPTION.relayAgent, options.get(OPTION.relayAgent));
  const fields = roomBytes.map((bytes, at): Field => {
    const reservedBytes = at === 0 ? head.length + relay.length + 1 : 1;
    return { bytes: at === 0 ? head : [], freeBytes: bytes - reservedBytes };
  });
  if (fields.some(({ freeBytes }) => freeBytes < 0)) return undefined;
  for (const [code, value] of options) {
    if (code === OPTION.messageType || code === OPTION.relayAgent) continue;
    const placed = value.length > MAX_VALUE_BYTES ? spread(fields, code, value) : place(fields, code, value);
    if (!placed) return undefined;
  }
  return fields.map(({ bytes }, at) => [...bytes, ...(at === 0 ? relay : []), END]);
}

/** In one piece wherever one field has the room: many clients do not join pieces again. */
function place(fields: readonly Field[], code: number, value: Uint8Array): boolean {
  const field = fields.find(({ freeBytes }) => freeBytes >= value.length + 2);
  if (field) put(field, code, value);
  return field !== undefined;
}

/** In pieces that fill field after field. */
function spread(fields: readonly Field[], code: number, value: Uint8Array): boolean {
  let rest = value;
  for (const field of fields) {
    while (rest.length > 0 && field.freeBytes > 2) {
      const piece = rest.subarray(0, Math.min(MAX_VALUE_BYTES, field.freeBytes - 2));
      put(field, code, piece);
      rest = rest.subarray(piece.length);
    }
  }
  return rest.length === 0;
}

function put(field: Field, code: number, value: Uint8Array): void {
  field.bytes.push(code, value.length, ...value);
  field.freeBytes -= value.length + 2;
}

function inPieces(code: number, value: Uint8Array | undefined): readonly number[] {
  const boundless: Field = { bytes: [], freeBytes: Number.POSITIVE_INFINITY };
  if (value) (value.length > MAX_VALUE_BYTES ? spread : place)([boundless], code, value);
  return boundless.bytes;
}
