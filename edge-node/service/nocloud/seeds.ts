import {
  type DesiredState,
  FirstBoot,
  Mac,
  matchMachine,
  NOCLOUD_FILES,
  type NoCloudFile,
  noCloudSeed,
  type Segment,
  Uuid,
} from '@bootswarm/controller/contract';
import { hostnameOf } from '../decide/answer-files.ts';
import { profileFor } from '../decide/first-boot.ts';
import type { Lease } from '../decide/lease.ts';
import { installMachine } from '../decide/work-order.ts';
import type { Serving } from '../state/serving.ts';

type Machine = DesiredState['machines'][number];

export interface NoCloudParts {
  readonly serving: Pick<Serving, 'state' | 'segmentOf'>;
  /** The last lease of an address. */
  readonly holderOf: (address: string) => Lease | undefined;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

interface Caller {
  readonly address: string;
  /** Of this edge, as the machine reached it. */
  readonly httpUrl: string;
}

type Found = { readonly text: string } | { readonly status: 404 | 500; readonly text: string };

/** Alike whether there is no such machine, or another one asks: a stranger learns nothing. */
const NONE: Found = { status: 404, text: 'there is no seed for you here' };

/** Seeds of cloud-init, each for the machine that asks for its own, with the controller or without it. */
export class NoCloudSeeds {
  readonly #parts: NoCloudParts;

  constructor(parts: NoCloudParts) {
    this.#parts = parts;
  }

  /**
   * A file of the seed of whoever has the address: a live lease of this edge, by a card of a machine that has an intent.
   * @param key id, UUID or MAC of that machine: what stands in the URL, and opens nobody else's seed.
   */
  find(key: string, name: string, { address, httpUrl }: Caller): Found {
    const { serving, holderOf, clock = Date.now } = this.#parts;
    const lease = holderOf(address);
    const segment = serving.segmentOf(address);
    const isFile = (text: string): text is NoCloudFile => NOCLOUD_FILES.some((file) => file === text);
    if (!isFile(name) || !segment || lease?.state !== 'bound' || lease.expiresAtMs <= clock()) return NONE;
    const machine = matchMachine(serving.state?.machines ?? [], { mac: lease.mac, uuid: lease.uuid });
    if (!machine || !isCalled(machine, key)) return NONE;
    const filled = this.#filled(machine, { mac: lease.mac, address, segment, httpUrl });
    if (!filled.ok) return { status: 500, text: `template_failed: ${filled.reason}` };
    const { hostname, firstBoot } = filled;
    const told = installMachine({ machine, segment, mac: lease.mac, address }, hostname);
    return { text: noCloudSeed({ machine: told, epoch: machine.epoch ?? 0, firstBoot })[name] };
  }

  /** Host name and first boot by the image profile of its intent; of one that has none what every system gets. */
  #filled(machine: Machine, whose: { mac: string; address: string; segment: Segment; httpUrl: string }) {
    const { intent } = machine;
    const { state } = this.#parts.serving;
    const named = 'profile' in intent && state?.profiles?.find(({ name }) => name === intent.profile);
    const profile = named && named.kind === 'image' ? named : undefined;
    if (!profile) {
      const hostname = hostnameOf({ machine, ...whose }).toLowerCase();
      return { ok: true, hostname, firstBoot: FirstBoot.parse({}) } as const;
    }
    const release = ('release' in intent ? intent.release : undefined) ?? profile.release;
    const filled = profileFor({ ...whose, machine, profile, release });
    return filled.ok ? { ...filled, firstBoot: filled.profile.firstBoot } : filled;
  }
}

function isCalled({ id, macs, uuid }: Machine, key: string): boolean {
  if (key === id) return true;
  const mac = Mac.safeParse(key);
  if (mac.success) return macs.includes(mac.data);
  return uuid !== undefined && Uuid.safeParse(key).data === uuid;
}
