import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, vendorClass } from '@bootswarm/edge-node/dhcp4';
import { type Answer, answerDatagram } from './answer.ts';
import {
  FakeLeases,
  HTTP_URL,
  leaseWith,
  MAC,
  NOW_MS,
  packetOf,
  SERVER,
  type Sent,
  segmentWith,
} from './testing/world.ts';

function answerTo(bytes: Uint8Array, ...leases: Parameters<typeof leaseWith>[0][]): Answer {
  return answerDatagram(bytes, {
    segments: [segmentWith()],
    leases: new FakeLeases(...leases.map(leaseWith)),
    serverAddress: SERVER,
    httpUrl: HTTP_URL,
    nowMs: NOW_MS,
  });
}

const discover = (sent: Sent = {}): Uint8Array => encode(packetOf('DISCOVER', sent));
const PXE = vendorClass.write('PXEClient:Arch:00000:UNDI:002001');

test('what is no business of an edge is counted by its reason, and nothing else comes of it', () => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['dhcp malformed: too short', Uint8Array.of(1)],
    ['dhcp malformed: no cookie', discover().with(236, 0)],
    ['dhcp passed over: not a request', discover({ fields: { op: 'reply' } })],
    ['dhcp passed over: not Ethernet', discover({ fields: { htype: 32 } })],
    ['dhcp passed over: no segment', discover({ fields: { giaddr: '192.0.2.1' } })],
  ];
  for (const [count, bytes] of cases) assert.deepEqual(answerTo(bytes), { count });
});

test('silence has its reason', () => {
  const answer = answerTo(encode(packetOf('NAK')));
  assert.deepEqual(answer, {
    count: 'dhcp silent',
    told: { mac: MAC, segment: 'seg', reason: 'only a server sends such a message' },
  });
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
    detail: `offer ${answer.lease?.address}, BIOS`,
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
  assert.deepEqual(answer, { count: 'dhcp reply does not fit' });
});
