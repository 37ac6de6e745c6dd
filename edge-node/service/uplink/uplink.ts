import {
  Client,
  type DesiredState,
  type EdgeCredentials,
  endpoints,
  JOURNAL_BATCH_MOST,
} from '@bootswarm/controller/contract';
import { Problem, sha256Of } from '@bootswarm/images/format';
import type { Logger } from 'pino';
import type { WorkBoard } from '../agents/work-board.ts';
import { problem } from '../problems.ts';
import type { EdgeStore } from '../state/edge-store.ts';
import { acceptDesiredState } from './accept.ts';
import { type ArtefactSync, controllerSource } from './artefact-sync.ts';
import type { EdgeSwarm } from './edge-swarm.ts';
import { forever, pause } from './forever.ts';
import type { EdgeTrust } from './trust.ts';

/** How long the controller may hold a call for a desired state, and how much longer the answer may take. */
const POLL_SECONDS = 30;
const POLL_GRACE_MS = 15_000;
const CALL_MS = 15_000;
const JOURNAL_PAUSE_MS = 1000;
const STATUS_PAUSE_MS = 500;
/** Agents report each second. */
const WORK_PAUSE_MS = 1000;
/** How often the trust metadata is renewed without a new desired state, and while something waits for it. */
const TRUST_PAUSE_MS = 180_000;
const TRUST_RETRY_MS = 10_000;

export interface UplinkOptions {
  readonly controllerUrl: string;
  readonly store: EdgeStore;
  readonly sync: ArtefactSync;
  readonly edgeSwarm: EdgeSwarm;
  /** At which other edges reach this one; where it is left out, the address that leads to the controller. */
  readonly swarmAddress: string | undefined;
  readonly trust: EdgeTrust;
  readonly board: Pick<WorkBoard, 'news' | 'untold'>;
  readonly log: Logger;
  /** By which this edge calls itself to DHCP clients. */
  readonly addresses: readonly string[];
  /** Told the part of each desired state that the operator signed. */
  readonly apply: (state: DesiredState) => void;
}

export interface Joining {
  readonly store: EdgeStore;
  readonly controllerUrl: string;
  readonly joinToken: string | undefined;
  readonly log: Logger;
}

/**
 * The credentials of this edge: kept ones, or those that the join token brings. A token given anew wins, so that
 * an edge can be moved to another controller. One that stays in a unit file is spent only once. A controller that
 * is down is waited for until `signal` ends it: the edge serves on meanwhile.
 * @returns undefined where `signal` ended it.
 * @throws Problem not_joined, or why the controller refuses a token and there are no kept credentials.
 */
export async function ensureCredentials(
  { store, controllerUrl, joinToken, log }: Joining,
  signal: AbortSignal,
): Promise<EdgeCredentials | undefined> {
  const kept = store.credentials();
  if (joinToken === undefined && !kept) throw problem('not_joined');
  const tokenHash = joinToken === undefined ? undefined : sha256Of(joinToken);
  if (kept && (tokenHash === undefined || tokenHash === store.joinedWith())) return kept;

  const client = new Client({ url: controllerUrl, token: joinToken });
  let joined: EdgeCredentials | undefined;
  let refusal: Problem | undefined;
  const done = new AbortController();
  await forever('joining', AbortSignal.any([signal, done.signal]), log, async () => {
    const timeout = AbortSignal.timeout(CALL_MS);
    try {
      joined = await client.call(endpoints.join, {}, { signal: AbortSignal.any([signal, timeout]) });
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      refusal = error;
    }
    done.abort();
  });
  if (joined) await store.replaceCredentials(joined, sha256Of(joinToken ?? ''));
  if (joined || !refusal) return joined;
  if (!kept) throw refusal;
  log.warn(refusal.toBody(), 'the join token was refused; going on with the credentials of an earlier one');
  return kept;
}

/** Follows the controller: pulls the desired state and the artefacts, pushes the journal and the status. */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #credentials: EdgeCredentials;
  readonly #client: Client;
  #statusChanged = true;
  #following: Promise<void> = Promise.resolve();
  #appliedRevision = -1;

  constructor(options: UplinkOptions, credentials: EdgeCredentials) {
    this.#options = options;
    this.#credentials = credentials;
    this.#client = new Client({ url: options.controllerUrl, token: credentials.token });
    options.trust.connect(this.#client);
  }

  /** The status is sent soon after. */
  statusChanged(): void {
    this.#statusChanged = true;
  }

  /** Ends with `signal`. Whatever fails meanwhile is tried again: this edge serves on without its controller. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, sync, edgeSwarm, controllerUrl: url, addresses, swarmAddress } = this.#options;
    await Promise.all([
      forever('desired state', signal, log, () => this.#pullDesiredState(signal)),
      forever('trust metadata', signal, log, () => this.#renewTrust(signal)),
      forever('journal', signal, log, () => this.#pushJournal(signal)),
      forever('inspections', signal, log, () => this.#pushInspection(signal)),
      forever('status', signal, log, () => this.#pushStatus(signal)),
      forever('work', signal, log, () => this.#pushWork(signal)),
      edgeSwarm.run({ client: this.#client, url, addresses, ownAddress: swarmAddress }, signal),
      sync.run(controllerSource(this.#client), signal),
    ]);
  }

  async #pullDesiredState(signal: AbortSignal): Promise<void> {
    const { store, log } = this.#options;
    const held = store.desiredState();
    const query = { after: held?.revision ?? -1, waitSeconds: POLL_SECONDS };
    const signed = await this.#client.call(
      endpoints.desiredState,
      { query },
      { signal: AbortSignal.any([signal, AbortSignal.timeout(POLL_SECONDS * 1000 + POLL_GRACE_MS)]) },
    );
    // Answered, so the controller knows that this edge lives: let it be seen.
    this.#statusChanged = true;
    if (signed === null) return;
    const { name, controllerKey } = this.#credentials;
    const state = acceptDesiredState(signed, name, controllerKey, held);
    await store.keepDesiredState(signed);
    await this.#follow(signal);
    log.info(
      { revision: state.revision, segments: state.segments.length, releases: state.releases.length },
      'following a new desired state',
    );
  }

  /** Serves what of the kept desired state was signed, as the newest metadata says; one call after the other. */
  #follow(signal: AbortSignal): Promise<void> {
    const follow = async (): Promise<void> => {
      const { trust, apply, store } = this.#options;
      const state = store.desiredState();
      if (!state) return;
      await trust.meet(state);
      const isNews = await trust.refresh(signal);
      if (!isNews && !trust.isWaiting && this.#appliedRevision === state.revision) return;
      apply(await trust.follow(state));
      this.#appliedRevision = state.revision;
      this.#statusChanged = true;
    };
    this.#following = this.#following.then(follow, follow);
    return this.#following;
  }

  async #renewTrust(signal: AbortSignal): Promise<void> {
    const { trust, store } = this.#options;
    await this.#follow(signal);
    const isBehind = trust.isWaiting || this.#appliedRevision !== (store.desiredState()?.revision ?? -1);
    await pause(isBehind ? TRUST_RETRY_MS : TRUST_PAUSE_MS, signal);
  }

  async #pushJournal(signal: AbortSignal): Promise<void> {
    const records = this.#options.store.oldestJournal(JOURNAL_BATCH_MOST);
    if (records.length === 0) return pause(JOURNAL_PAUSE_MS, signal);
    const receipt = await this.#client.call(
      endpoints.sendJournal,
      { body: { records } },
      { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) },
    );
    await this.#options.store.forgetJournal(receipt.takenSeq);
  }

  async #pushInspection(signal: AbortSignal): Promise<void> {
    const { inspections } = this.#options.store;
    const next = inspections.oldest();
    if (!next) return pause(JOURNAL_PAUSE_MS, signal);
    try {
      await this.#client.call(
        endpoints.sendInspection,
        { body: next.sent },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) },
      );
    } catch (error) {
      // One that the controller cannot read must not hold up those behind it.
      if (!(error instanceof Problem) || (error.status !== 400 && error.status !== 413)) throw error;
      this.#options.log.error(error.toBody(), 'an inspection is lost: the controller does not take it');
    }
    await inspections.forget(next.key);
  }

  async #pushWork(signal: AbortSignal): Promise<void> {
    const { board } = this.#options;
    const machines = board.news(Date.now());
    if (machines) {
      const until = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]);
      await this.#client
        .call(endpoints.reportWork, { body: { machines: [...machines] } }, { signal: until })
        .catch((error) => {
          board.untold();
          throw error;
        });
    }
    await pause(WORK_PAUSE_MS, signal);
  }

  async #pushStatus(signal: AbortSignal): Promise<void> {
    if (!this.#statusChanged) return pause(STATUS_PAUSE_MS, signal);
    this.#statusChanged = false;
    const { store, sync, trust, addresses } = this.#options;
    const { ready, waiting, transfer } = sync.status;
    try {
      await this.#client.call(
        endpoints.reportStatus,
        {
          body: {
            revision: store.desiredState()?.revision ?? 0,
            addresses: [...addresses],
            ready,
            waiting: [...waiting, ...trust.waiting],
            transfer,
          },
        },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) },
      );
    } catch (error) {
      this.#statusChanged = true;
      throw error;
    }
  }
}
