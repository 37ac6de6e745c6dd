import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bootFile,
  classlessRoutes,
  clientArchitectures,
  clientId,
  domainSearch,
  hostName,
  ipxe,
  leaseSeconds,
  machineId,
  maxReplyBytes,
  messageType,
  type Option,
  parameterList,
  pxeVendor,
  relayAgent,
  routers,
  serverId,
  subnetSelection,
  undiVersion,
  userClasses,
  vendorClass,
} from '../index.ts';
import { bytesFrom, optionsOf } from '../testing/packets.ts';

/** Cases that hold in both directions. */
function travels<Value>(name: string, option: Option<Value>, value: Value, hexadecimal: string): void {
  test(`${name} travels as ${hexadecimal}`, () => {
    assert.deepEqual(option.write(value), [option.code, bytesFrom(hexadecimal)]);
    assert.deepEqual(option.read(optionsOf([option.code, bytesFrom(hexadecimal)])), value);
  });
}

travels('OFFER', messageType, 'OFFER', '02');
travels('INFORM', messageType, 'INFORM', '08');
travels('a server', serverId, '10.99.0.1', '0a630001');
travels('two routers', routers, ['10.99.0.1', '10.99.0.2'], '0a630001 0a630002');
travels('a wanted subnet', subnetSelection, '10.1.0.0', '0a010000');
travels('an hour', leaseSeconds, 3600, '00000e10');
travels('for ever', leaseSeconds, 0xffffffff, 'ffffffff');
travels('a vendor class, without NUL', vendorClass, 'PXEClient', '505845436c69656e74');
travels('a boot file, with NUL', bootFile, 'boot.ipxe', '626f6f742e6970786500');
travels('a parameter list', parameterList, [1, 3, 60], '01033c');
travels('a MAC as client id', clientId, { type: 1, id: bytesFrom('525400aa0001') }, '01525400aa0001');
travels('architectures, best first', clientArchitectures, [16, 7], '00100007');
travels('an UNDI version', undiVersion, { major: 3, minor: 16 }, '010310');
travels('user classes', userClasses, ['iPXE', 'lab'], '0469505845 036c6162');
travels(
  'a UUID, its first three fields little-endian',
  machineId,
  '00112233-4455-6677-8899-aabbccddeeff',
  '00 33221100 5544 7766 8899 aabbccddeeff',
);
travels(
  'routes with only the significant octets (RFC 3442)',
  classlessRoutes,
  [
    { destination: '0.0.0.0/0', router: '10.99.0.1' },
    { destination: '10.17.0.0/16', router: '10.99.0.2' },
    { destination: '10.27.129.128/25', router: '0.0.0.0' },
  ],
  '00 0a630001 10 0a11 0a630002 19 0a1b8180 00000000',
);
travels(
  'domains with a shared ending (RFC 3397)',
  domainSearch,
  ['eng.apple.com', 'marketing.apple.com'],
  '03656e67 056170706c65 03636f6d 00 096d61726b6574696e67 c004',
);
travels('boot from file', pxeVendor, { discoveryControl: 8 }, '06 01 08 ff');
travels(
  'what a Raspberry Pi looks for (quirk 19)',
  pxeVendor,
  {
    discoveryControl: 8,
    menu: [{ type: 0, label: 'Raspberry Pi Boot' }],
    prompt: { timeoutSeconds: 0, label: 'PXE' },
  },
  '06 01 08 09 14 0000 11 5261737062657272792050692042 6f6f74 0a 04 00 505845 ff',
);
travels(
  'boot servers and the picked item',
  pxeVendor,
  { bootServers: [{ type: 15, addresses: ['10.0.0.1', '10.0.0.2'] }], bootItem: { type: 15, layer: 1 } },
  '08 0b 000f 02 0a000001 0a000002 47 04 000f 0001 ff',
);

test('a raw user class is one class, however it starts', () => {
  assert.deepEqual(userClasses.read(optionsOf([77, bytesFrom('69505845')])), ['iPXE']);
  assert.deepEqual(userClasses.read(optionsOf([77, bytesFrom('0061')])), ['\0a']);
});

test('trailing NULs of text are not part of it', () => {
  assert.equal(hostName.read(optionsOf([12, bytesFrom('6162000000')])), 'ab');
  assert.equal(hostName.read(optionsOf([12, bytesFrom('0000')])), '');
});

test('relay agent information is understood and echoed byte by byte', () => {
  // 0 and 255 neither pad nor end here.
  const raw = bytesFrom('0001aa ff01bb 0102beef 0203616263 05040a630500 0b040a6305fe 1300 970100');
  const relay = relayAgent.read(optionsOf([82, raw]));
  assert.deepEqual(relay, {
    circuitId: bytesFrom('beef'),
    remoteId: bytesFrom('616263'),
    linkSelection: '10.99.5.0',
    serverOverride: '10.99.5.254',
    relaySourcePort: true,
    raw,
  });
  assert.deepEqual(relayAgent.write(relay ?? { raw: new Uint8Array() }), [82, raw]);
});

test('relay agent information that makes no sense is still echoed', () => {
  const raw = bytesFrom('01ff00');
  const relay = relayAgent.read(optionsOf([82, raw]));
  assert.equal(relay?.circuitId, undefined);
  assert.deepEqual(relay?.raw, raw);
});

test('iPXE features are those that are switched on', () => {
  const client = ipxe.read(optionsOf([175, bytesFrom('eb03010501 130101 140100 240101')]));
  assert.equal(client?.version, '1.5.1');
  assert.deepEqual([...(client?.features ?? [])], ['http', 'efi']);
  assert.deepEqual(ipxe.write({ noPxeDhcp: true }), [175, bytesFrom('b00101ff')]);
});

const PER_CLIENT = [
  { name: 'no option 57', options: optionsOf(), maxBytes: 548 },
  { name: 'less than the standard allows', options: optionsOf([57, bytesFrom('0100')]), maxBytes: 548 },
  { name: 'one Ethernet frame', options: optionsOf([57, bytesFrom('05dc')]), maxBytes: 1472 },
  { name: 'jumbo', options: optionsOf([57, bytesFrom('ff00')]), maxBytes: 1472 },
];
for (const { name, options, maxBytes } of PER_CLIENT) {
  test(`a client with ${name} gets up to ${maxBytes} bytes`, () =>
    assert.equal(maxReplyBytes(options), maxBytes));
}

const SENSELESS: { name: string; option: Option<unknown, never>; hexadecimal: string }[] = [
  { name: 'a message type of two bytes', option: messageType, hexadecimal: '0101' },
  { name: 'a leasequery', option: messageType, hexadecimal: '0a' },
  { name: 'an address of three bytes', option: serverId, hexadecimal: '0a6300' },
  { name: 'half a router', option: routers, hexadecimal: '0a6300010a63' },
  { name: 'an odd list of architectures', option: clientArchitectures, hexadecimal: '000700' },
  { name: 'an empty machine id', option: machineId, hexadecimal: '' },
  { name: 'a machine id of another type', option: machineId, hexadecimal: `01${'11'.repeat(16)}` },
  { name: 'the UUID of no machine', option: machineId, hexadecimal: '00'.repeat(17) },
  { name: 'the UUID of an unset machine', option: machineId, hexadecimal: `00${'ff'.repeat(16)}` },
  { name: 'a route wider than an address', option: classlessRoutes, hexadecimal: '21 0a0a0a0a0a 0a630001' },
  { name: 'a route without its router', option: classlessRoutes, hexadecimal: '08 0a 0a63' },
  { name: 'a domain that points at itself', option: domainSearch, hexadecimal: 'c000' },
  { name: 'domains that chase each other', option: domainSearch, hexadecimal: '0161 c004 0162 c000' },
  { name: 'a domain that points ahead', option: domainSearch, hexadecimal: 'c002 0161 00' },
  { name: 'a domain in a label that points at itself', option: domainSearch, hexadecimal: '02c001 00 c001' },
  { name: 'more domains than anyone searches', option: domainSearch, hexadecimal: '016100'.repeat(129) },
  { name: 'half a pointer', option: domainSearch, hexadecimal: '0161 00 c0' },
  { name: 'a label past the end', option: domainSearch, hexadecimal: '0961' },
  { name: 'a truncated vendor option', option: pxeVendor, hexadecimal: '0609' },
];
for (const { name, option, hexadecimal } of SENSELESS) {
  test(`${name} reads as absent`, () => {
    assert.equal(option.read(optionsOf([option.code, bytesFrom(hexadecimal)])), undefined);
  });
}

const NO_WIRE_FORM: { name: string; write: () => unknown }[] = [
  { name: 'a lease of -1 s', write: () => leaseSeconds.write(-1) },
  { name: 'a domain with an empty label', write: () => domainSearch.write(['a..b']) },
  { name: 'a label of 64', write: () => domainSearch.write(['a'.repeat(64)]) },
  { name: 'a UUID in upper case', write: () => machineId.write('AA112233-4455-6677-8899-AABBCCDDEEFF') },
  { name: 'an empty user class', write: () => userClasses.write(['']) },
  {
    name: 'a menu beyond 255 bytes',
    write: () => pxeVendor.write({ menu: [{ type: 0, label: 'x'.repeat(253) }] }),
  },
  { name: 'text beyond Latin-1', write: () => hostName.write('ĳ') },
];
for (const { name, write } of NO_WIRE_FORM) {
  test(`${name} is refused`, () => assert.throws(write, RangeError));
}
