import type { Machine, Profile } from '@bootswarm/controller/contract';

/** What an inventory script of Ansible prints for `--list`. */
export interface AnsibleInventory {
  readonly _meta: { readonly hostvars: Readonly<Record<string, HostVariables>> };
  readonly all: { readonly children: readonly string[] };
  readonly [group: string]: object;
}

export type HostVariables = Readonly<Record<string, unknown>>;

/** What operators and rules say of a machine, as far as the controller knows of such things. */
interface Traits {
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  readonly state?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * Groups by segment, class, label, state, intent, profile and release. Variables of answer files are left out: they
 * may hold hashes of passwords, and inventories end in logs and caches.
 */
export function inventoryOf(machines: readonly Machine[], profiles: readonly Profile[]): AnsibleInventory {
  const groups = new Map<string, Set<string>>();
  const hostvars: Record<string, HostVariables> = {};
  for (const machine of machines) {
    const host = hostOf(machine);
    hostvars[host] = hostVariables(machine, profiles);
    for (const group of groupsOf(machine, profiles))
      groups.set(group, (groups.get(group) ?? new Set()).add(host));
  }
  const named = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    _meta: { hostvars },
    all: { children: ['ungrouped', ...named.map(([group]) => group)] },
    ...Object.fromEntries(named.map(([group, hosts]) => [group, { hosts: [...hosts].toSorted() }])),
    ungrouped: {
      hosts: machines.filter((each) => groupsOf(each, profiles).length === 0).map((each) => hostOf(each)),
    },
  };
}

/** The name that operators gave a machine, else its id. */
function hostOf(machine: Machine & Traits): string {
  return machine.name ?? machine.id;
}

export function hostVariables(machine: Machine & Traits, profiles: readonly Profile[]): HostVariables {
  const { id, macs, uuid, segment, address, intent, state, labels, class: of } = machine;
  const release = releaseOf(machine, profiles);
  const known = { id, macs, uuid, segment, address, intent: intent?.kind, release, state, class: of, labels };
  const variables = Object.entries(known).filter(([, value]) => value !== undefined);
  return {
    ...(address === undefined ? {} : { ansible_host: address }),
    ...Object.fromEntries(variables.map(([name, value]) => [`bootswarm_${name}`, value])),
  };
}

function groupsOf(machine: Machine & Traits, profiles: readonly Profile[]): readonly string[] {
  const { segment, state, labels = {}, intent, class: of } = machine;
  const profile = intent && 'profile' in intent ? intent.profile : undefined;
  const facts = [
    ['segment', segment],
    ['class', of],
    ['state', state],
    ['intent', intent?.kind],
    ['profile', profile],
    ['release', releaseOf(machine, profiles)],
    ...Object.entries(labels).map(([label, value]) => [`label_${label}`, value] as const),
  ] as const;
  return facts.flatMap(([family, value]) => (value === undefined ? [] : [groupName(`${family}_${value}`)]));
}

/** That a machine boots or is installed with; undefined where its segment or disk decides. */
function releaseOf({ intent }: Machine, profiles: readonly Profile[]): string | undefined {
  if (!intent) return undefined;
  if ('release' in intent && intent.release !== undefined) return intent.release;
  return 'profile' in intent ? profiles.find(({ name }) => name === intent.profile)?.release : undefined;
}

/** Ansible takes letters, digits and underscores alone. */
function groupName(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, '_');
}
