import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type BootCause,
  type BootStage,
  type DesiredState,
  type JournalRecord,
  matchMachine,
  type Segment,
} from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';
import { type AnswerContext, answerFile } from '../decide/answer-files.ts';
import { answered, type InstallProgress, mayHaveAnswers, unanswered } from '../decide/install-step.ts';
import { isHolder } from '../decide/installer-plan.ts';
import type { Lease } from '../decide/lease.ts';
import type { InstallLedger } from '../state/install-ledger.ts';
import type { Serving } from '../state/serving.ts';

/** Machines that are watched for the first file they take of a tree; of more than that the oldest are forgotten. */
const WATCHED_MOST = 10_000;

export interface AnswersParts {
  readonly serving: Pick<Serving, 'state' | 'segmentOf'>;
  /** The last lease of an address. */
  readonly holderOf: (address: string) => Lease | undefined;
  readonly ledger: Pick<InstallLedger, 'progressOf' | 'note' | 'settled' | 'ticketOf'>;
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

interface Caller {
  readonly address: string;
  /** Of this edge, as the machine reached it. */
  readonly httpUrl: string;
}

type Refused = { readonly status: 403 | 404 | 410 | 500; readonly text: string };

/** A file for an installer, and what is to be done once its bytes have left or have not. */
export interface AnswerFile {
  readonly text: string;
  readonly sha256: string;
  /** Before the first byte leaves. @throws what the disk says: then none may leave. */
  readonly begin: () => Promise<void>;
  readonly end: (isComplete: boolean) => Promise<void>;
}

/** Whose ticket it is. */
interface Ticket {
  readonly machine: DesiredState['machines'][number];
  readonly profile: string;
  readonly segment: Segment;
  readonly mac: string;
  readonly progress: InstallProgress;
}

/** Answers of installers, for one machine each, and what installers report. */
export class Answers {
  readonly #parts: AnswersParts;
  readonly #clock: () => number;
  /** MACs that have had their answers, and nothing of a tree yet. */
  readonly #watched = new Set<string>();

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
  }

  /** @param ticket epoch and token, as they stand in the URL. */
  find(ticket: string, name: string, caller: Caller): AnswerFile | Refused {
    const found = this.#holderOf(ticket, caller);
    if ('status' in found) return found;
    const { machine, mac, segment } = found;
    const context = this.#contextOf(found, ticket, caller);
    if (!context) return { status: 404, text: 'this edge does not know the profile or its release' };
    const file = answerFile(name, context);
    if (!file) return { status: 404, text: 'the installer has no answers of that name' };
    const whose = { mac, uuid: machine.uuid, segment: segment.name, address: caller.address };
    if (!file.ok) {
      this.#journal('answers', whose, `${name}: ${file.reason}`, { cause: 'template_failed' });
      return { status: 500, text: file.reason };
    }
    const { text, isAnswers } = file;
    const sha256 = createHash('sha256').update(text).digest('hex');
    if (!isAnswers) return { text, sha256, begin: async () => {}, end: async () => {} };
    return {
      text,
      sha256,
      begin: () => this.#begin(found),
      end: (isComplete) => this.#end(found, whose, isComplete, `${name}, ${Buffer.byteLength(text)} bytes`),
    };
  }

  /** An installer reports that it is done. */
  async installed(ticket: string, caller: Caller): Promise<{ readonly status: 200 } | Refused> {
    const found = this.#holderOf(ticket, caller);
    if ('status' in found) return found;
    await this.#begin(found);
    const { machine, mac, segment, progress } = found;
    const whose = { mac, uuid: machine.uuid, segment: segment.name, address: caller.address };
    this.#journal('installed', whose, 'the installer reports that it is done', spentBy(progress));
    return { status: 200 };
  }

  /** Journals the first file that a machine takes of a tree after its answers: it goes on. */
  tookOfTree(address: string, file: string): void {
    const lease = this.#parts.holderOf(address);
    if (!lease || !this.#watched.delete(lease.mac)) return;
    const { mac, uuid, segment } = lease;
    this.#journal('tree', { mac, uuid, segment, address }, file, {});
  }

  /** Durable before the answers leave: once they did, the disk may be written to. */
  #begin({ machine, progress }: Ticket): Promise<void> {
    return progress.ended === undefined
      ? this.#parts.ledger.note(machine.id, answered(progress, this.#clock()))
      : this.#parts.ledger.settled(machine.id);
  }

  async #end(
    { machine, progress }: Ticket,
    whose: Whose,
    isComplete: boolean,
    detail: string,
  ): Promise<void> {
    if (isComplete) {
      this.#watched.delete(whose.mac);
      this.#watched.add(whose.mac);
      const [oldest] = this.#watched;
      if (this.#watched.size > WATCHED_MOST && oldest !== undefined) this.#watched.delete(oldest);
      this.#journal('answers', whose, `fetched ${detail}`, spentBy(progress));
      return;
    }
    // What the client did not get it cannot have begun with. Another request may have brought it meanwhile.
    if (progress.ended === undefined) await this.#parts.ledger.note(machine.id, unanswered(progress));
    this.#journal('answers', whose, `broke off: ${detail}`, { cause: 'kernel_broken_off' });
  }

  /** Whose ticket it is, where it comes from the address of that machine. */
  #holderOf(ticket: string, { address }: Caller): Ticket | Refused {
    const { serving, holderOf, ledger } = this.#parts;
    const segment = serving.segmentOf(address);
    const lease = holderOf(address);
    const refused: Refused = { status: 403, text: 'these are not your answers' };
    if (!segment) return refused;
    const machines = serving.state?.machines ?? [];
    const machine = lease
      ? matchMachine(machines, lease)
      : // In proxy mode the address is the one that the installer was given to.
        machines.find(({ id }) => segment.mode === 'proxy' && ledger.progressOf(id)?.address === address);
    const mac = lease?.mac ?? machine?.macs[0];
    const progress = machine && ledger.progressOf(machine.id);
    const isOwn =
      machine?.intent.kind === 'installer' &&
      mac !== undefined &&
      isHolder({ mac, uuid: machine.uuid }, lease, segment) &&
      isSame(ticket, ledger.ticketOf(machine.id, machine.epoch ?? 0));
    if (!isOwn || machine.intent.kind !== 'installer') {
      if (lease)
        this.#journal(
          'answers',
          { ...lease, uuid: lease.uuid },
          'asked for the answers of another machine or epoch',
          {
            cause: 'answers_refused',
          },
        );
      return refused;
    }
    if (!progress || !mayHaveAnswers(machine, progress, this.#clock()))
      return { status: 410, text: 'these answers were fetched already' };
    return { machine, profile: machine.intent.profile, segment, mac, progress };
  }

  #contextOf(
    { machine, profile: name, segment, mac }: Ticket,
    ticket: string,
    { address, httpUrl }: Caller,
  ): AnswerContext | undefined {
    const { state } = this.#parts.serving;
    const profile = state?.profiles?.find((each) => each.name === name);
    const manifest = state?.releases.find((each) => releaseId(each) === profile?.release);
    if (profile?.kind === 'image') return undefined;
    return profile && manifest && { profile, machine, mac, address, segment, manifest, httpUrl, ticket };
  }

  #journal(
    stage: BootStage,
    { mac, uuid, segment, address }: Whose,
    detail: string,
    rest: { readonly cause?: BootCause; readonly spentEpoch?: number },
  ): void {
    this.#parts.addToJournal({
      at: new Date(this.#clock()).toISOString(),
      stage,
      mac,
      ...(uuid === undefined ? {} : { uuid }),
      segment,
      address,
      ...rest,
      detail: detail.slice(0, 500),
    });
  }
}

interface Whose {
  readonly mac: string;
  readonly uuid: string | undefined;
  readonly segment: string;
  readonly address: string;
}

function spentBy({ epoch }: InstallProgress): { readonly spentEpoch?: number } {
  return epoch > 0 ? { spentEpoch: epoch } : {};
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
