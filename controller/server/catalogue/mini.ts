import { MiniSetting, problem } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import type { Naming } from './release-uses.ts';

const KEY = 'mini';

export interface MiniParts {
  readonly store: StateStore;
  /** For a transaction that names a release or channel. @returns what to put beside. @throws Problem where there is none. */
  readonly hold: (reference: string, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;
  /** Of a release, or of the one that a channel points to. */
  readonly manifestOf: (reference: string) => Promise<Manifest | undefined>;
}

/** Which mini image machines are inspected and installed in. */
export class MiniImages {
  readonly #parts: MiniParts;

  constructor(parts: MiniParts) {
    this.#parts = parts;
  }

  show(): Promise<MiniSetting> {
    return this.#within(this.#parts.store);
  }

  async #within(reads: Pick<Reads, 'get'>): Promise<MiniSetting> {
    return MiniSetting.parse((await reads.get(KEY))?.value ?? {});
  }

  /**
   * Uses a release for its architecture. @param release or a channel, whose mini image then changes with it.
   * @throws Problem machine_release_unknown, mini_not_mini
   */
  use(release: string): Promise<MiniSetting> {
    const { store, hold, manifestOf } = this.#parts;
    return transact(store, 'the mini image', async (reads) => {
      const held = await hold(release, reads);
      const manifest = await manifestOf(release);
      if (!manifest) throw problem('machine_release_unknown', { field: 'release', facts: { release } });
      const { bootStyle, architecture } = manifest;
      if (bootStyle !== 'mini')
        throw problem('mini_not_mini', { field: 'release', facts: { release, bootStyle } });
      const setting: MiniSetting = { ...(await this.#within(reads)), [architecture]: release };
      return { put: { ...held, [KEY]: setting }, result: setting };
    });
  }

  /** What must not be removed while machines boot it. */
  async namings(reads: Pick<Reads, 'get'>): Promise<Naming[]> {
    const setting = await this.#within(reads);
    return Object.entries(setting).flatMap(([name, release]) =>
      release === undefined ? [] : [{ release, use: { kind: 'mini', name } }],
    );
  }
}
