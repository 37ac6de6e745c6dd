import { addressNumberOf } from './tftp-inbox.ts';

/** How many transfers of a kind each address has. */
export class AddressCounts {
  readonly #counts = new Map<number, number>();

  /** @param peer of the transfer. */
  of(peer: number): number {
    return this.#counts.get(addressNumberOf(peer)) ?? 0;
  }

  add(peer: number, more: 1 | -1): void {
    const address = addressNumberOf(peer);
    const count = (this.#counts.get(address) ?? 0) + more;
    if (count === 0) this.#counts.delete(address);
    else this.#counts.set(address, count);
  }
}
