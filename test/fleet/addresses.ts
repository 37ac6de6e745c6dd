import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Addresses of the machines that this host plays: all on one interface, each its own to whom it speaks with. */
export class Addresses {
  readonly #interface: string;
  readonly #held = new Set<string>();

  constructor(networkInterface: string) {
    this.#interface = networkInterface;
  }

  /** Taking what is held already is no error. */
  async take(address: string): Promise<void> {
    if (this.#held.has(address)) return;
    this.#held.add(address);
    // /32: of several addresses of one subnet the first would take the others along when it goes.
    await this.#ip('replace', address);
  }

  async drop(address: string): Promise<void> {
    if (this.#held.delete(address)) await this.#ip('del', address);
  }

  async #ip(verb: 'replace' | 'del', address: string): Promise<void> {
    await promisify(execFile)('ip', ['address', verb, `${address}/32`, 'dev', this.#interface]);
  }
}
