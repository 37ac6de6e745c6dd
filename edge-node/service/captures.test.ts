import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  type DhcpPacket,
  decode,
  encode,
  formatMac,
  maxReplyBytes,
  messageType,
} from '@bootswarm/edge-node/dhcp4';
import { readable, readPcap } from '@bootswarm/edge-node/dhcp4/testing';
import { decideDhcp } from './decide/dhcp.ts';
import { identifySegment } from './decide/identify.ts';
import { leaseWith, SERVER, segmentWith, siteOf, situationOf } from './decide/testing/world.ts';
import { LeaseTable } from './state/lease-table.ts';
import { FakeLeaseLog } from './testing/fake-lease-log.ts';

/** Packets of real firmware through decode, identify, decide, encode. */
const CAPTURES = ['bios', 'chain', 'uefi', 'uefihttp'] as const;
const pcaps = new URL('../protocols/dhcp4/testing/captures/', import.meta.url);
const goldens = new URL('testing/captures/', import.meta.url);

interface Exchange {
  readonly reply: DhcpPacket | undefined;
  readonly told: Record<string, unknown>;
}

function packetsOf(name: string): readonly DhcpPacket[] {
  return readPcap(readFileSync(new URL(`${name}.pcap`, pcaps))).map(({ payload }) => {
    const decoded = decode(payload);
    assert.ok(decoded.ok);
    return decoded.packet;
  });
}

/** What the reference server of the capture gave each machine once: so we offer it, and the REQUESTs name it. */
function leasesOfReference(packets: readonly DhcpPacket[]): FakeLeaseLog {
  const given = packets.filter(({ op, yiaddr }) => op === 'reply' && yiaddr !== '0.0.0.0');
  return new FakeLeaseLog(
    ...given.map(({ chaddr, yiaddr }) =>
      leaseWith({ mac: formatMac(chaddr), address: yiaddr, state: 'released', expiresAtMs: 0 }),
    ),
  );
}

function replay(name: string): readonly Exchange[] {
  const segment = segmentWith({ pools: [{ first: '10.99.0.50', last: '10.99.0.99' }], router: SERVER });
  const leases = new LeaseTable(leasesOfReference(packetsOf(name)));
  const exchanges: Exchange[] = [];
  for (const packet of packetsOf(name).filter(({ op }) => op === 'request')) {
    assert.equal(identifySegment(packet, siteOf(segment), SERVER)?.segment, segment);
    const decision = decideDhcp(situationOf(packet, { segment, leases }));
    if (decision.lease) leases.remember(decision.lease);
    leases.flush();
    const asked = `${messageType.read(packet.options)} ${packet.xid.toString(16)}`;
    if (decision.kind === 'silent') {
      exchanges.push({ reply: undefined, told: { asked, silent: decision.reason } });
      continue;
    }
    const bytes = encode(decision.packet, { maxBytes: maxReplyBytes(packet.options) });
    const again = decode(bytes);
    assert.ok(again.ok);
    exchanges.push({
      reply: again.packet,
      told: {
        asked,
        to: `${decision.to.address}:${decision.to.port}`,
        reason: decision.reason,
        reply: readable(again.packet),
        hex: Buffer.from(bytes)
          .toString('hex')
          .match(/.{1,96}/g),
      },
    });
  }
  return exchanges;
}

for (const name of CAPTURES)
  describe(`${name}.pcap`, () => {
    test('is answered as its golden file says, to the byte', async () => {
      const golden = new URL(`${name}.golden.json`, goldens);
      const actual = replay(name).map(({ told }) => told);
      if (process.env['REFRESH_GOLDEN']) writeFileSync(golden, `${JSON.stringify(actual, null, 2)}\n`);
      assert.deepEqual(JSON.parse(JSON.stringify(actual)), JSON.parse(readFileSync(golden, 'utf8')));
    });

    test('is answered with the messages and addresses with which the reference server answered', async () => {
      const textOf = ({ options, xid, yiaddr, siaddr, giaddr, broadcast }: DhcpPacket) =>
        `${messageType.read(options)} ${xid.toString(16)} ${yiaddr} ${siaddr} ${giaddr} ${broadcast}`;
      const ours = new Set(replay(name).flatMap(({ reply }) => (reply ? [textOf(reply)] : [])));
      const reference = packetsOf(name).filter(({ op }) => op === 'reply');
      assert.ok(reference.length > 0);
      for (const reply of reference) assert.ok(ours.has(textOf(reply)), textOf(reply));
    });
  });
