import {
  Edge,
  type EdgeCredentials,
  type EdgeInvitation,
  type EdgeSettings,
  type EdgeStatus,
  problem,
} from '@bootswarm/controller/contract';
import type { z } from 'zod';
import { type Actor, makeToken, spendJoinToken, tokenKey, tokenKeys } from '../access/tokens.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';

export const EDGES_PREFIX = 'edges/';
const JOIN_TOKEN_MS = 24 * 3600 * 1000;

export function edgeKey(name: string): string {
  return EDGES_PREFIX + name;
}

/** The edges, and how they come to trust the controller and it them. */
export class Edges {
  readonly #store: StateStore;
  readonly #publicKey: string;

  /** @param publicKey whose signature the edges are to believe. */
  constructor(store: StateStore, publicKey: string) {
    this.#store = store;
    this.#publicKey = publicKey;
  }

  async list(): Promise<Edge[]> {
    const entries = await this.#store.list(EDGES_PREFIX);
    return entries.map(({ value }) => Edge.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<Edge> {
    const entry = await this.#store.get(edgeKey(name));
    if (!entry) throw unknownEdge(name);
    return Edge.parse(entry.value);
  }

  /** @throws Problem edge_exists */
  add(name: string, now: Date): Promise<z.infer<typeof EdgeInvitation>> {
    return transact(this.#store, `edge ${name}`, async (reads) => {
      if (await reads.get(edgeKey(name)))
        throw problem('edge_exists', { field: 'name', facts: { edge: name } });
      return invite({ name, journalSeq: 0 }, now);
    });
  }

  /** A new join token; an earlier one that was not used ends. @throws Problem not_found */
  invite(name: string, now: Date): Promise<z.infer<typeof EdgeInvitation>> {
    return transact(this.#store, `edge ${name}`, async (reads) => {
      const held = await reads.get(edgeKey(name));
      if (!held) throw unknownEdge(name);
      const remove = await tokenKeys(this.#store, 'join', name);
      return { ...invite(Edge.parse(held.value), now), remove };
    });
  }

  /**
   * Its tokens end in the same commit.
   * @param servedBy names a segment that needs it.
   * @throws Problem not_found, edge_in_use
   */
  remove(name: string, servedBy: (edge: string, reads: Reads) => Promise<string | undefined>): Promise<void> {
    return transact(this.#store, `edge ${name}`, async (reads) => {
      if (!(await reads.get(edgeKey(name)))) throw unknownEdge(name);
      const segment = await servedBy(name, reads);
      if (segment) throw problem('edge_in_use', { facts: { edge: name, segment } });
      const tokens = await Promise.all([
        tokenKeys(this.#store, 'edge', name),
        tokenKeys(this.#store, 'join', name),
      ]);
      return { remove: [edgeKey(name), ...tokens.flat()], result: undefined };
    });
  }

  /**
   * Trades a join token for the edge's own. Earlier tokens of this edge end, and its journal counts anew.
   * @throws Problem join_token_refused
   */
  join(joinToken: string, now: Date): Promise<EdgeCredentials> {
    return spendJoinToken(this.#store, joinToken, now, async (name, reads) => {
      const token = makeToken('edge');
      const actor: Actor = { kind: 'edge', edge: name };
      const at = now.toISOString();
      const { site, rate } = Edge.parse((await reads.get(edgeKey(name)))?.value ?? { name, journalSeq: 0 });
      const edge: Edge = {
        ...{ name, journalSeq: 0, joinedAt: at, lastSeenAt: at },
        ...(site === undefined ? {} : { site }),
        ...(rate === undefined ? {} : { rate }),
      };
      return {
        put: { [edgeKey(name)]: edge, [tokenKey(token)]: actor },
        remove: await tokenKeys(this.#store, 'edge', name),
        result: { name, token, controllerKey: this.#publicKey },
      };
    });
  }

  /** @throws Problem not_found */
  change(name: string, settings: EdgeSettings): Promise<Edge> {
    return transact(this.#store, `edge ${name}`, async (reads) => {
      const held = await reads.get(edgeKey(name));
      if (!held) throw unknownEdge(name);
      const { site, rate, ...others } = Edge.parse(held.value);
      const [nextSite, nextRate] = [changed(site, settings.site), changed(rate, settings.rate)];
      const edge: Edge = {
        ...others,
        ...(nextSite === undefined ? {} : { site: nextSite }),
        ...(nextRate === undefined ? {} : { rate: nextRate }),
      };
      return { put: { [edgeKey(name)]: edge }, result: edge };
    });
  }

  /** Keeps what an edge says of itself. */
  report(name: string, status: EdgeStatus, now: Date): Promise<void> {
    return transact(this.#store, `edge ${name}`, async (reads) => {
      const held = await reads.get(edgeKey(name));
      if (!held) throw unknownEdge(name);
      const edge: Edge = { ...Edge.parse(held.value), status, lastSeenAt: now.toISOString() };
      return { put: { [edgeKey(name)]: edge }, result: undefined };
    });
  }
}

export function unknownEdge(name: string): Error {
  return problem('not_found', { facts: { kind: 'edge', name } });
}

function changed<T>(held: T | undefined, to: T | null | undefined): T | undefined {
  return to === undefined ? held : (to ?? undefined);
}

/** Writes the edge as well, so that of two invitations at once the second sees and ends the first. */
function invite(
  edge: Edge,
  now: Date,
): { put: Record<string, unknown>; result: z.infer<typeof EdgeInvitation> } {
  const joinToken = makeToken('join');
  const expiresAt = new Date(now.getTime() + JOIN_TOKEN_MS).toISOString();
  const actor: Actor = { kind: 'join', edge: edge.name, expiresAt };
  return {
    put: { [edgeKey(edge.name)]: edge, [tokenKey(joinToken)]: actor },
    result: { edge, joinToken, expiresAt },
  };
}
