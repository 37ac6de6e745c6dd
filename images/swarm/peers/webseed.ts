import { type Artefact, pieceRange } from '@bootswarm/images/format';
import type { ArtefactSource } from '../artefact-source.ts';
import { WrongPiece } from '../wrong-hash.ts';
import type { Download } from './download.ts';
import type { BlockRange } from './messages.ts';
import type { PeerKey } from './started-piece.ts';

/** Peers that gave nothing for so long are no help: HTTP begins. Where none is connected, it is as long. */
const IDLE_MS = 4000;
/** Of one request, where the pieces follow one another: at first little, as peers may be but slow to begin; then twice as much. */
const FIRST_RUN_BYTES = 1024 * 1024;
const RUN_BYTES = 16 * 1024 * 1024;
/** After a failure the source is left alone, twice as long each time. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 30_000;

/** The key that stands for the webseed among peers. */
const WEBSEED_KEY: PeerKey = 0;
/** Stands for its address: it is never banned, but rests after a wrong piece. */
const WEBSEED_ADDRESS = '';

export interface WebseedOptions {
  readonly artefact: Artefact;
  readonly source: ArtefactSource;
  readonly download: Download;
  readonly signal: AbortSignal;
  /** How long connected peers may give nothing; 4 s unless said. */
  readonly idleMs?: number | undefined;
  readonly onFailed?: ((error: Error) => void) | undefined;
  /** Told of every part that came. */
  readonly onBytes: (bytes: number) => void;
}

/** HTTP as a peer of last resort (BEP 19): it fetches while peers give nothing, and stops when they do again. */
export class Webseed {
  readonly #options: WebseedOptions;
  #isRunning = false;
  #runBytes = FIRST_RUN_BYTES;
  #restMs = FIRST_REST_MS;
  #restsUntilMs = 0;

  constructor(options: WebseedOptions) {
    this.#options = options;
  }

  /**
   * To be called a few times a second.
   * @param idleSinceMs when a peer gave a byte last.
   * @param hasPeers whether any is connected.
   */
  tick(idleSinceMs: number, hasPeers: boolean, nowMs: number): void {
    const { download, signal, idleMs = IDLE_MS } = this.#options;
    if (this.#isRunning || signal.aborted || download.picker.isDone) return;
    if (nowMs - idleSinceMs < (hasPeers ? idleMs : IDLE_MS)) {
      this.#runBytes = FIRST_RUN_BYTES;
      return;
    }
    if (nowMs < this.#restsUntilMs) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  async #run(): Promise<void> {
    const { download, artefact } = this.#options;
    const run = download.picker.nextRun(
      WEBSEED_KEY,
      Math.max(1, Math.floor(this.#runBytes / artefact.pieceBytes)),
    );
    if (run.length === 0) return;
    try {
      await this.#fetch(run);
      this.#restMs = FIRST_REST_MS;
      this.#runBytes = Math.min(RUN_BYTES, 2 * this.#runBytes);
    } catch (error) {
      if (!this.#options.signal.aborted) this.#options.onFailed?.(error as Error);
      this.#restsUntilMs = performance.now() + this.#restMs;
      this.#restMs = Math.min(LONGEST_REST_MS, 2 * this.#restMs);
    } finally {
      download.picker.releaseAll(WEBSEED_KEY);
    }
  }

  /** @throws what the source throws, and where a piece is wrong. */
  async #fetch(run: readonly BlockRange[]): Promise<void> {
    const { artefact, source, signal, download, onBytes } = this.#options;
    const [first, last] = [run[0] as BlockRange, run.at(-1) as BlockRange];
    const range = {
      start: pieceRange(artefact, first.index).start,
      end: pieceRange(artefact, last.index).end,
    };
    let turn = 0;
    let filled = 0;
    let piece = new Uint8Array(first.length);
    for await (const bytes of await source.read(artefact, range, signal)) {
      onBytes(bytes.length);
      for (let at = 0; at < bytes.length; ) {
        const block = run[turn];
        if (!block) throw new Error('the webseed sent more than was asked for');
        if (filled === 0 && piece.length !== block.length) piece = new Uint8Array(block.length);
        const part = bytes.subarray(at, at + block.length - filled);
        piece.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < block.length) continue;
        if (!download.accept(WEBSEED_KEY, WEBSEED_ADDRESS, block, piece))
          throw new WrongPiece(artefact, block.index);
        turn += 1;
        filled = 0;
      }
    }
    if (turn < run.length) throw new Error('the webseed ended early');
  }
}
