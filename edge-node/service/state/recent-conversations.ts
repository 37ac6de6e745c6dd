import type { Conversations, Said } from '../decide/client.ts';

const GENERATION = 20_000;

/** Remembers what was said last, and forgets the oldest of it. */
export class RecentConversations implements Conversations {
  #recent = new Map<string, Said>();
  #older = new Map<string, Said>();

  keep(said: Said): void {
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(keyOf(said.mac, said.xid), said);
  }

  recall(mac: string, xid: number): Said | undefined {
    const key = keyOf(mac, xid);
    return this.#recent.get(key) ?? this.#older.get(key);
  }
}

function keyOf(mac: string, xid: number): string {
  return `${mac} ${xid}`;
}
