import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpPacket, OPTION } from '@bootswarm/edge-node/dhcp4';
import { decideDhcp } from './dhcp.ts';
import type { Destination } from './situation.ts';
import { FakeLeases, leaseWith, packetOf, situationOf } from './testing/world.ts';

const OUTSIDE = '192.0.2.7';
/** Sub-option 19, relay source port (RFC 8357). */
const OWN_PORT = [OPTION.relayAgent, Uint8Array.of(19, 0)] as const;

describe('where a reply goes (RFC 2131, section 4.1)', () => {
  const relay = { address: '10.99.0.254', port: 67 } as const;
  const link = { address: 'broadcast', port: 68 } as const;
  const cases: readonly (readonly [name: string, packet: DhcpPacket, to: Destination, broadcast: boolean])[] =
    [
      ['a client without an address', packetOf('DISCOVER'), link, false],
      ['one that asks for broadcasts', packetOf('DISCOVER', { fields: { broadcast: true } }), link, true],
      ['a relay', packetOf('DISCOVER', { fields: { giaddr: relay.address, broadcast: true } }), relay, true],
      [
        'one that renews',
        packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101' } }),
        { address: '10.99.0.101', port: 68 },
        false,
      ],
      [
        'one that rebinds through a relay',
        packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101', giaddr: relay.address } }),
        relay,
        false,
      ],
      [
        'one that asks for options, through a relay',
        packetOf('INFORM', { fields: { ciaddr: '10.99.0.20', giaddr: relay.address } }),
        { address: '10.99.0.20', port: 68 },
        false,
      ],
      [
        'a relay that says at which port it wants its answer (RFC 8357)',
        packetOf('DISCOVER', { fields: { giaddr: relay.address }, options: [OWN_PORT] }),
        { address: relay.address, port: 40_067 },
        false,
      ],
      ['a client that says so without a relay', packetOf('DISCOVER', { options: [OWN_PORT] }), link, false],
      [
        'a NAK to such a relay',
        packetOf('REQUEST', {
          requested: OUTSIDE,
          fields: { giaddr: relay.address },
          options: [OWN_PORT],
        }),
        { address: relay.address, port: 40_067 },
        true,
      ],
      ['a NAK on the link', packetOf('REQUEST', { fields: { ciaddr: OUTSIDE } }), link, false],
      [
        'a NAK through a relay, which must broadcast it',
        packetOf('REQUEST', { requested: OUTSIDE, fields: { giaddr: relay.address } }),
        relay,
        true,
      ],
    ];
  for (const [name, packet, to, broadcast] of cases)
    test(name, () => {
      // A relay in a VRF sends from another address than giaddr (quirk 17).
      const from = { address: '172.16.9.9', port: 40_067 };
      const decision = decideDhcp(situationOf(packet, { from, leases: new FakeLeases(leaseWith()) }));
      assert.ok(decision.kind === 'reply', decision.reason);
      assert.deepEqual(decision.to, to);
      assert.equal(decision.packet.broadcast, broadcast);
      assert.equal(decision.packet.giaddr, packet.giaddr);
    });
});
