import { createHmac } from 'node:crypto';
import type { InstallProgress } from '../decide/install-step.ts';
import type { EdgeStore } from './edge-store.ts';

/** In characters of base64url, which stand for 6 bits each: 132 bits. */
const TOKEN_CHARACTERS = 22;

/** What this edge remembers of installations, machine by machine, across restarts: an epoch is never done twice. */
export class InstallLedger {
  readonly #store: Pick<EdgeStore, 'keepInstall'>;
  readonly #secret: string;
  readonly #progress: Map<string, InstallProgress>;
  /** What is on its way to the disk, by machine. */
  readonly #writing = new Map<string, Promise<void>>();

  /** @param secret of this edge, from which tokens are made. */
  constructor(
    store: Pick<EdgeStore, 'keepInstall'>,
    kept: ReadonlyMap<string, InstallProgress>,
    secret: string,
  ) {
    this.#store = store;
    this.#secret = secret;
    this.#progress = new Map(kept);
  }

  static async open(store: EdgeStore): Promise<InstallLedger> {
    return new InstallLedger(store, store.installs(), await store.ensureAnswersSecret());
  }

  progressOf(machineId: string): InstallProgress | undefined {
    return this.#progress.get(machineId);
  }

  /**
   * Remembers: at once for whoever asks here, for good once it resolves. A machine may be told nothing before.
   * @throws what the disk says where it does not take it; it is forgotten then.
   */
  async note(machineId: string, progress: InstallProgress): Promise<void> {
    const before = this.#progress.get(machineId);
    this.#progress.set(machineId, progress);
    const writing = this.#store.keepInstall(machineId, progress);
    this.#writing.set(machineId, writing);
    try {
      await writing;
    } catch (error) {
      if (this.#progress.get(machineId) === progress) {
        if (before) this.#progress.set(machineId, before);
        else this.#progress.delete(machineId);
      }
      throw error;
    } finally {
      if (this.#writing.get(machineId) === writing) this.#writing.delete(machineId);
    }
  }

  /** Resolves once what `progressOf` says is on the disk. @throws as `note`. */
  async settled(machineId: string): Promise<void> {
    await this.#writing.get(machineId);
  }

  /** Epoch and token, as they stand in URLs: nobody can guess another machine's, or that of another epoch. */
  ticketOf(machineId: string, epoch: number): string {
    const token = createHmac('sha256', this.#secret).update(`${machineId} ${epoch}`).digest('base64url');
    return `${epoch}-${token.slice(0, TOKEN_CHARACTERS)}`;
  }
}
