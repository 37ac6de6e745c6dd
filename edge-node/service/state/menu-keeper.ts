import { isMenuPassword } from '@bootswarm/controller/contract';

/**
 * Compares passwords of menus, one at a time: each takes one of the four threads that read files for everybody (some
 * 50 ms), and whoever is in the segment may ask.
 */
export class MenuKeeper {
  readonly #compare: typeof isMenuPassword;
  readonly #asking = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(compare = isMenuPassword) {
    this.#compare = compare;
  }

  /** @returns whether the password is right; `busy` where the one before it from that address is not answered yet. */
  async opens(address: string, password: string, kept: string): Promise<boolean | 'busy'> {
    if (this.#asking.has(address)) return 'busy';
    this.#asking.add(address);
    const turn = this.#last.then(() => this.#compare(password, kept));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#asking.delete(address);
    }
  }
}
