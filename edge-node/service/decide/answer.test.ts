import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DhcpPolicy } from '@bootswarm/controller/contract';
import { clientArchitectures, encode, vendorClass } from '@bootswarm/edge-node/dhcp4';
import { type Answer, answerDatagram, type Surroundings } from './answer.ts';
import { rogueProbe } from './rogue.ts';
import { compileSite } from './site.ts';
import {
  FakeLeases,
  FakeRates,
  HTTP_URL,
  leaseWith,
  MAC,
  NO_POLICY,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  SERVER,
  type Sent,
  segmentWith,
  siteOf,
} from './testing/world.ts';

function answerTo(bytes: Uint8Array, ...leases: Parameters<typeof leaseWith>[0][]): Answer {
  return answerIn({ leases: new FakeLeases(...leases.map(leaseWith)) }, bytes);
}

/** With what a case is about. */
function answerIn(facts: Partial<Surroundings>, bytes: Uint8Array): Answer {
  return answerDatagram(
    { bytes, address: '0.0.0.0', port: 68 },
    {
      site: siteOf(),
      leases: new FakeLeases(),
      rates: new FakeRates(),
      conversations: { recall: () => undefined },
      serverAddress: SERVER,
      httpUrl: HTTP_URL,
      hasFile: (name) => name === 'undionly.kpxe',
      service: 'dhcp',
      nowMs: NOW_MS,
      ...facts,
    },
  );
}

const discover = (sent: Sent = {}): Uint8Array => encode(packetOf('DISCOVER', sent));
const PXE = vendorClass.write('PXEClient:Arch:00000:UNDI:002001');

test('what is no business of an edge is counted by its reason, and nothing else comes of it', () => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['dhcp malformed: too short', Uint8Array.of(1)],
    ['dhcp malformed: no cookie', discover().with(236, 0)],
    ['dhcp passed over: not a request', discover({ fields: { op: 'reply' } })],
    ['dhcp passed over: not Ethernet', discover({ fields: { htype: 32 } })],
    ['dhcp passed over: a probe of an edge', rogueProbe(1)],
  ];
  for (const [count, bytes] of cases) assert.deepEqual(answerTo(bytes), { count });
});

test('silence has its reason', () => {
  const answer = answerTo(encode(packetOf('NAK')));
  assert.equal(answer.count, 'dhcp silent');
  assert.deepEqual(answer.told, { mac: MAC, segment: 'seg', reason: 'only a server sends such a message' });
  assert.equal(answer.journal?.detail, 'only a server sends such a message');
});

test('a machine that boots gets an offer, and the journal has it', () => {
  const answer = answerTo(discover({ options: [PXE] }));
  assert.equal(answer.count, 'dhcp reply');
  assert.equal(answer.lease?.state, 'offered');
  assert.deepEqual(answer.reply?.to, { address: 'broadcast', port: 68 });
  assert.deepEqual(answer.journal, {
    at: new Date(NOW_MS).toISOString(),
    stage: 'offer',
    mac: MAC,
    segment: 'seg',
    address: answer.lease?.address,
    netboot: true,
    next: 'firmware',
    detail: `offer ${answer.lease?.address}, undionly.kpxe for BIOS`,
  });
});

test('an installed system is served, and not journaled', () => {
  const answer = answerTo(discover());
  assert.ok(answer.reply && answer.lease);
  assert.equal(answer.journal, undefined);
});

test('what changes a lease without a reply still changes it', () => {
  const release = encode(packetOf('RELEASE', { fields: { ciaddr: '10.99.0.101' }, server: SERVER }));
  const answer = answerTo(release, {});
  assert.equal(answer.reply, undefined);
  assert.equal(answer.lease?.state, 'released');
});

test('a reply that does not fit what the client takes leases nothing', () => {
  const longId = [61, new Uint8Array(600)] as const;
  const answer = answerTo(encode(packetOf('DISCOVER', { options: [longId] }), { maxBytes: 1400 }));
  assert.deepEqual(
    [answer.count, answer.reply, answer.lease, answer.journal?.cause],
    ['dhcp reply does not fit', undefined, undefined, 'reply_too_long'],
  );
});

describe('what the journal tells of a machine', () => {
  const journaled = (sent: Sent, facts: Partial<Surroundings> = {}) => {
    const { journal } = answerIn(facts, encode(packetOf('DISCOVER', sent)));
    return [journal?.stage, journal?.cause, journal?.next, journal?.netboot];
  };
  const IPXE = [PXE, [77, Buffer.from('iPXE')], [175, Uint8Array.of(19, 1, 1)]] as const;
  const unknown = [PXE, clientArchitectures.write([99])];

  test('firmware fetches its boot file next', () =>
    assert.deepEqual(journaled({ options: [PXE] }), ['offer', undefined, 'firmware', true]));
  test('iPXE fetches its script next', () =>
    assert.deepEqual(journaled({ options: IPXE }), ['offer', undefined, 'script', true]));
  test('a boot file that is not there ends the boot', () =>
    assert.deepEqual(journaled({ options: [PXE] }, { hasFile: () => false }), [
      'offer',
      'firmware_missing',
      undefined,
      true,
    ]));
  test('an architecture that nobody knows ends it', () =>
    assert.deepEqual(journaled({ options: unknown }), ['offer', 'architecture_unknown', undefined, true]));
  test('a class that is refused ends it, installed system or not', () => {
    const policy = DhcpPolicy.parse({
      classes: [{ name: 'phones', match: { macs: [MAC] }, refuse: 'no phones' }],
    });
    const site = siteOf(undefined, policy);
    assert.deepEqual(journaled({}, { site }), ['discover', 'policy_refused', undefined, undefined]);
    assert.match(answerIn({ site }, discover()).journal?.detail ?? '', /class phones is refused: no phones/);
  });

  test('who comes through a relay of no segment stands there without one, a few a second', () => {
    const rates = new FakeRates();
    const lost = () => answerIn({ rates }, discover({ fields: { giaddr: '192.0.2.1' } }));
    const { journal, count, reply } = lost();
    assert.equal(count, 'dhcp passed over: no segment');
    assert.deepEqual([journal?.cause, journal?.segment, reply], ['segment_unknown', undefined, undefined]);
    assert.match(journal?.detail ?? '', /no segment has relay 192\.0\.2\.1/);
    const flood = Array.from({ length: 100 }, lost).filter((answer) => answer.journal !== undefined);
    assert.equal(flood.length, 19);
  });
});

test('a flood of machines that get nothing is in the journal in part, and in the alarms', () => {
  const site = siteOf(segmentWith({ pools: [{ first: '10.99.0.101', last: '10.99.0.101' }] }));
  const leases = new FakeLeases(leaseWith({ mac: OTHER_MAC }));
  const rates = new FakeRates();
  const answers = Array.from({ length: 1000 }, (_, at) =>
    answerIn(
      { site, leases, rates },
      discover({ mac: `52:54:00:bb:0${at >> 8}:${(at & 255).toString(16)}` }),
    ),
  );
  assert.equal(answers.filter(({ journal }) => journal !== undefined).length, 200);
  assert.equal(answers.at(-1)?.alarm?.cause, 'pool_exhausted');
});

describe('alarms', () => {
  const chose = (server: string, facts: Partial<Surroundings> = {}) =>
    answerIn(facts, encode(packetOf('REQUEST', { requested: '10.99.0.101', server })));

  test('a machine that took the offer of a stranger tells of a rogue server', () => {
    const { alarm, journal } = chose('10.99.0.66');
    assert.deepEqual([alarm?.cause, alarm?.address, alarm?.mac], ['rogue_server', '10.99.0.66', undefined]);
    assert.equal(journal?.cause, 'other_server');
  });

  test('a server that is welcome, another edge and we ourselves are no rogues', () => {
    const otherServers = ['10.99.0.66'];
    assert.equal(chose('10.99.0.66', { site: siteOf(segmentWith({ otherServers })) }).alarm, undefined);
    const site = compileSite({ segments: [segmentWith()], policy: NO_POLICY, fellows: ['10.99.0.2'] });
    assert.equal(chose('10.99.0.2', { site }).alarm, undefined);
    assert.equal(chose(SERVER).alarm, undefined);
  });

  test('where another server leases, one beside those that are named is a rogue, and the only one is none', () => {
    const proxy = (...otherServers: string[]) => siteOf(segmentWith({ mode: 'proxy', otherServers }));
    assert.equal(chose('10.99.0.66', { site: proxy() }).alarm, undefined);
    assert.equal(chose('10.99.0.66', { site: proxy('10.99.0.66') }).alarm, undefined);
    assert.equal(chose('10.99.0.66', { site: proxy('10.99.0.2') }).alarm?.address, '10.99.0.66');
  });

  test('exhausted pools are one, machines without a pool are none', () => {
    const full = segmentWith({ pools: [{ first: '10.99.0.101', last: '10.99.0.101' }] });
    const leases = new FakeLeases(leaseWith({ mac: OTHER_MAC }));
    assert.equal(answerIn({ site: siteOf(full), leases }, discover()).alarm?.cause, 'pool_exhausted');
    const none = answerIn({ site: siteOf(segmentWith({ pools: [] })) }, discover());
    assert.deepEqual([none.journal?.cause, none.alarm], ['pool_none', undefined]);
  });

  test('a flood of strangers is one, and no record for each of them', () => {
    const site = siteOf(segmentWith({ limits: { perMac: 20, perRelay: 1 } }));
    const rates = new FakeRates();
    answerIn({ site, rates }, discover());
    const { alarm, journal, reply } = answerIn({ site, rates }, discover({ mac: OTHER_MAC }));
    assert.deepEqual([alarm?.cause, journal, reply], ['limit_reached', undefined, undefined]);
  });
});

describe('a ping goes with an offer', () => {
  const cases: readonly (readonly [string, object, Parameters<typeof leaseWith>[0][], boolean])[] = [
    ['of an address that is new to the machine', {}, [], true],
    ['but of none that it had', {}, [{ expiresAtMs: NOW_MS - 1 }], false],
    ['but of none that was offered a moment ago', {}, [{ state: 'offered' }], false],
    ['but of none that is reserved', { reservations: [{ mac: MAC, address: '10.99.0.9' }] }, [], false],
    ['but not where the segment wants none', { checkConflicts: false }, [], false],
  ];
  for (const [name, segment, leases, isPinged] of cases)
    test(name, () => {
      const site = siteOf(segmentWith(segment));
      const answer = answerIn({ site, leases: new FakeLeases(...leases.map(leaseWith)) }, discover());
      assert.equal(answer.probe, isPinged ? answer.lease?.address : undefined);
    });
});

test('a REQUEST that leaves out its vendor class is told what to boot, also when its lease lives (quirk 20)', () => {
  const offer = answerTo(discover({ options: [PXE] }), {});
  assert.equal(offer.lease, undefined);
  assert.equal(offer.said?.mac, MAC);
  const request = encode(packetOf('REQUEST', { requested: '10.99.0.101', server: SERVER }));
  const facts = { leases: new FakeLeases(leaseWith()), conversations: { recall: () => offer.said } };
  assert.equal(answerIn(facts, request).journal?.next, 'firmware');
  assert.equal(answerTo(request, {}).journal, undefined);
});

test('classes that bear on TFTP or the script are told of whoever speaks, and where there are none nothing is', () => {
  const policy = DhcpPolicy.parse({
    classes: [
      { name: 'old', match: { platforms: ['bios'] }, tftp: { blockBytesMost: 1024 } },
      { name: 'named', match: { platforms: ['bios'] }, firmware: { bios: 'undionly.kpxe' } },
    ],
  });
  const seen = (sent: Sent) => answerIn({ site: siteOf(segmentWith(), policy) }, discover(sent)).seen;
  assert.deepEqual(seen({ options: [PXE] }), { segment: 'seg', mac: MAC, uuid: undefined, classes: ['old'] });
  assert.deepEqual(seen({})?.classes, []);
  assert.equal(answerTo(discover({ options: [PXE] })).seen, undefined);
});

test('of messages beyond a limit nothing is told: a flood would push out what is known of machines', () => {
  const policy = DhcpPolicy.parse({
    classes: [{ name: 'old', match: { platforms: ['bios'] }, tftp: { blockBytesMost: 1024 } }],
  });
  const site = siteOf(segmentWith({ limits: { perMac: 20, perRelay: 1 } }), policy);
  const rates = new FakeRates();
  assert.ok(answerIn({ site, rates }, discover({ options: [PXE] })).seen);
  assert.equal(answerIn({ site, rates }, discover({ mac: OTHER_MAC, options: [PXE] })).seen, undefined);
});

test('the address that a machine takes from the other server of a proxy segment is told', () => {
  const seen = (segment: Parameters<typeof segmentWith>[0], sent: Sent) =>
    answerIn({ site: siteOf(segmentWith(segment)) }, encode(packetOf('REQUEST', sent))).seen;
  const proxy = { mode: 'proxy' } as const;
  const machine = { segment: 'seg', mac: MAC, uuid: undefined };
  assert.deepEqual(seen(proxy, { requested: '10.99.0.7' }), { ...machine, address: '10.99.0.7' });
  assert.deepEqual(seen(proxy, { fields: { ciaddr: '10.99.0.8' } }), { ...machine, address: '10.99.0.8' });
  assert.equal(seen(proxy, { requested: '10.98.0.7' }), undefined);
  assert.equal(seen({}, { requested: '10.99.0.7' }), undefined);
});
