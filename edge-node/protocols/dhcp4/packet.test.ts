import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, isBootp, messageType, OPTION, serverId } from './index.ts';
import { bytesFrom, OPTIONS_AT, optionsOf, rawRequest, requestWith } from './testing/packets.ts';

const READABLE: {
  name: string;
  bytes: Uint8Array;
  options: Record<number, number[]>;
  file?: string;
  sname?: string;
}[] = [
  { name: 'a plain option', bytes: rawRequest([53, 1, 1, 255]), options: { 53: [1] } },
  {
    name: 'padding before, between and after',
    bytes: rawRequest([0, 53, 1, 1, 0, 0, 12, 1, 97, 255, 0]),
    options: { 53: [1], 12: [97] },
  },
  { name: 'rubbish after END', bytes: rawRequest([53, 1, 1, 255, 53, 9]), options: { 53: [1] } },
  { name: 'no END at all', bytes: rawRequest([53, 1, 1]), options: { 53: [1] } },
  { name: 'an empty value', bytes: rawRequest([53, 1, 1, 80, 0, 255]), options: { 53: [1], 80: [] } },
  {
    name: 'a value in pieces (RFC 3396)',
    bytes: rawRequest([12, 1, 97, 53, 1, 1, 12, 2, 98, 99, 255]),
    options: { 12: [97, 98, 99], 53: [1] },
  },
  {
    name: 'options in file',
    bytes: rawRequest([53, 1, 1, 52, 1, 1, 255], { file: [12, 1, 97, 255], sname: [120] }),
    options: { 53: [1], 12: [97] },
    sname: 'x',
  },
  {
    name: 'options in sname',
    bytes: rawRequest([53, 1, 1, 52, 1, 2, 255], { file: [120], sname: [12, 1, 97, 255] }),
    options: { 53: [1], 12: [97] },
    file: 'x',
  },
  {
    name: 'one value over all three fields, file before sname',
    bytes: rawRequest([12, 1, 97, 52, 1, 3, 255], { file: [12, 1, 98, 255], sname: [12, 1, 99, 255] }),
    options: { 12: [97, 98, 99] },
  },
  {
    name: 'an overload inside an overload, ignored',
    bytes: rawRequest([53, 1, 1, 52, 1, 1, 255], { file: [52, 1, 3, 255], sname: [120] }),
    options: { 53: [1] },
    sname: 'x',
  },
  {
    name: 'file without NUL',
    bytes: rawRequest([255], { file: Array(128).fill(97) }),
    options: {},
    file: 'a'.repeat(128),
  },
  {
    name: 'BOOTP with vendor extensions',
    bytes: rawRequest([1, 4, 255, 255, 255, 0, 255]),
    options: { 1: [255, 255, 255, 0] },
  },
];
for (const { name, bytes, options, file = '', sname = '' } of READABLE) {
  test(`decode reads ${name}`, () => {
    const decoded = decode(bytes);
    assert.ok(decoded.ok);
    const found = Array.from(decoded.packet.options, ([code, value]) => [code, Array.from(value)]);
    assert.deepEqual(Object.fromEntries(found), options);
    assert.equal(decoded.packet.file, file);
    assert.equal(decoded.packet.sname, sname);
  });
}

test('a request with an empty vendor area is BOOTP, a reply is not', () => {
  const request = rawRequest(Array(60).fill(0));
  request.fill(0, 236, 240);
  const decoded = decode(request);
  assert.ok(decoded.ok && isBootp(decoded.packet));
  request[0] = 2;
  assert.deepEqual(decode(request), { ok: false, reason: 'no cookie' });
});

const MALFORMED = [
  { name: 'nothing', bytes: new Uint8Array(0), reason: 'too short' },
  { name: 'a header without vendor area', bytes: rawRequest([]).subarray(0, 239), reason: 'too short' },
  { name: 'an op of 3', bytes: changed(rawRequest([255]), 0, 3), reason: 'unknown op' },
  { name: 'an hlen above 16', bytes: changed(changed(rawRequest([255]), 1, 32), 2, 17), reason: 'bad hlen' },
  { name: 'Ethernet with an hlen of 0', bytes: changed(rawRequest([255]), 2, 0), reason: 'bad hlen' },
  { name: 'one wrong byte of cookie', bytes: changed(rawRequest([255]), 239, 0), reason: 'no cookie' },
  { name: 'a code at the very end', bytes: rawRequest([53, 1, 1, 12]), reason: 'truncated option' },
  { name: 'a value past the end', bytes: rawRequest([53, 1, 1, 12, 9, 97]), reason: 'truncated option' },
  { name: 'an overload of 4', bytes: rawRequest([52, 1, 4, 255]), reason: 'bad overload' },
  { name: 'an overload of 0', bytes: rawRequest([52, 1, 0, 255]), reason: 'bad overload' },
  { name: 'an empty overload', bytes: rawRequest([52, 0, 255]), reason: 'bad overload' },
  { name: 'two overloads', bytes: rawRequest([52, 1, 1, 52, 1, 2, 255]), reason: 'bad overload' },
  {
    name: 'a value past the end of file',
    bytes: rawRequest([52, 1, 1, 255], { file: [12, 200] }),
    reason: 'truncated option',
  },
];
for (const { name, bytes, reason } of MALFORMED) {
  test(`decode refuses ${name}`, () => assert.deepEqual(decode(bytes), { ok: false, reason }));
}

test('a reply is laid out byte by byte: 53 first, 82 last, END, zeros to 300', () => {
  const reply = requestWith({
    op: 'reply',
    hops: 1,
    xid: 0xdeadbeef,
    broadcast: true,
    yiaddr: '10.99.0.52',
    siaddr: '10.99.0.1',
    giaddr: '10.99.0.254',
    file: 'ipxe.efi',
    options: optionsOf(
      [OPTION.relayAgent, bytesFrom('0102beef')],
      serverId.write('10.99.0.1'),
      messageType.write('OFFER'),
    ),
  });
  const bytes = encode(reply);
  assert.equal(bytes.length, 300);
  const hexadecimal = Buffer.from(bytes).toString('hex');
  assert.equal(hexadecimal.slice(0, 56), '02010601deadbeef00008000000000000a6300340a6300010a6300fe');
  assert.equal(hexadecimal.slice(56, 88), '525400aa000100000000000000000000');
  assert.equal(hexadecimal.slice(216, 234), `${Buffer.from('ipxe.efi').toString('hex')}00`);
  assert.equal(
    hexadecimal.slice(472, 518),
    '63825363 350102 36040a630001 52040102beef ff'.replaceAll(' ', '').padEnd(46, '0'),
  );
  assert.ok(bytes.subarray(262).every((byte) => byte === 0));
});

test('a value of 300 bytes travels as 255 and 45', () => {
  const value = new Uint8Array(300).fill(7);
  const bytes = encode(requestWith({ options: optionsOf([43, value]) }), { maxBytes: 1472 });
  assert.deepEqual([...bytes.subarray(OPTIONS_AT, OPTIONS_AT + 2)], [43, 255]);
  assert.deepEqual([...bytes.subarray(OPTIONS_AT + 257, OPTIONS_AT + 259)], [43, 45]);
});

const CROWDED = [
  { name: 'file when options run out of room', valueBytes: 60, overload: 1, maxBytes: 300 },
  { name: 'file and sname when both are needed', valueBytes: 110, overload: 3, maxBytes: 300 },
  { name: 'sname when file is taken', valueBytes: 55, overload: 2, maxBytes: 300, file: 'ipxe.efi' },
];
for (const { name, valueBytes, overload, maxBytes, file = '' } of CROWDED) {
  test(`encode hands over ${name}`, () => {
    const packet = requestWith({
      file,
      options: optionsOf(
        messageType.write('ACK'),
        [12, new Uint8Array(40)],
        [15, new Uint8Array(valueBytes)],
        [82, Uint8Array.of(1, 0)],
        ...(overload === 3 ? [[66, new Uint8Array(50)] as const] : []),
      ),
    });
    const bytes = encode(packet, { maxBytes });
    assert.ok(bytes.length <= maxBytes);
    assert.deepEqual([...bytes.subarray(OPTIONS_AT, OPTIONS_AT + 6)], [53, 1, 5, 52, 1, overload]);
    assert.deepEqual(decode(bytes), { ok: true, packet });
  });
}

test('encode leaves `file` and `sname` to a reader that knows no option 52', () => {
  const packet = requestWith({ options: optionsOf([15, new Uint8Array(60)]) });
  assert.throws(() => encode(packet, { maxBytes: 300, mayOverload: false }), /do not fit 300 bytes/);
  assert.equal(encode(packet, { maxBytes: 303, mayOverload: false }).length, 303);
});

const NOT_WRITABLE = [
  {
    name: 'options that fit nowhere',
    packet: requestWith({ options: optionsOf([12, new Uint8Array(255)], [15, new Uint8Array(255)]) }),
  },
  {
    name: 'options that need a taken file',
    packet: requestWith({ file: 'x', sname: 'y', options: optionsOf([43, new Uint8Array(310)]) }),
  },
  {
    name: 'relay agent information that fills the packet',
    packet: requestWith({ options: optionsOf(messageType.write('ACK'), [82, new Uint8Array(301)]) }),
  },
  { name: 'a file name of 128', packet: requestWith({ file: 'a'.repeat(128) }) },
  { name: 'a server name of 64', packet: requestWith({ sname: 'a'.repeat(64) }) },
  { name: 'a NUL in a name', packet: requestWith({ file: 'a\0b' }) },
  { name: 'a name beyond Latin-1', packet: requestWith({ file: 'ĳ' }) },
  { name: 'a chaddr unlike its hlen', packet: requestWith({ hlen: 5 }) },
  { name: 'an address that is none', packet: requestWith({ yiaddr: '10.0.0.256' }) },
  { name: 'an option 52 of the caller', packet: requestWith({ options: optionsOf([52, Uint8Array.of(1)]) }) },
  { name: 'an option 256', packet: requestWith({ options: optionsOf([256, new Uint8Array(1)]) }) },
];
for (const { name, packet } of NOT_WRITABLE) {
  test(`encode refuses ${name}`, () => assert.throws(() => encode(packet), RangeError));
}

function changed(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  return bytes.with(at, byte);
}
