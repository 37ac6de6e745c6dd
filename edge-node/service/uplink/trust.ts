import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Client,
  type DesiredState,
  type EdgeStatus,
  endpoints,
  type JournalRecord,
} from '@bootswarm/controller/contract';
import {
  canonicalJson,
  channelId,
  Manifest,
  manifestBytes,
  Problem,
  releaseId,
  sha256Of,
} from '@bootswarm/images/format';
import { channelPath, type FetchMetadata, releasePath, TrustClient } from '@bootswarm/images/trust';
import type { Logger } from 'pino';
import { z } from 'zod';
import { problem } from '../problems.ts';
import type { EdgeStore } from '../state/edge-store.ts';
import { followSigned, type Refusal, type Vouching } from './trust-follow.ts';

/** A desired state waits for it, which the same controller has just sent. */
const REFRESH_MS = 10_000;
const REASON_MOST = 500;

export interface EdgeTrustOptions {
  /** Each controller's trust lies in a folder of its own in it. */
  readonly folder: string;
  /** A root that the operator brought by hand, instead of the one that the controller gives. */
  readonly rootFile: string | undefined;
  readonly log: Logger;
  readonly addToJournal: (record: Omit<JournalRecord, 'seq'>) => void;
}

/** Before there is a root: nothing was signed by anybody. */
const NOBODY: Vouching = {
  channelOf: () => undefined,
  objectionTo: () => "this edge has no root of trust yet: run 'bootswarm trust init'",
};

/**
 * What this edge believes of releases and channels. The controller tells it what to serve; only what the operator
 * signed is followed, and what was followed once is followed on when nothing new can be verified.
 */
export class EdgeTrust {
  readonly #options: EdgeTrustOptions;
  readonly #givenRoot: string | undefined;
  #folder = '';
  #trust: TrustClient | undefined;
  #client: Client | undefined;
  /** Followed until now, so that a channel that must not move yet stays where it is. */
  #held: readonly Manifest[] = [];
  #followed: DesiredState | undefined;
  #refusals: readonly Refusal[] = [];
  /** What was told last, so that each is told once. */
  #told = '';

  private constructor(options: EdgeTrustOptions, givenRoot: string | undefined) {
    this.#options = options;
    this.#givenRoot = givenRoot;
  }

  /** @throws Problem trust_root_unreadable */
  static async open(options: EdgeTrustOptions): Promise<EdgeTrust> {
    const { rootFile } = options;
    if (rootFile === undefined) return new EdgeTrust(options, undefined);
    const root = await readFile(rootFile, 'utf8').catch((error: Error) => {
      throw problem('trust_root_unreadable', {
        facts: { file: rootFile, reason: error.message },
        cause: error,
      });
    });
    return new EdgeTrust(options, root);
  }

  /** Goes on with what was verified of a controller before. @param controllerKey by which desired states are signed. */
  async use(controllerKey: string): Promise<void> {
    const folder = join(this.#options.folder, sha256Of(controllerKey).slice(0, 16));
    if (folder === this.#folder) return;
    this.#folder = folder;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#trust = await this.#openTrust(this.#givenRoot);
    this.#held = await this.#readHeld();
  }

  async #openTrust(root: string | undefined): Promise<TrustClient | undefined> {
    try {
      return await TrustClient.open(this.#folder, root, this.#fetch);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'trust_state_unreadable') throw error;
      // A disk that lost it: begun anew, from the root with which it began before.
      this.#options.log.error(error.toBody(), 'the trust metadata is begun anew');
      await rename(join(this.#folder, 'trusted.json'), join(this.#folder, 'unreadable.json'));
      return TrustClient.open(this.#folder, root, this.#fetch);
    }
  }

  /** What was followed when this edge last ran. */
  async followKept(
    store: Pick<EdgeStore, 'credentials' | 'desiredState'>,
  ): Promise<DesiredState | undefined> {
    const [credentials, state] = [store.credentials(), store.desiredState()];
    if (!credentials || !state) return undefined;
    await this.use(credentials.controllerKey);
    await this.meet(state);
    return this.follow(state);
  }

  /** Where metadata is fetched from, from now on. */
  connect(client: Client): void {
    this.#client = client;
  }

  readonly #fetch: FetchMetadata = async (file, signal) => {
    if (!this.#client) throw new Error('the controller was not reached yet');
    try {
      const response = await this.#client.fetch(endpoints.fetchTrustFile, { params: { file } }, { signal });
      return response.body ?? undefined;
    } catch (error) {
      if (error instanceof Problem && error.code === 'trust_file_unknown') return undefined;
      throw error;
    }
  };

  /**
   * Takes the first root of a desired state, where this edge has none: whoever signs desired states may give it, once.
   */
  async meet({ trustRoot }: DesiredState): Promise<void> {
    if (this.#trust || trustRoot === undefined) return;
    this.#trust = await this.#openTrust(trustRoot);
  }

  /** Fetches and verifies what is newer. What fails is told and changes nothing. @returns whether anything is new. */
  async refresh(signal: AbortSignal): Promise<boolean> {
    if (!this.#trust) return false;
    try {
      return await this.#trust.refresh(AbortSignal.any([signal, AbortSignal.timeout(REFRESH_MS)]));
    } catch (error) {
      if (signal.aborted) return false;
      const isRefused = error instanceof Problem && error.code === 'trust_refused';
      this.#options.log.warn({ err: error }, 'the trust metadata was not renewed; trying again');
      if (isRefused) this.#tell((error as Error).message);
      return false;
    }
  }

  /** What of a desired state is to be served. */
  async follow(offered: DesiredState): Promise<DesiredState> {
    const { state, refusals } = followSigned(offered, this.#held, this.#trust ?? NOBODY);
    this.#followed = state;
    this.#refusals = refusals;
    const [first] = refusals;
    if (first) {
      const more = refusals.length > 1 ? `, and ${refusals.length - 1} more` : '';
      this.#tell(`${first.reference} is not followed: ${first.reason}${more}`);
    } else this.#told = '';
    await this.#keepHeld(state.releases);
    return state;
  }

  /** What is asked for and not followed, for the status of this edge. */
  get waiting(): EdgeStatus['waiting'] {
    return this.#refusals.flatMap(({ reference, reason, artefacts }) =>
      artefacts.map((sha256) => ({
        sha256,
        reason: `${reference} is not followed: ${reason}`.slice(0, REASON_MOST),
      })),
    );
  }

  /** Whether something is asked for that was not signed: the next metadata may do. */
  get isWaiting(): boolean {
    return this.#refusals.length > 0;
  }

  /** Verified metadata, manifests and pointers, for machines to verify: by the names of TUF and the paths of targets. */
  file(name: string): string | undefined {
    const { releases = [], channels = [] } = this.#followed ?? {};
    const manifest = releases.find((each) => releasePath(releaseId(each)) === name);
    if (manifest) return Buffer.from(manifestBytes(manifest)).toString();
    const pointer = channels.find((each) => channelPath(channelId(each)) === name);
    return pointer ? canonicalJson(pointer) : this.#trust?.file(name);
  }

  #tell(detail: string): void {
    if (this.#told === detail) return;
    this.#told = detail;
    this.#options.addToJournal({
      at: new Date().toISOString(),
      stage: 'alarm',
      cause: 'release_untrusted',
      detail: detail.slice(0, REASON_MOST),
    });
  }

  get #heldFile(): string {
    return join(this.#folder, 'followed.json');
  }

  async #readHeld(): Promise<readonly Manifest[]> {
    try {
      return z.array(Manifest).parse(JSON.parse(await readFile(this.#heldFile, 'utf8')));
    } catch {
      // None, or of another version of this program: the desired state brings them again.
      return [];
    }
  }

  async #keepHeld(releases: readonly Manifest[]): Promise<void> {
    const text = JSON.stringify(releases);
    const isSame = text === JSON.stringify(this.#held);
    this.#held = releases;
    if (isSame || this.#folder === '') return;
    await writeFile(`${this.#heldFile}.new`, text, { flush: true });
    await rename(`${this.#heldFile}.new`, this.#heldFile);
  }
}
