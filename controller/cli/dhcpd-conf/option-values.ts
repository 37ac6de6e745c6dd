import {
  type DhcpOptionDefinition,
  DhcpOptionSettings,
  dhcpOptionName,
  dhcpOptionOf,
  ipv4ToNumber,
  numberToIpv4,
} from '@bootswarm/controller/contract';
import type { Token } from './syntax.ts';

type Field = 'ip' | 'text' | 'string' | 'flag' | 'domains' | { readonly bytes: 1 | 2 | 4 };

/** How dhcpd lays the values of an option on the wire; those of an array repeat. */
export interface OptionType {
  readonly code: number;
  readonly fields: readonly Field[];
  readonly isArray: boolean;
}

/** A setting as Bootswarm has it, or why there is none. */
export type Translated =
  | { readonly name: string; readonly value: string }
  | { readonly why: string; readonly isNeedless?: true };

/** Options that dhcpd knows by name and Bootswarm answers, or not, by itself. */
const OWN: Readonly<Record<string, string>> = {
  'dhcp-lease-time': 'the lease says it: set leaseSeconds',
  'dhcp-renewal-time': 'it is half of the lease',
  'dhcp-rebinding-time': 'it is seven eighths of the lease',
  'dhcp-server-identifier': "the edge's own address is said",
  'dhcp-message-type': 'the edge says it',
  'dhcp-max-message-size': 'each client says what it takes',
  'dhcp-parameter-request-list': 'each client says what it asks for',
  'vendor-class-identifier': 'the edge says it to those that need it, for what they boot',
  'tftp-server-name': 'the edge names itself',
  'bootfile-name': 'the edge chooses the boot file by the firmware of each machine',
};

const FIELDS: Readonly<Record<DhcpOptionDefinition['type'], Omit<OptionType, 'code'>>> = {
  address: { fields: ['ip'], isArray: false },
  addresses: { fields: ['ip'], isArray: true },
  text: { fields: ['text'], isArray: false },
  uint8: { fields: [{ bytes: 1 }], isArray: false },
  uint16: { fields: [{ bytes: 2 }], isArray: false },
  uint32: { fields: [{ bytes: 4 }], isArray: false },
  int32: { fields: [{ bytes: 4 }], isArray: false },
  flag: { fields: ['flag'], isArray: false },
  bytes: { fields: ['string'], isArray: false },
  domains: { fields: ['domains'], isArray: true },
  routes: { fields: [{ bytes: 1 }], isArray: true },
};

/** `code N = TYPE` as dhcp-options(5) defines options of one's own. Undefined where the type is none of ours. */
export function optionTypeOf(tokens: readonly Token[]): OptionType | undefined {
  const words = tokens.map(({ text }) => text.toLowerCase());
  const code = Number(words[1]);
  if (words[0] !== 'code' || words[2] !== '=' || !Number.isInteger(code)) return undefined;
  const isArray = words[3] === 'array' && words[4] === 'of';
  const names = words
    .slice(isArray ? 5 : 3)
    .filter((word) => word !== '{' && word !== '}')
    .join(' ')
    .split(' , ');
  const fields = names.map(fieldOf).filter((field) => field !== undefined);
  return fields.length === names.length
    ? { code, fields, isArray: isArray || fields.includes('domains') }
    : undefined;
}

function fieldOf(name: string): Field | undefined {
  const [, width] = /^(?:signed |unsigned )?integer (8|16|32)$/.exec(name) ?? [];
  if (width !== undefined) return { bytes: (Number(width) / 8) as 1 | 2 | 4 };
  switch (name.replace(/ compressed$/, '')) {
    case 'ip-address':
      return 'ip';
    case 'text':
      return 'text';
    case 'string':
      return 'string';
    case 'boolean':
      return 'flag';
    case 'domain-list':
    case 'domain-name':
      return 'domains';
    default:
      return undefined;
  }
}

/** @param own options that the file itself defines. */
export function translateOption(
  name: string,
  values: readonly Token[],
  own: ReadonlyMap<string, OptionType>,
): Translated {
  const [, unknownCode] = /^unknown-(\d+)$/.exec(name) ?? [];
  const known = dhcpOptionOf(unknownCode ?? name);
  const why = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (why !== undefined) return { why, isNeedless: true };
  const type =
    own.get(name) ??
    (known && { code: known.code, ...FIELDS[unknownCode === undefined ? known.type : 'bytes'] });
  if (!type) return { why: 'no such option is known here; define it by number in the policy or the segment' };
  const bytes = bytesOf(
    type,
    values.filter(({ kind, text }) => kind !== 'mark' || text !== ','),
  );
  return typeof bytes === 'string' ? { why: bytes } : settingOf(type.code, bytes);
}

/** @returns why not, as text. */
function bytesOf({ fields, isArray }: OptionType, values: readonly Token[]): Buffer | string {
  const parts: Buffer[] = [];
  let at = 0;
  do {
    for (const field of fields) {
      const value = values[at++];
      if (value === undefined) return 'there are fewer values than its type has';
      const part = value.kind === 'mark' ? 'it is an expression' : partOf(field, value);
      if (typeof part === 'string') return part;
      parts.push(part);
    }
  } while (isArray && at < values.length);
  return at < values.length
    ? 'there are more values than its type has, or it is an expression'
    : Buffer.concat(parts);
}

function partOf(field: Field, { kind, text }: Token): Buffer | string {
  if (typeof field === 'object') return integerOf(text, field.bytes);
  switch (field) {
    case 'ip':
      return addressOf(text) ?? `'${text}' is no address: write the address of that host`;
    case 'text':
      return Buffer.from(text, 'latin1');
    case 'string':
      return kind === 'string'
        ? Buffer.from(text, 'latin1')
        : (hexBytes(text) ?? `'${text}' is no hexadecimal`);
    case 'flag':
      if (!/^(true|false|on|off)$/i.test(text)) return `'${text}' is neither true nor false`;
      return Buffer.of(/^(true|on)$/i.test(text) ? 1 : 0);
    case 'domains':
      return domainBytes(text);
  }
}

function integerOf(text: string, bytes: 1 | 2 | 4): Buffer | string {
  const number = /^(-?\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  const most = 2 ** (8 * bytes);
  if (!(number >= -most / 2 && number < most)) return `'${text}' is no integer of ${8 * bytes} bits`;
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(number < 0 ? number + most : number, 0, bytes);
  return buffer;
}

function addressOf(text: string): Buffer | undefined {
  try {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(ipv4ToNumber(text));
    return buffer;
  } catch {
    return undefined;
  }
}

/** `1:0:ff` or `01:00:ff` to bytes. */
export function hexBytes(text: string): Buffer | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2})*$/i.test(text)) return undefined;
  return Buffer.from(text.split(':').map((part) => Number.parseInt(part, 16)));
}

function domainBytes(text: string): Buffer | string {
  const labels = text.replace(/\.$/, '').split('.');
  if (labels.some((label) => label.length === 0 || label.length > 63)) return `'${text}' is no domain name`;
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
}

function settingOf(code: number, bytes: Buffer): Translated {
  const definition = dhcpOptionOf(String(code));
  if (!definition)
    return { why: `option ${code} is the edge's or the client's own to say`, isNeedless: true };
  const name = dhcpOptionName(code) ?? String(code);
  const value = textOfValue(definition, bytes);
  if (value === undefined) return { why: `its bytes are no ${definition.type} as option ${code} has it` };
  const fault = DhcpOptionSettings.safeParse({ [name]: value }).error?.issues[0];
  return fault ? { why: `${name} ${fault.message}` } : { name, value };
}

function textOfValue({ type }: DhcpOptionDefinition, bytes: Buffer): string | undefined {
  switch (type) {
    case 'address':
    case 'addresses': {
      if (bytes.length % 4 !== 0) return undefined;
      const starts = Array.from({ length: bytes.length / 4 }, (_, index) => index * 4);
      return starts.map((at) => numberToIpv4(bytes.readUInt32BE(at))).join(', ');
    }
    case 'text':
      return bytes.toString('utf8');
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return bytes.length === { uint8: 1, uint16: 2, uint32: 4 }[type]
        ? String(bytes.readUIntBE(0, bytes.length))
        : undefined;
    case 'int32':
      return bytes.length === 4 ? String(bytes.readInt32BE()) : undefined;
    case 'flag':
      return bytes.length === 1 ? String(bytes[0] !== 0) : undefined;
    case 'bytes':
      return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
    case 'domains':
      return domainsOf(bytes);
    case 'routes':
      return routesOf(bytes);
  }
}

/** Without compression, which nobody writes by hand. */
function domainsOf(bytes: Buffer): string | undefined {
  const names: string[] = [];
  let labels: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length > 63) return undefined;
    if (length === 0) {
      names.push(labels.join('.'));
      labels = [];
    } else labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.length === 0 ? names.join(', ') : undefined;
}

/** RFC 3442. */
function routesOf(bytes: Buffer): string | undefined {
  const routes: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at] ?? 0;
    const significant = Math.ceil(prefix / 8);
    const routerAt = at + 1 + significant;
    if (prefix > 32 || routerAt + 4 > bytes.length) return undefined;
    const network = [0, 1, 2, 3].map((index) => (index < significant ? bytes[at + 1 + index] : 0)).join('.');
    routes.push(`${network}/${prefix} via ${numberToIpv4(bytes.readUInt32BE(routerAt))}`);
    at = routerAt + 4;
  }
  return routes.join(', ');
}
