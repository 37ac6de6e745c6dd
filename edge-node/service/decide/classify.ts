import type { DhcpClass } from '@bootswarm/controller/contract';
import { platformOf } from '@bootswarm/ipxe';
import type { Client } from './client.ts';
import { encodeSettings, type OptionLevel } from './options.ts';
import { compilePattern } from './patterns.ts';

/** A class of the policy, ready to be asked. */
export interface CompiledClass {
  readonly definition: DhcpClass;
  readonly options: OptionLevel;
  readonly holds: (client: Client, segment: string) => boolean;
}

type Condition = (client: Client, segment: string) => boolean;

export function compileClass(definition: DhcpClass): CompiledClass {
  const conditions = conditionsOf(definition.match);
  return {
    definition,
    options: encodeSettings(definition.options ?? {}),
    holds: (client, segment) => conditions.every((condition) => condition(client, segment)),
  };
}

/** One for each thing that the clients of the class have in common. */
function conditionsOf(match: DhcpClass['match']): readonly Condition[] {
  const { platforms, architectures, vendorClass, userClass, ouis, macs, uuids, relays, segments } = match;
  const [circuitId, remoteId] = [match.circuitId, match.remoteId].map((pattern) =>
    pattern === undefined ? undefined : compilePattern(pattern),
  );
  const conditions: readonly (Condition | undefined)[] = [
    platforms &&
      (({ isNetworkBoot, architectures: told, mac }) => {
        const { key } = platformOf(told, mac);
        return isNetworkBoot && key !== undefined && platforms.includes(key);
      }),
    architectures && ((client) => client.architectures.some((told) => architectures.includes(told))),
    vendorClass === undefined ? undefined : (client) => client.vendorClass.startsWith(vendorClass),
    userClass === undefined ? undefined : (client) => client.userClasses.includes(userClass),
    ouis && oneOf(new Set(ouis), ({ mac }) => mac.slice(0, 8)),
    macs && oneOf(new Set(macs), ({ mac }) => mac),
    uuids && oneOf(new Set(uuids), ({ uuid }) => uuid),
    relays && oneOf(new Set(relays), ({ relay }) => relay),
    segments && ((_, segment) => segments.includes(segment)),
    circuitId && ((client) => circuitId(client.circuitId)),
    remoteId && ((client) => remoteId(client.remoteId)),
  ];
  return conditions.filter((condition) => condition !== undefined);
}

function oneOf(wanted: ReadonlySet<string>, told: (client: Client) => string | undefined): Condition {
  return (client) => {
    const value = told(client);
    return value !== undefined && wanted.has(value);
  };
}
