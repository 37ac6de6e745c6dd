import type { Socket } from 'node:dgram';
import type { JournalRecord, Segment } from '@bootswarm/controller/contract';
import { type DhcpPacket, decode, encode, maxReplyBytes } from '@bootswarm/edge-node/dhcp4';
import type { Logger } from 'pino';
import { type Decision, type Destination, decideDhcp } from '../decide/dhcp.ts';
import { type Client, identifyClient, identifySegment } from '../decide/identify.ts';
import type { LeaseTable } from '../state/lease-table.ts';
import { bindUdpToInterface } from './bound-udp.ts';
import type { Counters } from './counters.ts';
import type { Listener } from './interfaces.ts';

const DHCP_SERVER_PORT = 67;
const ETHERNET_HTYPE = 1;

export interface DhcpService {
  readonly listener: Listener;
  readonly httpUrl: string;
  readonly leases: LeaseTable;
  readonly segments: () => readonly Segment[];
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
  readonly counters: Counters;
  readonly log: Logger;
}

/** Serves DHCP on one interface. */
export class DhcpServer {
  readonly #socket: Socket;
  readonly #service: DhcpService;

  private constructor(socket: Socket, service: DhcpService) {
    this.#socket = socket;
    this.#service = service;
  }

  /** @throws Problem not_root, port_in_use */
  static async start(service: DhcpService): Promise<DhcpServer> {
    const socket = await bindUdpToInterface(service.listener.interfaceName, DHCP_SERVER_PORT);
    const server = new DhcpServer(socket, service);
    socket.on('message', (bytes) => {
      server.#receive(bytes).catch((error: unknown) => {
        service.counters.count('dhcp failed');
        service.log.error({ err: error }, 'a DHCP packet was not answered');
      });
    });
    socket.on('error', (error) => service.log.error({ err: error }, 'the DHCP socket failed'));
    return server;
  }

  stop(): void {
    this.#socket.close();
  }

  /** A packet's journey: decode, identify, decide, commit, encode, send. */
  async #receive(bytes: Uint8Array): Promise<void> {
    const { listener, segments, leases, httpUrl, counters } = this.#service;
    const decoded = decode(bytes);
    if (!decoded.ok) {
      counters.count(`dhcp malformed: ${decoded.reason}`);
      return;
    }
    const { packet } = decoded;
    if (packet.op !== 'request') {
      counters.count('dhcp passed over: not a request');
      return;
    }

    // Leases, journal and controller know a machine by its Ethernet address (InfiniBand sends none).
    if (packet.htype !== ETHERNET_HTYPE) {
      counters.count('dhcp passed over: not Ethernet');
      return;
    }

    const client = identifyClient(packet);
    const segment = identifySegment(packet, segments(), listener.address);
    if (!segment) {
      counters.count('dhcp passed over: no segment');
      this.#service.log.debug({ mac: client.mac, giaddr: packet.giaddr }, 'no segment has this giaddr');
      return;
    }
    const decision = decideDhcp({
      packet,
      client,
      segment,
      leases,
      serverAddress: listener.address,
      httpUrl,
      nowMs: Date.now(),
    });
    // Before anything is kept: what cannot be said must not be leased either.
    const reply = decision.kind === 'reply' ? this.#encoded(decision.packet, packet, client) : undefined;
    if (decision.kind === 'reply' && reply === undefined) return;
    if (decision.lease) await leases.commit(decision.lease);
    counters.count(`dhcp ${decision.kind}`);
    this.#tell(decision, client, segment);
    if (decision.kind === 'reply' && reply) await this.#send(reply, decision.to);
  }

  /** Undefined where the client echoes more options at us than a datagram of the length that it takes can hold. */
  #encoded(reply: DhcpPacket, request: DhcpPacket, { mac }: Client): Uint8Array | undefined {
    try {
      return encode(reply, { maxBytes: maxReplyBytes(request.options) });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#service.counters.count('dhcp reply does not fit');
      this.#service.log.debug({ mac, reason: error.message }, 'the reply does not fit what the client takes');
      return undefined;
    }
  }

  #send(bytes: Uint8Array, to: Destination): Promise<void> {
    const address = to.address === 'broadcast' ? '255.255.255.255' : to.address;
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, to.port, address, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Boots are journaled; what an installed system renews is not. */
  #tell(decision: Decision, client: Client, segment: Segment): void {
    const { log, addToJournal } = this.#service;
    log.debug({ mac: client.mac, segment: segment.name, reason: decision.reason }, decision.kind);
    if (decision.kind !== 'reply' || decision.bootFile === undefined) return;
    const { mac, uuid } = client;
    addToJournal({
      at: new Date().toISOString(),
      stage: decision.lease?.state === 'bound' ? 'lease' : 'offer',
      mac,
      ...(uuid === undefined ? {} : { uuid }),
      segment: segment.name,
      address: decision.packet.yiaddr,
      detail: decision.reason.slice(0, 500),
    });
  }
}
