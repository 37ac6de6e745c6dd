import type { Reservation } from '@bootswarm/controller/contract';
import type { Client } from './client.ts';
import { encodeSettings, type OptionLevel } from './options.ts';
import { compilePattern, type Pattern } from './patterns.ts';

/** A reservation, ready to be asked. */
export interface Reserved {
  readonly definition: Reservation;
  /** Names it among those of its segment, over restarts. */
  readonly key: string;
  readonly options: OptionLevel;
}

interface ReservedPort {
  readonly reserved: Reserved;
  readonly relay: string | undefined;
  readonly circuitId: Pattern | undefined;
  readonly remoteId: Pattern | undefined;
}

/** What a segment keeps for clients that it knows. */
export class Reservations {
  readonly #byKey = new Map<string, Reserved>();
  readonly #ports: readonly ReservedPort[];
  /** Kept for somebody. */
  readonly addresses: readonly string[];

  constructor(reservations: readonly Reservation[]) {
    const ports: ReservedPort[] = [];
    for (const definition of reservations) {
      const { hostname, options = {}, port } = definition;
      const settings = hostname === undefined ? options : { 'host-name': hostname, ...options };
      const reserved = { definition, key: keyOf(definition), options: encodeSettings(settings) };
      this.#byKey.set(reserved.key, reserved);
      if (port) ports.push({ reserved, relay: port.relay, ...patternsOf(port) });
    }
    this.#ports = ports;
    this.addresses = reservations.flatMap(({ address }) => address ?? []);
  }

  /** The client's, by what tells most about it: MAC, UUID, client identifier, then the port that it is plugged into. */
  of(client: Client): Reserved | undefined {
    const { mac, uuid, clientId } = client;
    const known =
      this.#byKey.get(`mac ${mac}`) ??
      (uuid === undefined ? undefined : this.#byKey.get(`uuid ${uuid}`)) ??
      (clientId === undefined ? undefined : this.#byKey.get(`client ${clientId}`));
    return known ?? this.#ports.find((port) => isPluggedInto(port, client))?.reserved;
  }
}

function keyOf({ mac, uuid, clientId, port }: Reservation): string {
  if (mac !== undefined) return `mac ${mac}`;
  if (uuid !== undefined) return `uuid ${uuid}`;
  if (clientId !== undefined) return `client ${clientId.toLowerCase().replaceAll(':', '')}`;
  return `port ${[port?.relay, port?.circuitId, port?.remoteId].map((part) => part ?? '').join(' ')}`;
}

function patternsOf(port: NonNullable<Reservation['port']>): Pick<ReservedPort, 'circuitId' | 'remoteId'> {
  return {
    circuitId: port.circuitId === undefined ? undefined : compilePattern(port.circuitId),
    remoteId: port.remoteId === undefined ? undefined : compilePattern(port.remoteId),
  };
}

function isPluggedInto({ relay, circuitId, remoteId }: ReservedPort, client: Client): boolean {
  return (
    (relay === undefined || relay === client.relay) &&
    (circuitId === undefined || circuitId(client.circuitId)) &&
    (remoteId === undefined || remoteId(client.remoteId))
  );
}
