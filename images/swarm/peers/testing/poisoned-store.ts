import type { Artefact } from '@bootswarm/images/format';
import { MemoryPieces } from '../piece-store.ts';

/** A seed's store that says it has everything, and gives wrong bytes of the pieces named. */
export class PoisonedStore extends MemoryPieces {
  readonly #isWrong: (index: number) => boolean;

  constructor(artefact: Artefact, bytes: Uint8Array, isWrong: (index: number) => boolean) {
    super(artefact, bytes);
    this.#isWrong = isWrong;
  }

  override async read(index: number, into: Uint8Array): Promise<Uint8Array> {
    const piece = await super.read(index, into);
    if (this.#isWrong(index)) piece[piece.length >> 1] = 0xff ^ (piece[piece.length >> 1] as number);
    return piece;
  }
}
