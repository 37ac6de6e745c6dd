import type { Edge, EdgeSwarmAnswer, EdgeSwarmReport } from '@bootswarm/controller/contract';
import { isNear, type Progress, rateSharers, type SwarmEdge, whomToAsk } from './whom-to-ask.ts';

/** An edge tells of itself every ten seconds; one that was silent for longer is not told of. */
const SILENT_MS = 35_000;
/** What operators set of edges changes seldom. */
const SETTINGS_MS = 2000;

export interface EdgeSwarmParts {
  readonly edges: () => Promise<readonly Edge[]>;
  /** Milliseconds, rising. */
  readonly clock?: () => number;
}

interface Heard {
  readonly report: EdgeSwarmReport;
  /** Address of the connection: another than it told where there is address translation. */
  readonly seenFrom: string;
  readonly heardAtMs: number;
  readonly fetching: ReadonlyMap<string, Progress & { readonly bytes: number }>;
}

type Settings = ReadonlyMap<string, Pick<Edge, 'site' | 'rate'>>;

/**
 * Which edges take part in swarms, as they told lately. It is kept in memory alone: within ten seconds of a start of the
 * controller all is known again.
 */
export class EdgeSwarm {
  readonly #parts: EdgeSwarmParts;
  readonly #clock: () => number;
  readonly #heard = new Map<string, Heard>();
  #settings: { readonly readAtMs: number; readonly of: Promise<Settings> } | undefined;

  constructor(parts: EdgeSwarmParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? (() => performance.now());
  }

  /** Whether an edge that was heard of lately has an address. */
  isAllowed(address: string): boolean {
    const nowMs = this.#clock();
    for (const { report, seenFrom, heardAtMs } of this.#heard.values())
      if (nowMs - heardAtMs < SILENT_MS && (report.address === address || seenFrom === address)) return true;
    return false;
  }

  /** Takes what an edge tells of itself. @returns whom it may ask for what it lacks. */
  async report(
    name: string,
    report: EdgeSwarmReport,
    seenFrom: string,
  ): Promise<Omit<EdgeSwarmAnswer, 'controllerPort'>> {
    const nowMs = this.#clock();
    const before = this.#heard.get(name)?.fetching;
    const fetching = new Map(
      report.fetching.map(({ sha256, bytes }) => {
        const held = before?.get(sha256);
        if (held?.bytes === bytes) return [sha256, held] as const;
        const begunAtMs = held?.begunAtMs ?? nowMs;
        return [sha256, { bytes, begunAtMs, progressedAtMs: nowMs }] as const;
      }),
    );
    this.#heard.set(name, { report, seenFrom, heardAtMs: nowMs, fetching });
    const settings = await this.#readSettings(nowMs);
    for (const [each, { heardAtMs }] of this.#heard)
      if (nowMs - heardAtMs >= SILENT_MS || !settings.has(each)) this.#heard.delete(each);
    const edges = Array.from(
      this.#heard,
      ([each, heard]): SwarmEdge => ({
        name: each,
        site: settings.get(each)?.site,
        address: heard.report.address,
        port: heard.report.port,
        has: new Set(heard.report.has),
        fetching: heard.fetching,
      }),
    );
    const asker = edges.find((edge) => edge.name === name);
    if (!asker) return { edges: [], near: [], artefacts: [], rates: [], rateSharers: 1 };
    const near = edges.filter((edge) => isNear(asker, edge));
    const site = [name, ...near.map((edge) => edge.name)];
    return {
      edges: edges.filter((edge) => edge !== asker).map(({ address }) => address),
      near: near.map(({ address }) => address),
      artefacts: Array.from(fetching.keys(), (sha256) => whomToAsk(asker, sha256, edges, nowMs)),
      rates: site.flatMap((each) => settings.get(each)?.rate ?? []),
      rateSharers: rateSharers(asker, edges, nowMs),
    };
  }

  #readSettings(nowMs: number): Promise<Settings> {
    if (this.#settings && nowMs - this.#settings.readAtMs < SETTINGS_MS) return this.#settings.of;
    const of = this.#parts
      .edges()
      .then((edges) => new Map(edges.map(({ name, site, rate }) => [name, { site, rate }])));
    this.#settings = { readAtMs: nowMs, of };
    of.catch(() => {
      this.#settings = undefined;
    });
    return of;
  }
}
