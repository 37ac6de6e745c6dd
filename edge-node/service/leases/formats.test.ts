import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DIRECT, FOREVER_MS, type Lease } from '../decide/lease.ts';
import { leaseWith, MAC, OTHER_MAC } from '../decide/testing/world.ts';
import { FORMAT_NAMES, FORMATS, formatOf } from './formats.ts';
import type { Reading } from './lease-file.ts';

const END_MS = Date.UTC(2026, 0, 31, 12);
const UUID = '11111111-2222-3333-4444-555555555555';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((octets) => Buffer.from(octets).toString('hex'));
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const lease: fc.Arbitrary<Lease> = fc.record(
  {
    segment: fc.constantFrom('seg', 'rack-17'),
    address: fc.ipV4(),
    mac: hex(6).map((digits) => digits.replace(/(..)(?=.)/g, '$1:')),
    state: fc.constantFrom('bound', 'released', 'declined'),
    expiresAtMs: fc.oneof(
      fc.integer({ min: 0, max: 253_402_300_799 }).map((s) => s * 1000),
      fc.constant(FOREVER_MS),
    ),
    uuid: hex(16).map((digits) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')),
    reservation: text,
    relay: fc.oneof(fc.ipV4(), fc.constant(DIRECT)),
    port: text,
  },
  { requiredKeys: ['segment', 'address', 'mac', 'state', 'expiresAtMs'] },
);
const leases = fc.uniqueArray(lease, { selector: ({ address }) => address, maxLength: 20 });

for (const name of FORMAT_NAMES)
  test(`${name}: what was exported is read as the same leases`, () => {
    const { render, read } = FORMATS[name];
    fc.assert(
      fc.property(leases, (exported) => {
        const { leases: found, wrong } = read(render(exported));
        assert.deepEqual(wrong, []);
        assert.deepEqual(
          found.map(({ where: _, ...each }) => each),
          exported.map((each) => ({ ...each })),
        );
      }),
      { numRuns: 200 },
    );
  });

for (const name of FORMAT_NAMES)
  test(`${name}: whatever the file holds, it is read without an exception`, () => {
    const { render, read } = FORMATS[name];
    const torn = fc
      .tuple(leases, fc.nat(), fc.nat(200), fc.string({ maxLength: 5 }))
      .map(([all, from, length, put]) => {
        const whole = render(all);
        const at = from % (whole.length + 1);
        return whole.slice(0, at) + put + whole.slice(at + length);
      });
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'{}[];",#\\\n a1') }), torn),
        (file) => {
          read(file);
        },
      ),
      { numRuns: 400 },
    );
  });

test('JSON and CSV keep the milliseconds; ISC rounds up, never down', () => {
  const ending = [leaseWith({ expiresAtMs: END_MS + 1 })];
  assert.equal(FORMATS.json.read(FORMATS.json.render(ending)).leases[0]?.expiresAtMs, END_MS + 1);
  assert.equal(FORMATS.csv.read(FORMATS.csv.render(ending)).leases[0]?.expiresAtMs, END_MS + 1);
  assert.equal(FORMATS.isc.read(FORMATS.isc.render(ending)).leases[0]?.expiresAtMs, END_MS + 1000);
});

test('a CSV field with a comma, a quote or the end of a line is quoted, and its line is told right', () => {
  const odd = leaseWith({ port: 'a,"b"\nc', address: '10.99.0.102' });
  const file = FORMATS.csv.render([odd, leaseWith()]);
  const { leases: found } = FORMATS.csv.read(file);
  assert.deepEqual(
    found.map(({ where, port }) => [where, port]),
    [
      ['line 2', 'a,"b"\nc'],
      ['line 4', undefined],
    ],
  );
});

test('columns may stand in any order, and those that may be empty may be missing', () => {
  const { leases: found, wrong } = FORMATS.csv.read(
    `\uFEFFmac,state,address,expires\n${MAC.toUpperCase()},bound,10.99.0.101,2026-01-31T12:00:00Z\n\n`,
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(found, [
    { mac: MAC, state: 'bound', address: '10.99.0.101', expiresAtMs: END_MS, where: 'line 2' },
  ]);
});

const DHCPD = `# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\001#}";

lease 10.99.0.101 {
  starts 6 2026/01/31 11:00:00;
  ends 6 2026/01/31 11:30:00;
  cltt 6 2026/01/31 11:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 52:54:00:aa:00:02;
  uid "\\001RT;\\"{";
  set vendor-class-identifier = "PXEClient:Arch:00000:UNDI:002001";
  client-hostname "}";
  on expiry { set x = "}"; }
}
lease 10.99.0.102 {
  starts 6 2026/01/31 11:00:00;
  ends 6 2026/01/31 12:00:00;
  tstp 6 2026/01/31 12:00:00;
  binding state free;
  hardware ethernet 52:54:00:aa:00:02;
}
lease 10.99.0.103 {
  starts epoch 1769856000; # Sat Jan 31 10:40:00 2026
  ends epoch 1769860800; # Sat Jan 31 12:00:00 2026
  binding state abandoned;
}
lease 10.99.0.104 {
  binding state free;
}
lease 10.99.0.105 {
  starts 6 2026/01/31 11:00:00;
  ends never;
  binding state active;
  hardware ethernet 52:54:00:AA:00:01;
  dynamic-bootp;
}
lease 10.99.0.101 {
  starts 6 2026/01/31 11:30:00;
  ends 6 2026/01/31 12:00:00;
  binding state active;
  hardware ethernet 52:54:00:aa:00:01;
}
`;

test("dhcpd's file: the last declaration of an address holds, abandoned ones stay away, never-used ones are none", () => {
  const { leases: found, wrong } = FORMATS.isc.read(DHCPD);
  assert.deepEqual(wrong, []);
  assert.deepEqual(found, [
    { address: '10.99.0.101', mac: MAC, state: 'bound', expiresAtMs: END_MS, where: 'line 40' },
    { address: '10.99.0.102', mac: OTHER_MAC, state: 'released', expiresAtMs: END_MS, where: 'line 18' },
    {
      address: '10.99.0.103',
      mac: '00:00:00:00:00:00',
      state: 'declined',
      expiresAtMs: END_MS,
      where: 'line 25',
    },
    { address: '10.99.0.105', mac: MAC, state: 'bound', expiresAtMs: FOREVER_MS, where: 'line 33' },
  ]);
});

const iscLease = (...statements: readonly string[]): string =>
  `lease 10.99.0.101 {\n${statements.join('\n')}\n}\n`;
const GOOD = ['ends 6 2026/01/31 12:00:00;', 'binding state active;', `hardware ethernet ${MAC};`];
const header = 'address,mac,state,expires';
const facts = { address: '10.99.0.101', mac: MAC, state: 'bound', expires: '2026-01-31T12:00:00Z' };
const jsonOf = (...all: readonly object[]): string => JSON.stringify({ format: 1, leases: all });

/** What is wrong in each file, and where it must be told. */
const wrongFiles: readonly (readonly [string, (text: string) => Reading, string, readonly RegExp[]])[] = [
  [
    'an unknown statement',
    FORMATS.isc.read,
    iscLease('bnding state active;', ...GOOD),
    [/^line 2: .*bnding/],
  ],
  ['an unknown state', FORMATS.isc.read, iscLease('binding state actve;', ...GOOD), [/^line 2: 'actve'/]],
  [
    'a day that is none',
    FORMATS.isc.read,
    iscLease('starts 6 2026/02/31 12:00:00;', ...GOOD),
    [/^line 2: .*02\/31/],
  ],
  ['local time', FORMATS.isc.read, iscLease('ends 6 2026/01/31 12:00:00 +01:00;'), [/^line 2: .*UTC/]],
  ['no end', FORMATS.isc.read, iscLease(...GOOD.slice(1)), [/^line 1 ends: it is missing/]],
  [
    'no hardware',
    FORMATS.isc.read,
    iscLease(...GOOD.slice(0, 2)),
    [/^line 1 hardware ethernet: it is missing/],
  ],
  ['token ring', FORMATS.isc.read, iscLease('hardware token-ring 1:2;', ...GOOD), [/^line 2: 'token-ring'/]],
  [
    'a wrong MAC',
    FORMATS.isc.read,
    iscLease(...GOOD.slice(0, 2), 'hardware ethernet 52:54;'),
    [/^line 1 .*MAC/],
  ],
  ['a wrong address', FORMATS.isc.read, iscLease(...GOOD).replace('101', '300'), [/^line 1 address/]],
  ['a block without end', FORMATS.isc.read, `${iscLease(...GOOD)}lease 10.1.1.1 {\n`, [/^line 6: .*'\}'/]],
  ['a string without end', FORMATS.isc.read, iscLease('uid "\\"x;', ...GOOD), [/^line 2: .*quotes/]],
  ['an unknown declaration', FORMATS.isc.read, 'subnet 10.0.0.0 netmask 255.0.0.0 { }', [/^line 1: 'subnet/]],
  ['two slips', FORMATS.isc.read, iscLease('wat;', 'binding state no;'), [/^line 2: 'wat'/, /^line 3: 'no'/]],
  ['a missing column', FORMATS.csv.read, 'address,mac,state\n', [/^line 1: .*'expires'/]],
  ['an unknown column', FORMATS.csv.read, `${header},colour\n`, [/^line 1: 'colour'/]],
  ['a field too few', FORMATS.csv.read, `${header}\n10.99.0.101,${MAC},bound\n`, [/^line 2: .*3 fields/]],
  ['a quote without end', FORMATS.csv.read, `${header}\n"10.99.0.101,${MAC}\n`, [/^line 2: .*quoted/]],
  ['nothing', FORMATS.csv.read, '', [/^line 1: .*empty/]],
  [
    'an address twice',
    FORMATS.csv.read,
    `${header}\n${Object.values(facts).join()}\n${Object.values(facts).join()}\n`,
    [/^line 3: 10\.99\.0\.101 is in line 2/],
  ],
  ['an offer', FORMATS.json.read, jsonOf({ ...facts, state: 'offered' }), [/^leases\[0\] state: /]],
  [
    'a slip in a name',
    FORMATS.json.read,
    jsonOf(facts, { ...facts, adress: 'x' }),
    [/^leases\[1\]: .*adress/],
  ],
  [
    'a time without a zone',
    FORMATS.json.read,
    jsonOf({ ...facts, expires: '2026-01-31T12:00:00' }),
    [/expires: .*UTC/],
  ],
  ['another format', FORMATS.json.read, '{"format":2,"leases":[]}', [/format/]],
  ['no JSON', FORMATS.json.read, '{"format":1,', [/no JSON/]],
  ['null', FORMATS.json.read, 'null', [/format/]],
  ['no list', FORMATS.json.read, '{"format":1,"leases":{}}', [/list/]],
];
for (const [name, read, file, expected] of wrongFiles)
  test(`is not taken, and its place is told: ${name}`, () => {
    const told = read(file).wrong.map(({ where, reason }) => `${where}: ${reason}`);
    assert.equal(told.length, expected.length, told.join('\n'));
    for (const [at, pattern] of expected.entries()) assert.match(told[at] ?? '', pattern);
  });

test('the name of a file tells its format', () => {
  assert.deepEqual(
    ['a.json', 'b.csv', '/var/lib/dhcp/dhcpd.leases', 'c.isc', 'd.txt', 'leases'].map(formatOf),
    ['json', 'csv', 'isc', 'isc', undefined, undefined],
  );
});

test('an export carries the UUID of a machine', () => {
  for (const name of FORMAT_NAMES)
    assert.match(FORMATS[name].render([leaseWith({ uuid: UUID })]), new RegExp(UUID));
});
