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
import type { Lease } from '../decide/lease.ts';
import { BootFiles } from './boot-files.ts';

/** Where an artefact that may be served lies, and what it is for. */
export interface Servable {
  readonly path: string;
  readonly role: 'kernel' | 'initramfs' | 'root';
  /** Where it is held in memory. */
  readonly bytes?: Uint8Array;
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
  /** The last lease of an address. */
  readonly holderOf: (address: string) => Lease | undefined;
  readonly folder: ArtefactFolder;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
}

/** What this edge serves now: the desired state that it follows, joined with what is here. */
export class Serving {
  readonly #parts: ServingParts;
  readonly #bootFiles = new BootFiles();
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
    const artefacts = state.releases.flatMap((release) => release.artefacts);
    this.#bootFiles.keepOnly(new Set(artefacts.map(({ sha256 }) => sha256)));
    this.#servable = new Map(
      artefacts.map(({ sha256, name, role }) => [`${sha256}/${name}`, { path: folder.pathOf(sha256), role }]),
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
    const servable = this.#parts.isReady(sha256) ? this.#servable.get(`${sha256}/${name}`) : undefined;
    if (servable === undefined || servable.role === 'root') return servable;
    const bytes = this.#bootFiles.bytesOf(sha256, servable.path);
    return bytes ? { ...servable, bytes } : servable;
  }

  /** Journals what the holder of an address fetched. One that has no lease from here is nobody we know. */
  tell(stage: BootStage, address: string, detail: string): void {
    const lease = this.#parts.holderOf(address);
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
