import { Segment } from '@bootswarm/controller/contract';
import {
  encode,
  type MessageType,
  messageType,
  requestedAddress,
  requestOf,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import type { Incoming } from '../decide/answer.ts';
import { compileSite } from '../decide/site.ts';
import { AlarmGate } from '../state/alarm-gate.ts';
import { LeaseTable } from '../state/lease-table.ts';
import { MessageRates } from '../state/message-rates.ts';
import { RecentConversations } from '../state/recent-conversations.ts';
import { playRound } from './dhcp-round.ts';

const SERVER = '192.0.2.1';
const RELAY = '192.0.2.2';
const MACHINES = 250;
const TIMES = 12;

/**
 * Plays a few thousand exchanges with nobody, of which nothing is kept and nothing leaves: an edge is often started
 * just before all machines are, and until V8 has compiled this path each answer takes twice as long
 * (edge-node/decisions/0003).
 */
export function rehearse(): void {
  const segment = Segment.parse({
    name: 'rehearsal',
    subnet: '192.0.2.0/24',
    pools: [{ first: '192.0.2.3', last: '192.0.2.254' }],
    router: SERVER,
    edges: ['rehearsal'],
  });
  const site = compileSite({ segments: [segment], policy: { options: {}, classes: [] } });
  for (let time = 0; time < TIMES; time++) {
    const leases = new LeaseTable({ readAll: () => [], writeAll: () => {}, rewrite: () => {} });
    const parts = { leases, conversations: new RecentConversations(), alarms: new AlarmGate() };
    const [rates, nothing] = [new MessageRates(), (): void => {}];
    const play = (datagrams: readonly Incoming[]): unknown =>
      playRound(
        datagrams,
        {
          site,
          rates,
          serverAddress: SERVER,
          httpUrl: `http://${SERVER}`,
          hasFile: () => true,
          service: 'dhcp',
          nowMs: Date.now(),
        },
        { ...parts, send: nothing, ping: nothing },
      );
    for (let n = 0; n < MACHINES; n++) {
      play([messageOf('DISCOVER', n)]);
      const offered = leases.ofMac(segment.name, macOf(n).text)?.address;
      play([messageOf('REQUEST', n, offered)]);
    }
  }
}

function messageOf(type: MessageType, n: number, address?: string): Incoming {
  const options = new Map([
    messageType.write(type),
    ...(address === undefined ? [] : [requestedAddress.write(address), serverId.write(SERVER)]),
  ]);
  const bytes = encode(requestOf(macOf(n).bytes, { xid: n + 1, giaddr: RELAY, options }));
  return { bytes, address: RELAY, port: 67 };
}

function macOf(n: number): { readonly bytes: Uint8Array; readonly text: string } {
  const last = n.toString(16).padStart(2, '0');
  return { bytes: Uint8Array.of(2, 0, 0, 0, 0, n), text: `02:00:00:00:00:${last}` };
}
