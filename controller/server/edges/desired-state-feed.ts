import type { KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DesiredState } from '@bootswarm/controller/contract';
import { readSigningKey, type Signed, sha256Of, signText } from '@bootswarm/images/format';
import { LongPolls } from '../store/long-poll.ts';
import type { StateStore } from '../store/state-store.ts';
import { desiredStateOf, type Fleet } from './desired-state.ts';
import { FleetView } from './fleet-view.ts';

/** For so long edges are told one after the other before others get their turn. */
const STRETCH_MS = 20;

interface Issued {
  readonly contentSha256: string;
  readonly revision: number;
  readonly signed: Signed;
  /** Of the fleet that it tells of. */
  readonly fleetVersion: number;
}

/**
 * Hands each edge its signed desired state, and lets it wait for the next. The revision is the store's at
 * the time when the content last changed: it rises with every change and over restarts.
 */
export class DesiredStateFeed {
  readonly #store: StateStore;
  readonly #view: FleetView;
  readonly #signingKey: KeyObject;
  readonly #issued = new Map<string, Issued>();
  readonly #polls: LongPolls;
  #turn: Promise<unknown> = Promise.resolve();
  #stretchSince = 0;

  constructor(store: StateStore, readFleet: () => Promise<Fleet>, privateKey: string) {
    this.#store = store;
    this.#view = new FleetView(store, readFleet);
    this.#signingKey = readSigningKey(privateKey);
    this.#polls = new LongPolls(this.#view);
  }

  /** The desired state once its revision is above `after`, or null when `waitMs` or `signal` ended the wait. */
  async next(edge: string, after: number, waitMs: number, signal: AbortSignal): Promise<Signed | null> {
    const look = async (): Promise<Signed | undefined> => {
      const { revision, signed } = await this.#issue(edge);
      return revision > after ? signed : undefined;
    };
    return (await this.#polls.next(look, waitMs, signal)) ?? null;
  }

  /** Ends every wait, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }

  async #issue(edge: string): Promise<Issued> {
    const { version } = await this.#view.current();
    const held = this.#issued.get(edge);
    if (held?.fleetVersion === version) return held;
    const issuing = this.#turn.then(async () => {
      if (performance.now() - this.#stretchSince > STRETCH_MS) {
        await nextTurn();
        this.#stretchSince = performance.now();
      }
      return this.#issueAnew(edge);
    });
    this.#turn = issuing.catch(() => {});
    return issuing;
  }

  async #issueAnew(edge: string): Promise<Issued> {
    // Read before the content: a content newer than its revision is issued again, never the other way.
    const revision = await this.#store.revision();
    const { version: fleetVersion, fleet } = await this.#view.current();
    const held = this.#issued.get(edge);
    if (held?.fleetVersion === fleetVersion) return held;
    const content = desiredStateOf(edge, fleet);
    const contentSha256 = sha256Of(JSON.stringify(content));
    if (held?.contentSha256 === contentSha256) {
      const same = { ...held, fleetVersion };
      this.#issued.set(edge, same);
      return same;
    }
    const { machines } = content;
    // Machines were read by the schema, and looking at thousands again for each edge takes most of the time.
    const state: DesiredState = { ...DesiredState.parse({ ...content, machines: [], revision }), machines };
    const signed = signText(JSON.stringify(state), this.#signingKey);
    const issued = { contentSha256, revision, signed, fleetVersion };
    this.#issued.set(edge, issued);
    return issued;
  }
}
