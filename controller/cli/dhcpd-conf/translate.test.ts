import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDhcpdConf } from './read-file.ts';
import { parseDhcpdConf } from './syntax.ts';
import { type Translation, translate } from './translate.ts';

const NET = 'subnet 10.1.2.0 netmask 255.255.255.0';

function translated(text: string): Translation {
  return translate(parseDhcpdConf(text, 'f'), ['edge1']);
}

/** The only segment of the text, of what is inside its subnet. */
function segmentOf(inside: string, outside = ''): Translation['segments'][number] {
  const { segments } = translated(`${outside} ${NET} { range 10.1.2.100 10.1.2.110; ${inside} }`);
  assert.equal(segments.length, 1);
  return segments[0] as Translation['segments'][number];
}

const options: readonly (readonly [text: string, settings: Record<string, string>])[] = [
  ['option ntp-servers 10.0.0.1, 10.0.0.2;', { 'ntp-servers': '10.0.0.1, 10.0.0.2' }],
  ['option time-offset -3600;', { 'time-offset': '-3600' }],
  ['option ip-forwarding off;', { 'ip-forwarding': 'false' }],
  ['option interface-mtu 0x2328;', { 'interface-mtu': '9000' }],
  ['option static-routes 10.8.0.1 10.1.2.254;', { 'static-routes': '10.8.0.1, 10.1.2.254' }],
  ['option domain-search "a.example", "b.example";', { 'domain-search': 'a.example, b.example' }],
  [
    'option vendor-encapsulated-options 01:04:0a:0:0:05;',
    { 'vendor-encapsulated-options': '01:04:0a:00:00:05' },
  ],
  ['option unknown-224 01:ff;', { '224': '01:ff' }],
  ['option unknown-224 "ab";', { '224': '61:62' }],
  ['option x code 225 = unsigned integer 16; option x 513;', { '225': '02:01' }],
  [
    'option x code 226 = array of { ip-address, integer 8 }; option x 10.0.0.1 1, 10.0.0.2 2;',
    { '226': '0a:00:00:01:01:0a:00:00:02:02' },
  ],
  [
    'option tftp150 code 150 = array of ip-address; option tftp150 10.0.0.1;',
    { 'tftp-server-address': '10.0.0.1' },
  ],
  [
    'option r code 121 = array of integer 8; option r 24, 10, 9, 8, 10, 1, 2, 1;',
    { 'classless-static-routes': '10.9.8.0/24 via 10.1.2.1' },
  ],
  ['option root-path "nfs:\\x41";', { 'root-path': 'nfs:A' }],
];
for (const [text, settings] of options)
  test(`${text} becomes ${JSON.stringify(settings)}`, () => {
    const { policy, notTaken } = translated(text);
    assert.deepEqual([policy.options, notTaken], [settings, []]);
  });

const matches: readonly (readonly [text: string, match: object])[] = [
  ['substring(option vendor-class-identifier, 0, 9) = "PXEClient"', { vendorClass: 'PXEClient' }],
  ['option user-class = "iPXE"', { userClass: 'iPXE' }],
  ['option arch = 00:07 or option arch = 00:09', { architectures: [7, 9] }],
  ['(option arch = 00:07) and option user-class = "x"', { architectures: [7], userClass: 'x' }],
  ['substring(hardware, 1, 3) = 00:25:90', { ouis: ['00:25:90'] }],
  ['substring(hardware, 0, 4) = 01:00:25:90', { ouis: ['00:25:90'] }],
  ['binary-to-ascii(16, 8, ":", substring(hardware, 1, 3)) = "0:25:90"', { ouis: ['00:25:90'] }],
  ['hardware = 1:52:54:0:0:0:1', { macs: ['52:54:00:00:00:01'] }],
  ['option agent.circuit-id = "sw*1"', { circuitId: 'hex:73772a31' }],
  ['option agent.remote-id = 00:ff', { remoteId: 'hex:00ff' }],
  ['substring(option agent.circuit-id, 0, 3) = "sw7"', { circuitId: 'sw7*' }],
  ['exists agent.circuit-id', { circuitId: 'hex:*' }],
];
for (const [text, match] of matches)
  test(`match if ${text} becomes ${JSON.stringify(match)}`, () => {
    const file = `option arch code 93 = unsigned integer 16; class "c" { match if ${text}; option log-servers 10.0.0.1; }`;
    const { policy, notTaken } = translated(file);
    assert.deepEqual([policy.classes.map((each) => each.match), notTaken], [[match], []]);
  });

const unmatched = [
  'not known',
  'known',
  'option user-class = "a" or option vendor-class-identifier = "b"',
  'substring(option vendor-class-identifier, 0, 3) = "PXEClient"',
  'substring(hardware, 1, 2) = 00:25',
  'hardware = 6:52:54:0:0:0:1',
  'option host-name ~= "web"',
  'substring(option agent.circuit-id, 2, 3) = "abc"',
];
for (const text of unmatched)
  test(`match if ${text} is named as not taken, and its class with it`, () => {
    const { policy, notTaken } = translated(`class "c" {\n match if ${text}; option log-servers 10.0.0.1; }`);
    assert.deepEqual([policy.classes, notTaken.map(({ place }) => place.line)], [[], [2]]);
    assert.match(notTaken[0]?.why ?? '', /class c is left out/);
  });

describe('a subnet', () => {
  test('takes from the scopes around it, the narrowest winning', () => {
    const text = `default-lease-time 600; option log-servers 10.0.0.1;
      group { default-lease-time 700; option nis-domain "g"; option pop-server 10.0.0.2;
        ${NET} { range 10.1.2.9; default-lease-time 800; option nis-domain "s"; } }`;
    const { segments, policy } = translated(text);
    assert.deepEqual(policy.options, { 'log-servers': '10.0.0.1' });
    assert.equal(segments[0]?.leaseSeconds, 800);
    assert.deepEqual(segments[0]?.options, { 'nis-domain': 's', 'pop-server': '10.0.0.2' });
    assert.deepEqual(segments[0]?.pools, [{ first: '10.1.2.9', last: '10.1.2.9' }]);
  });

  test('is cut around its router, and keeps the others as options', () => {
    const { pools, router, options } = segmentOf('option routers 10.1.2.105, 10.1.2.1;');
    assert.deepEqual(pools, [
      { first: '10.1.2.100', last: '10.1.2.104' },
      { first: '10.1.2.106', last: '10.1.2.110' },
    ]);
    assert.deepEqual([router, options], ['10.1.2.105', { routers: '10.1.2.105, 10.1.2.1' }]);
  });

  test('whose router lies elsewhere has it as an option', () => {
    const { router, options } = segmentOf('option routers 10.9.9.1;');
    assert.deepEqual([router, options], [undefined, { routers: '10.9.9.1' }]);
  });

  test('of a shared network is named for it where it is alone, and by number where it is not', () => {
    const one = translated(`shared-network "Rack A" { ${NET} { range 10.1.2.9; } }`);
    assert.deepEqual(
      one.segments.map(({ name }) => name),
      ['rack-a'],
    );
    const two = translated(
      `shared-network a { ${NET} {} subnet 10.1.3.0 netmask 255.255.255.0 {} pool { range 10.1.2.9; range 10.1.3.9; } }`,
    );
    assert.deepEqual(
      two.segments.map(({ name }) => name),
      ['net-10-1-2-0', 'net-10-1-3-0'],
    );
    assert.equal(two.notTaken.length, 2);
  });

  test('speaks BOOTP as dhcpd would', () => {
    const host = 'host h { hardware ethernet 52:54:00:00:00:01; fixed-address 10.1.2.9; }';
    assert.equal(segmentOf('').bootp, 'refuse');
    assert.equal(segmentOf('', host).bootp, 'reserved');
    assert.equal(segmentOf('deny bootp;', host).bootp, 'refuse');
    assert.equal(segmentOf('range dynamic-bootp 10.1.2.9;').bootp, 'pool');
  });
});

const lost: readonly (readonly [text: string, why: RegExp, isNeedless: boolean])[] = [
  [`${NET} { deny unknown-clients; range 10.1.2.9; }`, /none is known by its MAC/, false],
  [`${NET} { pool { allow members of "x"; range 10.1.2.9; } }`, /none of its classes/, false],
  ['omapi-port 7911;', /several edges/, false],
  ['ddns-update-style interim;', /no DNS updates/, false],
  ['ddns-update-style none;', /no DNS updates/, true],
  ['zone x. { primary 127.0.0.1; key k; }', /no DNS updates/, false],
  ['next-server 10.0.0.5;', /names itself/, true],
  ['filename "pxelinux.0";', /chooses the boot file/, false],
  ['if option arch = 00:07 { filename "a.efi"; } ', /by itself/, true],
  ['if exists user-class { option log-servers 10.0.0.1; }', /make a class of it/, false],
  ['option domain-name-servers ns1.example.com;', /no address/, false],
  ['option host-name = "x";', /no expression/, false],
  ['option no-such-thing 1;', /no such option/, false],
  // Objects have it by birth.
  ['option constructor 1;', /no such option/, false],
  ['filename "constructor";', /chooses the boot file/, false],
  ['option interface-mtu 9;', /between 68/, false],
  ['default-lease-time 5;', /between 60 seconds/, false],
  ['subnet 10.1.2.0 netmask 255.0.255.0 { range 10.1.2.9; }', /between \/8 and \/30/, false],
  ['subnet6 2001:db8::/32 { range6 2001:db8::1; }', /IPv6/, false],
  ['something-of-a-patch 1;', /does not/, false],
  ['host h { hardware token-ring 1:2:3:4:5:6; }', /no client can be known/, false],
  ['host h { hardware ethernet 1:2:3:4:5:6; default-lease-time 60; }', /no place in a host/, false],
  [
    'group { default-lease-time 60; host h { hardware ethernet 1:2:3:4:5:6; fixed-address 10.9.9.9; } }',
    /no place|no subnet/,
    false,
  ],
  ['subclass "none" 1:2:3:4:5:6:7;', /its class is not in this file/, false],
];
for (const [text, why, isNeedless] of lost)
  test(`${text} is named as ${isNeedless ? 'not needed' : 'not taken'}, with line and reason`, () => {
    const { notTaken } = translated(`\n${text}`);
    const [first] = notTaken.filter((each) => why.test(each.why));
    assert.deepEqual([first?.place.line, first?.isNeedless], [2, isNeedless], JSON.stringify(notTaken));
  });

test('a file as datacenters have them becomes segments and classes, and all else is named', async () => {
  const file = fileURLToPath(new URL('testing/datacenter.conf', import.meta.url));
  const { statements, notTaken: missing } = await readDhcpdConf(file);
  const { segments, policy, notTaken } = translate(statements, ['edge1']);
  assert.deepEqual(
    missing.map(({ place, what }) => [place.line, what]),
    [[9, 'include "gone.conf"']],
  );
  assert.equal(policy.options['time-offset'], '-3600', 'of the file that is included');
  assert.deepEqual(
    policy.classes.map(({ name, match, refuse }) => [name, Object.keys(match)[0], refuse !== undefined]),
    [
      ['bmc', 'ouis', false],
      ['lab', 'macs', false],
      ['lab-2', 'macs', false],
      ['refused-hosts', 'macs', true],
      ['known-hosts', 'macs', false],
    ],
  );
  const [rack, floor] = segments;
  assert.deepEqual([rack?.name, floor?.name], ['rack-one', 'net-10-1-2-0']);
  assert.deepEqual(
    rack?.pools.map(({ classes }) => classes),
    [['bmc'], ['known-hosts']],
  );
  assert.deepEqual(
    rack?.reservations.map(({ address, hostname }) => [address, hostname]),
    [
      ['10.1.1.31', 'web1'],
      ['10.1.1.32', 'www'],
      [undefined, 'uid1'],
      ['10.1.1.33', 'port7'],
    ],
  );
  assert.deepEqual(floor?.firmware, { bios: 'undionly.kkpxe' });
  const lines = (isNeedless: boolean) =>
    notTaken
      .filter((each) => each.isNeedless === isNeedless && each.place.file === file)
      .map(({ place }) => place.line);
  assert.deepEqual(lines(false), [14, 15, 20, 25, 41, 49, 66, 68, 69, 70, 72]);
  assert.deepEqual(lines(true), [2, 3, 4, 6, 27, 29, 30, 31, 32, 53, 60]);
});
