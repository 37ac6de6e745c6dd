import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decode,
  encode,
  messageType,
  OPTION,
  relayAgent,
  requestedAddress,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import { answerDatagram } from './answer.ts';
import {
  FakeLeases,
  FakeRates,
  HTTP_URL,
  leaseWith,
  NOW_MS,
  packetOf,
  SERVER,
  type Sent,
  siteOf,
} from './testing/world.ts';

const RELAY = '10.99.0.254';
/** Option 82 with the server identifier that the relay wants to be told to clients (RFC 5107). */
const OVERRIDE = [OPTION.relayAgent, Uint8Array.of(1, 1, 9, 11, 4, 10, 99, 0, 254)] as const;
const relayed: Sent = { fields: { giaddr: RELAY }, options: [OVERRIDE] };

/** The reply to a packet, read again. */
function replyTo(type: Parameters<typeof packetOf>[0], sent: Sent, ...leases: Parameters<typeof leaseWith>) {
  const answer = answerDatagram(
    { bytes: encode(packetOf(type, sent)), address: RELAY, port: 67 },
    {
      site: siteOf(),
      leases: new FakeLeases(...leases.map(leaseWith)),
      rates: new FakeRates(),
      conversations: { recall: () => undefined },
      serverAddress: SERVER,
      httpUrl: HTTP_URL,
      hasFile: () => true,
      service: 'dhcp',
      nowMs: NOW_MS,
    },
  );
  const decoded = answer.reply && decode(answer.reply.bytes);
  return { answer, packet: decoded?.ok ? decoded.packet : undefined };
}

describe('a relay that takes the place of the server (RFC 5107)', () => {
  test('is what the client is told as server, in offer, lease and refusal', () => {
    const requests: readonly (readonly [Parameters<typeof packetOf>[0], Sent])[] = [
      ['DISCOVER', relayed],
      ['REQUEST', { ...relayed, requested: '10.99.0.101', server: RELAY }],
      ['REQUEST', { ...relayed, requested: '192.0.2.1', server: RELAY }],
    ];
    const types = requests.map(([type, sent]) => {
      const { packet } = replyTo(type, sent);
      assert.ok(packet);
      assert.equal(serverId.read(packet.options), RELAY);
      return messageType.read(packet.options);
    });
    assert.deepEqual(types, ['OFFER', 'ACK', 'NAK']);
  });

  test('is not the server of a client that no relay speaks for', () => {
    const { packet } = replyTo('DISCOVER', { options: [OVERRIDE] });
    assert.ok(packet);
    assert.equal(serverId.read(packet.options), SERVER);
  });

  test('is no rogue: its REQUEST is ours, and one for another server is not', () => {
    const own = replyTo('REQUEST', { ...relayed, requested: '10.99.0.101', server: RELAY });
    assert.equal(own.answer.alarm, undefined);
    const other = replyTo('REQUEST', { ...relayed, requested: '10.99.0.101', server: SERVER });
    assert.equal(other.answer.reply, undefined);
  });
});

describe('option 82', () => {
  test('comes back as it came and last', () => {
    const { answer } = replyTo('DISCOVER', relayed);
    const bytes = answer.reply?.bytes ?? new Uint8Array();
    assert.match(Buffer.from(bytes).toString('hex'), /52090101090b040a6300feff0*$/);
  });

  test('comes back to a switch that is no relay, too', () => {
    const { packet } = replyTo('DISCOVER', { options: [[OPTION.relayAgent, Uint8Array.of(1, 1, 9)]] });
    assert.ok(packet);
    assert.deepEqual(relayAgent.read(packet.options)?.raw, Uint8Array.of(1, 1, 9));
    assert.equal(packet.giaddr, '0.0.0.0');
  });
});

test('a RELEASE that comes through a relay ends the lease of its sender', () => {
  const { answer } = replyTo('RELEASE', { fields: { giaddr: RELAY, ciaddr: '10.99.0.101' } }, {});
  assert.equal(answer.lease?.state, 'released');
});

test('a DECLINE that comes through a relay quarantines', () => {
  const sent = { fields: { giaddr: RELAY }, options: [requestedAddress.write('10.99.0.101')] };
  assert.equal(replyTo('DECLINE', sent, {}).answer.lease?.state, 'declined');
});
