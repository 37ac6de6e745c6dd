/** Raw values by code, pieces joined; never PAD, END or 52, which only frame the others. */
export type DhcpOptions = ReadonlyMap<number, Uint8Array>;

/**
 * An option's two directions. A reply's options read as a list of facts:
 * `new Map([messageType.write('OFFER'), serverId.write('10.0.0.1')])`.
 */
export interface Option<Read, Write = Read> {
  readonly code: number;
  /** undefined when the option is absent or its value makes no sense: firmware's slips must not stop a boot. */
  read(options: DhcpOptions): Read | undefined;
  /** @throws RangeError when the value has no wire form. */
  write(value: Write): readonly [code: number, value: Uint8Array];
}

export function option<Read, Write = Read>(
  code: number,
  decode: (value: Uint8Array) => Read | undefined,
  encode: (value: Write) => Uint8Array,
): Option<Read, Write> {
  return {
    code,
    read: (options) => {
      const value = options.get(code);
      return value && decode(value);
    },
    write: (value) => [code, encode(value)],
  };
}
