import { Mac, type Reservation } from '@bootswarm/controller/contract';
import { patternOf } from './class-match.ts';
import { notTaken } from './not-taken.ts';
import { hexBytes } from './option-values.ts';
import type { Declared, Survey } from './survey.ts';
import type { Statement, Token } from './syntax.ts';

/** A host declaration: by what its client is known, and what it gets wherever it is. */
export interface Host {
  readonly statement: Statement;
  readonly client: Pick<Reservation, 'mac' | 'clientId' | 'port'>;
  readonly given: Pick<Reservation, 'hostname' | 'options' | 'firmware'>;
  readonly addresses: readonly string[];
  readonly isRefused: boolean;
}

const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** @returns undefined where no client is named that can be known here; the survey is told why. */
export function hostOf({ statement, name, settings, rest }: Declared, survey: Survey): Host | undefined {
  const clients: { readonly statement: Statement; readonly client: Host['client'] }[] = [];
  const addresses: string[] = [];
  for (const each of rest) {
    const found = clientOf(each.tokens);
    if (each.tokens[0]?.text.toLowerCase() === 'fixed-address')
      addresses.push(...each.tokens.slice(1).flatMap(({ kind, text }) => (kind === 'mark' ? [] : [text])));
    else if (found) clients.push({ statement: each, client: found });
    else survey.lose(notTaken(each, 'no client can be known by that here'));
  }
  // dhcpd looks for the hardware address last, but it is what stays the same from firmware to system.
  const first = clients.find(({ client }) => client.mac !== undefined) ?? clients[0];
  for (const other of clients)
    if (first && other !== first)
      survey.lose(notTaken(other.statement, `host ${name} is known by one thing alone, and that is its MAC`));
  if (!first) {
    survey.lose(notTaken(statement, 'it names no client that can be known here'));
    return undefined;
  }
  const { options: all, firmware } = settings;
  const { 'host-name': told, ...others } = all;
  const hostname = told ?? (settings.givesHostNames ? name : undefined);
  const isHostname = hostname !== undefined && HOST_NAME.test(hostname);
  const options = hostname === undefined || isHostname ? others : { ...others, 'host-name': hostname };
  return {
    statement,
    client: first.client,
    given: {
      ...(isHostname ? { hostname } : {}),
      ...(Object.keys(options).length > 0 ? { options } : {}),
      ...(Object.keys(firmware).length > 0 ? { firmware } : {}),
    },
    addresses,
    isRefused: settings.isRefused === true,
  };
}

function clientOf(tokens: readonly Token[]): Host['client'] | undefined {
  const [word, second, third, fourth] = tokens;
  switch (word?.text.toLowerCase()) {
    case 'hardware': {
      const bytes = hexBytes(third?.text ?? '');
      const mac = Mac.safeParse(bytes?.toString('hex') ?? '');
      return second?.text.toLowerCase() === 'ethernet' && mac.success ? { mac: mac.data } : undefined;
    }
    // Others than the client identifier are no declaration and do not come here.
    case 'option':
      return clientIdOf(third);
    case 'uid':
      return clientIdOf(second);
    case 'host-identifier':
      switch (third?.text.toLowerCase()) {
        case 'dhcp-client-identifier':
          return clientIdOf(fourth);
        case 'agent.circuit-id':
        case 'agent.remote-id': {
          const bytes = bytesOf(fourth);
          const key = third.text.toLowerCase() === 'agent.circuit-id' ? 'circuitId' : 'remoteId';
          return bytes && { port: { [key]: patternOf(bytes) } };
        }
      }
  }
  return undefined;
}

function clientIdOf(token: Token | undefined): Host['client'] | undefined {
  const bytes = bytesOf(token);
  return bytes && { clientId: bytes.toString('hex') };
}

function bytesOf(token: Token | undefined): Buffer | undefined {
  if (!token || token.text === '') return undefined;
  return token.kind === 'string' ? Buffer.from(token.text, 'latin1') : hexBytes(token.text);
}
