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
    if (decision.lease) await leases.commit(decision.lease);
    counters.count(`dhcp ${decision.kind}`);
    this.#tell(decision, client, segment);
    if (decision.kind === 'reply') await this.#send(decision.packet, packet, decision.to);
  }

  async #send(reply: DhcpPacket, request: DhcpPacket, to: Destination): Promise<void> {
    const bytes = encode(reply, { maxBytes: maxReplyBytes(request.options) });
    const address = to.address === 'broadcast' ? '255.255.255.255' : to.address;
    await new Promise<void>((resolve, reject) => {
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
