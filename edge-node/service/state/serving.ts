import {
  type BootStage,
  type DesiredState,
  type JournalRecord,
  type Segment,
  tellingUuid,
} from '@bootswarm/controller/contract';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { renderScript } from '@bootswarm/ipxe';
import { planBoot, planText } from '../decide/boot-plan.ts';
import { segmentOf } from '../decide/identify.ts';
import type { LeaseView } from '../decide/lease.ts';

/** Where an artefact that may be served lies, and what it is for. */
export interface Servable {
  readonly path: string;
  readonly role: 'kernel' | 'initramfs' | 'root';
}

/** A machine that asks for its script. */
export interface ScriptCaller {
  readonly address: string;
  readonly mac: string;
  readonly uuid: string | undefined;
  /** Of this edge, as the machine reached it. */
  readonly httpUrl: string;
}

export interface ServingParts {
  readonly leases: LeaseView;
  readonly folder: ArtefactFolder;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
}

/** What this edge serves now: the desired state that it follows, joined with what is here. */
export class Serving {
  readonly #parts: ServingParts;
  #state: DesiredState | undefined;
  /** By `SHA-256/NAME`. */
  #servable: ReadonlyMap<string, Servable> = new Map();

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  get segments(): readonly Segment[] {
    return this.#state?.segments ?? [];
  }

  /** Follows another desired state from now on. */
  apply(state: DesiredState): void {
    const { folder } = this.#parts;
    this.#state = state;
    this.#servable = new Map(
      state.releases
        .flatMap(({ artefacts }) => artefacts)
        .map(({ sha256, name, role }) => [`${sha256}/${name}`, { path: folder.pathOf(sha256), role }]),
    );
  }

  /** The iPXE script of a machine, or undefined where no segment here has its address. */
  scriptFor({ address, mac, uuid, httpUrl }: ScriptCaller): string | undefined {
    const segment = segmentOf(address, this.segments);
    if (!this.#state || !segment) return undefined;
    const plan = planBoot({ mac, uuid }, segment, {
      state: this.#state,
      isReady: this.#parts.isReady,
      httpUrl,
    });
    const machine = { mac, uuid: tellingUuid(uuid), segment: segment.name, address };
    this.#journal('script', machine, planText(plan));
    return renderScript(plan, { edge: this.#state.edge, segment: segment.name });
  }

  /** An artefact of a wanted release, once it is verified. */
  artefactOf(sha256: string, name: string): Servable | undefined {
    return this.#parts.isReady(sha256) ? this.#servable.get(`${sha256}/${name}`) : undefined;
  }

  /** Journals what the holder of an address fetched. One that has no lease from here is nobody we know. */
  tell(stage: BootStage, address: string, detail: string): void {
    const lease = this.#parts.leases.at(address);
    if (lease) this.#journal(stage, { ...lease, uuid: lease.uuid }, detail);
  }

  #journal(
    stage: BootStage,
    {
      mac,
      uuid,
      segment,
      address,
    }: { mac: string; uuid: string | undefined; segment: string; address: string },
    detail: string,
  ): void {
    this.#parts.addToJournal({
      at: new Date().toISOString(),
      stage,
      mac,
      ...(uuid === undefined ? {} : { uuid }),
      segment,
      address,
      detail: detail.slice(0, 500),
    });
  }
}
