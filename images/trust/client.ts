import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ChannelId,
  type ChannelPointer,
  Manifest,
  manifestBytes,
  type ReleaseId,
  releaseId,
  sha256Of,
} from '@bootswarm/images/format';
import { Updater } from 'tuf-js';
import { BASE_URL, BoundedFetcher, type FetchMetadata } from './fetcher.ts';
import { MOST_BYTES, MOST_ROTATIONS } from './limits.ts';
import { outlineOf } from './metadata.ts';
import { problem } from './problems.ts';
import { channelsIn, releasePath, type Target, targetsIn } from './targets.ts';
import { keepState, newestRoot, readState, stateOfRoot, type TrustedState } from './trusted-state.ts';

const CONFIG = {
  maxRootRotations: MOST_ROTATIONS,
  rootMaxLength: MOST_BYTES.root,
  timestampMaxLength: MOST_BYTES.timestamp,
  snapshotMaxLength: MOST_BYTES.snapshot,
  targetsMaxLength: MOST_BYTES.targets,
};

const FILES = ['timestamp', 'snapshot', 'targets'] as const;

/**
 * What an edge and the agent believe of a repository. tuf-js verifies (TUF 1.0.31, section 5); here is where the
 * bytes come from, and that a refresh is taken as a whole or not at all. Only roots are taken singly: each was signed
 * by the one before, and clients must not go back behind one.
 */
export class TrustClient {
  readonly #folder: string;
  readonly #fetch: FetchMetadata;
  #state: TrustedState;
  #running: Promise<unknown> = Promise.resolve();
  #targets: ReadonlyMap<string, Target> = new Map();
  #channels: ReadonlyMap<ChannelId, ChannelPointer> = new Map();

  private constructor(folder: string, fetch: FetchMetadata, state: TrustedState) {
    this.#folder = folder;
    this.#fetch = fetch;
    this.#state = state;
    this.#look();
  }

  /**
   * Goes on from what `folder` holds, or begins with `initialRoot`: the one file that has to be trusted beforehand. A
   * folder whose roots do not hold the initial one, nor any later one, belonged to other trust and is begun anew.
   * @returns undefined where there is neither.
   * @throws Problem metadata_unreadable, trust_state_unreadable
   */
  static async open(
    folder: string,
    initialRoot: string | undefined,
    fetch: FetchMetadata,
  ): Promise<TrustClient | undefined> {
    const given = initialRoot === undefined ? undefined : stateOfRoot(initialRoot);
    const kept = await readState(folder);
    const state = kept && (!given || goesOn(kept, given)) ? kept : given;
    if (!state) return undefined;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (state !== kept) await keepState(folder, state);
    return new TrustClient(folder, fetch, state);
  }

  /**
   * Fetches what is newer and verifies it.
   * @returns whether anything is new.
   * @throws Problem trust_refused, and what the fetching threw. What was verified before still holds then.
   */
  refresh(signal: AbortSignal): Promise<boolean> {
    // One after the other: a slow one must not put back what a later one brought.
    const run = (): Promise<boolean> => this.#refresh(signal);
    const refreshed = this.#running.then(run, run);
    this.#running = refreshed;
    return refreshed;
  }

  async #refresh(signal: AbortSignal): Promise<boolean> {
    const fetcher = new BoundedFetcher(this.#fetch, signal);
    const stage = await mkdtemp(join(this.#folder, 'refresh-'));
    try {
      if (await this.#isCurrent(fetcher)) return false;
      const before = this.#state;
      const failure = await this.#update(stage, fetcher).catch((error: Error) => error);
      await this.#adopt(stage, fetcher, failure === undefined);
      if (failure) throw failure;
      return this.#state !== before;
    } catch (error) {
      if (fetcher.lost) throw fetcher.lost;
      throw problem('trust_refused', { facts: { reason: (error as Error).message }, cause: error });
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  }

  /** Saves the Updater's work, which grows with the targets, where the timestamp is the one that is held. */
  async #isCurrent(fetcher: BoundedFetcher): Promise<boolean> {
    const { roots, verified } = this.#state;
    if (!verified) return false;
    const now = Date.now();
    const texts = [newestRoot(this.#state), verified.timestamp, verified.snapshot, verified.targets];
    if (texts.some((text) => new Date(outlineOf(text).expires).getTime() <= now)) return false;
    if (await fetcher.read(`${Math.max(...roots.keys()) + 1}.root.json`)) return false;
    return (await fetcher.read('timestamp.json'))?.toString() === verified.timestamp;
  }

  async #update(stage: string, fetcher: BoundedFetcher): Promise<undefined> {
    const { verified } = this.#state;
    await writeFile(join(stage, 'root.json'), newestRoot(this.#state));
    for (const file of verified ? FILES : [])
      await writeFile(join(stage, `${file}.json`), verified?.[file] ?? '');
    const updater = new Updater({ metadataDir: stage, metadataBaseUrl: BASE_URL, fetcher, config: CONFIG });
    await updater.refresh();
  }

  /** The Updater writes a file once it is verified; of a refresh that failed the roots alone are taken. */
  async #adopt(stage: string, fetcher: BoundedFetcher, isWhole: boolean): Promise<void> {
    const read = (file: string): Promise<string> => readFile(join(stage, `${file}.json`), 'utf8');
    const { roots, verified } = this.#state;
    const chain = new Map(roots);
    const newest = outlineOf(await read('root')).version;
    for (let version = Math.max(...roots.keys()) + 1; version <= newest; version++)
      chain.set(version, (await fetcher.read(`${version}.root.json`))?.toString() ?? '');
    const fresh = isWhole
      ? {
          timestamp: await read('timestamp'),
          snapshot: await read('snapshot'),
          targets: await read('targets'),
        }
      : verified;
    const isSame = FILES.every((file) => fresh?.[file] === verified?.[file]);
    if (isSame && chain.size === roots.size) return;
    const next: TrustedState = { roots: chain, ...(fresh && { verified: fresh }) };
    await keepState(this.#folder, next);
    this.#state = next;
    this.#look();
  }

  #look(): void {
    const { verified } = this.#state;
    this.#targets = verified ? targetsIn(verified.targets) : new Map();
    this.#channels = channelsIn(this.#targets);
  }

  /** Where a channel stands, or undefined where the verified metadata has none of that id. */
  channelOf(id: ChannelId): ChannelPointer | undefined {
    return this.#channels.get(id);
  }

  /** Why a manifest is not to be followed, or undefined where it is what was signed. */
  objectionTo(manifest: Manifest): string | undefined {
    return this.#objectionTo(releaseId(manifest), manifestBytes(manifest));
  }

  /**
   * The manifest of a release from its bytes (`manifestBytes`).
   * @throws Problem manifest_unsigned where they are not, byte for byte, what was signed.
   */
  manifestOf(id: ReleaseId, bytes: Uint8Array): Manifest {
    const reason = this.#objectionTo(id, bytes);
    if (reason !== undefined) throw problem('manifest_unsigned', { facts: { release: id, reason } });
    const parsed = Manifest.safeParse(JSON.parse(Buffer.from(bytes).toString()));
    if (!parsed.success || releaseId(parsed.data) !== id)
      throw problem('manifest_unsigned', {
        facts: { release: id, reason: 'it is of another release or format' },
      });
    return parsed.data;
  }

  #objectionTo(id: ReleaseId, bytes: Uint8Array): string | undefined {
    const target = this.#targets.get(releasePath(id));
    if (!this.#state.verified) return 'no trust metadata was verified yet';
    if (!target) return 'it is not in the signed targets';
    if (target.length !== bytes.length || target.sha256 !== sha256Of(bytes))
      return 'its manifest is not the one that was signed';
    return undefined;
  }

  /** Verified metadata by the name that clients of TUF ask for. */
  file(name: string): string | undefined {
    const { roots, verified } = this.#state;
    const [, version, role] = /^(?:(\d{1,9})\.)?(root|timestamp|snapshot|targets)\.json$/.exec(name) ?? [];
    if (role === 'root') return version === undefined ? newestRoot(this.#state) : roots.get(Number(version));
    const text = role === undefined ? undefined : verified?.[role as (typeof FILES)[number]];
    if (text === undefined || version === undefined) return text;
    return outlineOf(text).version === Number(version) ? text : undefined;
  }
}

/** Whether kept trust stems from a given root: it holds that one, or begins behind it. */
function goesOn(kept: TrustedState, given: TrustedState): boolean {
  const [[version, root] = [0, '']] = [...given.roots];
  const held = kept.roots.get(version);
  return held === undefined ? Math.min(...kept.roots.keys()) > version : held === root;
}
