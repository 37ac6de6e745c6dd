import {
  type BootStage,
  type DesiredState,
  type JournalRecord,
  type Segment,
  type Sighting,
  tellingUuid,
} from '@bootswarm/controller/contract';
import { type BootRole, edgeArtefacts, isBootRole } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { type BootPlan, renderScript, SCRIPT_PATH, type Whereabouts } from '@bootswarm/ipxe';
import {
  artefactId,
  type MenuPick,
  outlookOf,
  type PlannedBoot,
  planBoot,
  planText,
  waitFor,
} from '../decide/boot-plan.ts';
import type { Viewer } from '../decide/boot-tree.ts';
import { type InstallView, isHolder } from '../decide/installer-plan.ts';
import type { Lease } from '../decide/lease.ts';
import { lockOf } from '../decide/menu-lock.ts';
import type { Seen } from '../decide/seen.ts';
import { compileSite, type Site } from '../decide/site.ts';
import { capsFor, type TransferCaps } from '../decide/tftp-caps.ts';
import { absentNews, roleByName, type TransferNews } from '../decide/transfer-news.ts';
import { BootFiles } from './boot-files.ts';
import type { InstallLedger } from './install-ledger.ts';
import { MenuKeeper } from './menu-keeper.ts';
import { Sightings } from './sightings.ts';
import type { WorkLedger } from './work-ledger.ts';

/** Where an artefact that may be served lies, and what it is for. */
export interface Servable {
  readonly sha256: string;
  readonly path: string;
  readonly role: BootRole;
}

/** A machine that asks for its script. */
export interface ScriptCaller {
  readonly address: string;
  readonly mac: string;
  readonly uuid: string | undefined;
  /** Of this edge, as the machine reached it. */
  readonly httpUrl: string;
  /** What was picked from its segment's menu, and the password that was typed for it. */
  readonly pick?: { readonly entry: number; readonly password: string };
}

export interface PlanCaller {
  readonly address: string;
  readonly machine: Sighting | undefined;
  readonly httpUrl: string;
  readonly pick?: MenuPick;
}

interface Planned {
  readonly plan: BootPlan;
  readonly where: Whereabouts;
}

export interface ServingParts {
  /** The last lease of an address. */
  readonly holderOf: (address: string) => Lease | undefined;
  readonly folder: ArtefactFolder;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  /** Whether its bytes came last with another SHA-256 than the manifest's. */
  readonly isCorrupt: (sha256: string) => boolean;
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
  readonly installs: Pick<InstallLedger, 'progressOf' | 'note' | 'settled' | 'ticketOf'>;
  readonly works: Pick<WorkLedger, 'workOf' | 'note'>;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

/** What this edge serves now: the desired state that it follows, joined with what is here. */
export class Serving {
  readonly #parts: ServingParts;
  readonly #bootFiles = new BootFiles();
  readonly #sightings = new Sightings();
  readonly #menuKeeper = new MenuKeeper();
  #state: DesiredState | undefined;
  #site: Site | undefined;
  /** By `SHA-256/NAME` and by `ID/NAME`. */
  #servable: ReadonlyMap<string, Servable> = new Map();

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  get state(): DesiredState | undefined {
    return this.#state;
  }

  /** What DHCP saw of a machine. */
  note(seen: Seen): void {
    this.#sightings.note(seen);
  }

  segmentOf(address: string): Segment | undefined {
    return this.#site?.segmentOf(address)?.segment;
  }

  /** Why a release cannot be installed from here yet; undefined where all of it is here. */
  lackOf(release: string): string | undefined {
    const { isReady, isCorrupt } = this.#parts;
    if (!this.#state) return 'this edge has no desired state yet';
    return waitFor(release, { state: this.#state, isReady, isCorrupt, httpUrl: '' })?.reason;
  }

  get segments(): readonly Segment[] {
    return this.#state?.segments ?? [];
  }

  /** Follows another desired state from now on. */
  apply(state: DesiredState): void {
    const { folder } = this.#parts;
    this.#state = state;
    this.#site = compileSite(state);
    const artefacts = state.releases.flatMap(edgeArtefacts);
    this.#bootFiles.keepOnly(new Set(artefacts.map(({ sha256 }) => sha256)));
    this.#servable = new Map(
      artefacts.flatMap(({ sha256, name, role }) => {
        // A disk image is installed in the place of a root.
        const served = role === 'disk' ? 'root' : role;
        if (!isBootRole(served)) return [];
        const servable = { sha256, path: folder.pathOf(sha256), role: served };
        return [sha256, artefactId(sha256)].map((id) => [`${id}/${name}`, servable] as const);
      }),
    );
  }

  /** The iPXE script of a machine, or undefined where no segment here has its address. */
  async scriptFor({ address, mac, uuid, httpUrl, pick }: ScriptCaller): Promise<string | undefined> {
    const caller = { address, machine: { mac, uuid }, httpUrl };
    const segment = this.segmentOf(address);
    const machines = this.#state?.machines ?? [];
    const lock = pick && segment && lockOf(caller.machine, segment, machines, pick.entry);
    const isUnlocked =
      lock !== undefined && (await this.#menuKeeper.opens(address, pick?.password ?? '', lock));
    if (isUnlocked === 'busy') {
      const reason = 'the last password from this address is still being looked at';
      const where = { edge: this.#state?.edge ?? '', segment: segment?.name ?? '' };
      return renderScript({ kind: 'wait', reason, scriptUrl: httpUrl + SCRIPT_PATH }, where);
    }
    const planned = await this.planFor(
      pick ? { ...caller, pick: { entry: pick.entry, isUnlocked } } : caller,
    );
    return planned && renderScript(planned.plan, planned.where);
  }

  /**
   * What whoever has an address is to do, or undefined where no segment here has it. What must be remembered of it is
   * durable when this resolves.
   * @param machine undefined where nobody knows which it is: then what its segment says.
   */
  async planFor({ address, machine, httpUrl, pick }: PlanCaller): Promise<Planned | undefined> {
    const segment = this.#site?.segmentOf(address)?.segment;
    if (!this.#state || !segment) return undefined;
    const plan = await this.#remembered(
      planBoot(
        machine ?? { mac: '' },
        segment,
        {
          state: this.#state,
          isReady: this.#parts.isReady,
          isCorrupt: this.#parts.isCorrupt,
          httpUrl,
          classes: machine ? this.#sightings.classesOf(segment.name, machine.mac) : [],
          installs: this.#installsFor(this.#state, { address, machine, httpUrl }, segment),
        },
        pick,
      ),
      httpUrl,
    );
    const isProxy = segment.mode === 'proxy';
    const known = machine ?? (isProxy ? this.#sightings.at(address) : undefined);
    if (known) {
      const whose = { mac: known.mac, uuid: tellingUuid(known.uuid), segment: segment.name, address };
      if (isProxy && whose.mac !== '') this.note(whose);
      this.#journal('script', whose, planText(plan), outlookOf(plan));
    }
    return { plan, where: { edge: this.#state.edge, segment: segment.name } };
  }

  #installsFor(
    { profiles, releases }: DesiredState,
    { address, machine, httpUrl }: PlanCaller,
    segment: Segment,
  ): InstallView {
    const { installs, works, holderOf, clock = Date.now } = this.#parts;
    return {
      profiles,
      releases,
      httpUrl,
      address,
      nowMs: clock(),
      isHolder: isHolder(machine, holderOf(address), segment),
      progressOf: (id) => installs.progressOf(id),
      workOf: (id) => works.workOf(id),
      ticketOf: (id, epoch) => installs.ticketOf(id, epoch),
    };
  }

  /** The plan, once what must be remembered of it is on the disk; a machine whose disk note fails has to wait. */
  async #remembered(plan: PlannedBoot, httpUrl: string): Promise<PlannedBoot> {
    const note = 'install' in plan ? plan.install : undefined;
    const work = 'work' in plan ? plan.work : undefined;
    if (!note && !work) return plan;
    const { installs, works } = this.#parts;
    try {
      if (work) await works.note(work.machineId, work.work);
      if (!note) return plan;
      if (note.isNew) await installs.note(note.machineId, note.progress);
      else await installs.settled(note.machineId);
      return plan;
    } catch (error) {
      const reason = `this edge could not remember the installation: ${(error as Error).message}`;
      return { kind: 'wait', cause: 'installer_not_kept', reason, scriptUrl: httpUrl + SCRIPT_PATH };
    }
  }

  /** Who asks from an address, where what asks does not say it. */
  viewerAt(address: string): Viewer {
    return {
      address,
      machine: this.#whoHas(address),
      isLeased: this.segmentOf(address)?.mode !== 'proxy',
    };
  }

  /** What the segment and the classes of whoever has an address bear of TFTP. */
  tftpCapsOf(address: string): TransferCaps {
    const segment = this.#site?.segmentOf(address)?.segment;
    const client = this.#whoHas(address);
    const classes = segment && client ? this.#sightings.classesOf(segment.name, client.mac) : [];
    return capsFor(segment, this.#state?.policy.classes ?? [], { client, classes });
  }

  /** An artefact of a wanted release, once it is verified. @param id its SHA-256, or the beginning that scripts name. */
  artefactOf(id: string, name: string): Servable | undefined {
    const servable = this.#servable.get(`${id}/${name}`);
    return servable && this.#parts.isReady(servable.sha256) ? servable : undefined;
  }

  /** A kernel or initramfs where it is held in memory, for TFTP. */
  bytesOf({ sha256, path }: Servable): Uint8Array | undefined {
    return this.#bootFiles.bytesOf(sha256, path);
  }

  /** Whether an artefact of a wanted release is still to come here: then it is fetched, once, whoever asks for it. */
  isComing(id: string, name: string): boolean {
    const servable = this.#servable.get(`${id}/${name}`);
    return servable !== undefined && !this.#parts.isReady(servable.sha256);
  }

  /** Journals that an artefact was asked for in vain. */
  tellAbsent(address: string, id: string, name: string): void {
    // No script names anything else.
    if (!/^(?:[0-9a-f]{16}|[0-9a-f]{64})$/.test(id)) return;
    const servable = this.#servable.get(`${id}/${name}`);
    // A root is not given by TFTP.
    if (servable && this.#parts.isReady(servable.sha256)) return;
    const lack = servable && (this.#parts.isCorrupt(servable.sha256) ? 'corrupt' : 'coming');
    this.tell(servable?.role ?? roleByName(name), address, absentNews(name, lack ?? 'unknown'));
  }

  /** Where another server leases, whoever took the address of it or asked for a script from there. */
  #whoHas(address: string): Pick<Seen, 'mac' | 'uuid' | 'segment'> | undefined {
    const isProxy = this.segmentOf(address)?.mode === 'proxy';
    return isProxy ? this.#sightings.at(address) : this.#parts.holderOf(address);
  }

  /** Journals what the holder of an address fetched, or what of it failed; of undefined there is nothing to tell. */
  tell(stage: BootStage, address: string, news: TransferNews | undefined): void {
    const who = this.#whoHas(address);
    if (!who || !news) return;
    const { detail, cause, epoch } = news;
    const { mac, uuid, segment } = who;
    this.#journal(stage, { mac, uuid, segment, address }, detail, {
      ...(cause === undefined ? {} : { cause }),
      ...(epoch === undefined ? {} : { epoch }),
    });
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
    outlook: Pick<JournalRecord, 'next' | 'cause' | 'spentEpoch' | 'epoch'>,
  ): void {
    this.#parts.addToJournal({
      at: new Date().toISOString(),
      stage,
      mac,
      ...(uuid === undefined ? {} : { uuid }),
      segment,
      address,
      ...outlook,
      detail: detail.slice(0, 500),
    });
  }
}
