/** Two rounds of probes: whoever answers neither is gone. */
const WINDOW_MS = 10_000;
/** Anybody can forge messages that name any server. */
const MOST = 64;

/** DHCP servers that were heard on an interface of late. */
export class HeardServers {
  readonly #heardAtMs = new Map<string, number>();

  /** Notes who was heard now. @returns all that were heard within ten seconds. */
  note(servers: Iterable<string>, nowMs: number): readonly string[] {
    for (const [server, atMs] of this.#heardAtMs)
      if (nowMs - atMs > WINDOW_MS || nowMs < atMs) this.#heardAtMs.delete(server);
    for (const server of servers)
      if (this.#heardAtMs.has(server) || this.#heardAtMs.size < MOST) this.#heardAtMs.set(server, nowMs);
    return [...this.#heardAtMs.keys()];
  }
}
