import type { Trust } from '@bootswarm/controller/contract';
import { channelsIn, keyIdsOf, outlineOf, type Role, releasesIn, targetsIn } from '@bootswarm/images/trust';
import { factsText, tableText } from '../output.ts';
import type { KeyFolder } from './key-folder.ts';

const HOUR_MS = 3600 * 1000;

/** What is left of a role's time when it is near its end. The last two are the controller's to renew. */
const NEAR_MS: Readonly<Record<Role, number>> = {
  root: 30 * 24 * HOUR_MS,
  targets: 30 * 24 * HOUR_MS,
  snapshot: 2 * 24 * HOUR_MS,
  timestamp: 6 * HOUR_MS,
};

interface RoleReport {
  readonly role: Role;
  readonly version: number;
  readonly expires: string;
  readonly keys: readonly string[];
}

export interface TrustReport {
  readonly roles: readonly RoleReport[];
  /** Whether it was verified from the root that this folder of keys knows. */
  readonly verified: boolean;
  readonly folder: string;
  readonly releases: number;
  readonly channels: number;
  readonly warnings: readonly string[];
}

export function trustReport(shown: Trust, keys: KeyFolder, verified: boolean, now: Date): TrustReport {
  const { root, targets } = shown;
  const folder = keys.path;
  if (root === null || targets === null)
    return {
      roles: [],
      verified,
      folder,
      releases: 0,
      channels: 0,
      warnings: ["Nobody's signatures count yet: run 'bootswarm trust init'."],
    };
  const ids = keyIdsOf(root);
  const roles = (['root', 'targets', 'snapshot', 'timestamp'] as const).flatMap((role) => {
    const text = shown[role];
    return text === null ? [] : [{ role, ...outlineOf(text), keys: ids[role] }];
  });
  const held = targetsIn(targets);
  return {
    roles,
    verified,
    folder,
    releases: releasesIn(held).length,
    channels: channelsIn(held).size,
    warnings: [
      ...(verified ? [] : [`Not verified: ${folder} does not know this controller's root.`]),
      ...roles.flatMap((report) => warningOf(report, now) ?? []),
    ],
  };
}

function warningOf({ role, expires }: RoleReport, now: Date): string | undefined {
  const leftMs = new Date(expires).getTime() - now.getTime();
  if (leftMs > NEAR_MS[role]) return undefined;
  const when = leftMs <= 0 ? `expired at ${expires}` : `expires at ${expires}`;
  return role === 'root' || role === 'targets'
    ? `The ${role} metadata ${when}: run 'bootswarm trust renew'. Edges take nothing new after that.`
    : `The ${role} metadata ${when}, and the controller did not renew it: look at its log and its clock.`;
}

export function trustText({ roles, verified, folder, releases, channels, warnings }: TrustReport): string {
  const table = tableText(
    ['ROLE', 'VERSION', 'EXPIRES', 'KEYS'],
    roles.map(({ role, version, expires, keys }) => [
      role,
      String(version),
      expires,
      keys.map((id) => id.slice(0, 16)).join(' '),
    ]),
  );
  const facts = factsText({
    'your keys': folder,
    verified: verified ? 'from the root that your keys know' : 'no',
    'signed releases': String(releases),
    'signed channels': String(channels),
  });
  return [
    ...(roles.length > 0 ? [table, '', facts] : []),
    ...warnings.map((text) => `warning: ${text}`),
  ].join('\n');
}
