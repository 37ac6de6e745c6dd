/**
 * `controller-load.ts`: edges by the thousand and an operator, over real HTTP, as a process of its own so that what it
 * takes is not the controller's. Told what to do by its parent, one order after the other.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { JOURNAL_BATCH_MOST, type JournalRecord } from '@bootswarm/controller/contract';

export type LoadOrder =
  | { readonly kind: 'join'; readonly url: string; readonly operatorToken: string; readonly edges: number }
  /** Every edge sends records of so many machines of its own, which nobody knew. */
  | { readonly kind: 'discover'; readonly machines: number }
  /** From now on every edge follows its desired state, and tells its status after each, as edges do. */
  | { readonly kind: 'follow' }
  /** The operator sets the intent of so many machines, one after the other. */
  | { readonly kind: 'arm'; readonly machines: number }
  /** One change, and when each edge had it. */
  | { readonly kind: 'change' }
  | { readonly kind: 'list'; readonly calls: number }
  /** So many edges come back at once, as after an outage of their network (faults.md, 35). */
  | { readonly kind: 'reconnect'; readonly edges: number }
  | { readonly kind: 'journal'; readonly seconds: number };

export type LoadResult = Readonly<Record<string, number>>;

const EDGES_OF_A_SEGMENT = 2;
const POLL_SECONDS = 30;
/** An edge looks this often whether it has something to tell. */
const STATUS_PAUSE_MS = 500;
/** After a call that failed, as edges wait at first. */
const RETRY_MS = 500;
const AT_ONCE = 32;
const CHANGE_MOST_MS = 90_000;

interface LoadEdge {
  readonly name: string;
  readonly token: string;
  readonly segment: number;
  seq: number;
  revision: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
let url = '';
let operatorToken = '';
const edges: LoadEdge[] = [];
let perEdge = 0;
let changes = 0;
/** Calls of edges that brought no answer. */
let callsMissed = 0;
/** Told of each desired state that an edge gets. */
let onState: (edge: LoadEdge) => void = () => {};

process.on('message', (order: LoadOrder) => {
  carryOut(order).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.stack ?? error.message }),
  );
});

async function carryOut(order: LoadOrder): Promise<LoadResult> {
  switch (order.kind) {
    case 'join':
      return join(order);
    case 'discover':
      return discover(order.machines);
    case 'follow':
      return follow();
    case 'arm':
      return arm(order.machines);
    case 'change':
      return change();
    case 'list':
      return list(order.calls);
    case 'reconnect':
      return reconnect(order.edges);
    case 'journal':
      return journal(order.seconds);
  }
}

async function join(order: LoadOrder & { kind: 'join' }): Promise<LoadResult> {
  ({ url, operatorToken } = order);
  const numbers = Array.from({ length: order.edges }, (_, at) => at);
  await each(numbers, 8, async (at) => {
    const name = `edge${at}`;
    const { joinToken } = (await call('POST', '/v1/edges', operatorToken, { name })) as { joinToken: string };
    const { token } = (await call('POST', '/v1/join', joinToken)) as { token: string };
    edges.push({ name, token, segment: Math.floor(at / EDGES_OF_A_SEGMENT), seq: 0, revision: -1 });
  });
  const segments = Math.ceil(order.edges / EDGES_OF_A_SEGMENT);
  for (let n = 0; n < segments; n++) {
    const subnet = `10.${n >> 8}.${n & 255}`;
    const names = edges.filter(({ segment }) => segment === n).map(({ name }) => name);
    const pools = [{ first: `${subnet}.10`, last: `${subnet}.250` }];
    await call('POST', '/v1/segments', operatorToken, {
      ...{ name: `seg${n}`, subnet: `${subnet}.0/24`, pools, edges: names },
    });
  }
  return { segments };
}

function macOf(edge: LoadEdge, n: number): string {
  const at = Number(edge.name.slice(4));
  const octets = [0x52, 0x54, at >> 8, at & 255, n >> 8, n & 255];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

function recordsOf(edge: LoadEdge, count: number, from: number): JournalRecord[] {
  const at = new Date().toISOString();
  return Array.from({ length: count }, (_, n) => {
    edge.seq += 1;
    const mac = macOf(edge, (from + n) % Math.max(1, perEdge));
    const segment = `seg${edge.segment}`;
    return {
      seq: edge.seq,
      at,
      stage: 'lease',
      mac,
      segment,
      netboot: true,
      detail: 'an address for firmware',
    };
  });
}

async function discover(machines: number): Promise<LoadResult> {
  perEdge = machines;
  await each(edges, AT_ONCE, async (edge) => {
    for (let from = 0; from < machines; from += JOURNAL_BATCH_MOST) {
      const records = recordsOf(edge, Math.min(JOURNAL_BATCH_MOST, machines - from), from);
      await call('POST', '/v1/edge/journal', edge.token, { records });
    }
  });
  return { machines: machines * edges.length };
}

async function follow(): Promise<LoadResult> {
  const first = new Set(edges);
  const all = Promise.withResolvers<void>();
  onState = (edge) => {
    first.delete(edge);
    if (first.size === 0) all.resolve();
  };
  for (const edge of edges) void followFor(edge);
  await all.promise;
  return {};
}

async function followFor(edge: LoadEdge): Promise<never> {
  for (;;) {
    const path = `/v1/edge/desired-state?after=${edge.revision}&waitSeconds=${POLL_SECONDS}`;
    const signed = (await call('GET', path, edge.token).catch(missed)) as
      | { payload: string }
      | null
      | undefined;
    if (signed === undefined) await sleep(RETRY_MS);
    if (signed) {
      // The rest of it is checked by edges, each with a processor of its own.
      edge.revision = Number(/"revision":(\d+)/.exec(signed.payload)?.[1]);
      onState(edge);
    }
    void sleep(Math.random() * STATUS_PAUSE_MS).then(() =>
      call('PUT', '/v1/edge/status', edge.token, {
        ...{ revision: edge.revision, addresses: [], ready: [], waiting: [] },
      }).catch(missed),
    );
  }
}

/** Edges try again after a while, whatever went wrong. */
function missed(): undefined {
  callsMissed += 1;
}

async function arm(machines: number): Promise<LoadResult> {
  const chosen = edges.slice(0, Math.ceil(machines / perEdge));
  const macs = chosen.flatMap((edge) => Array.from({ length: perEdge }, (_, n) => macOf(edge, n)));
  await each(macs.slice(0, machines), 8, (mac) =>
    call('PUT', `/v1/machines/${mac}/intent`, operatorToken, { kind: 'inspect' }),
  );
  return {};
}

/** Seconds from the operator's request to each edge's answer. */
async function change(): Promise<LoadResult> {
  const waiting = new Set(edges);
  const delays: number[] = [];
  const all = Promise.withResolvers<void>();
  const late = setTimeout(() => all.resolve(), CHANGE_MOST_MS);
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  onState = (edge) => {
    if (!waiting.delete(edge)) return;
    delays.push((performance.now() - startedAt) / 1000);
    if (waiting.size === 0) all.resolve();
  };
  const [edge] = edges;
  if (!edge) throw new Error('there are no edges');
  const mac = macOf(edge, 0);
  changes += 1;
  const intent = { kind: changes % 2 === 0 ? 'inspect' : 'menu' };
  await call('PUT', `/v1/machines/${mac}/intent`, operatorToken, intent);
  await all.promise;
  clearTimeout(late);
  const { user, system } = process.cpuUsage(cpu);
  // One that was not told counts as told at the end.
  for (const _ of waiting) delays.push(CHANGE_MOST_MS / 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    desired_state_p99_s: quantile(delays, 0.99),
    desired_state_median_s: quantile(delays, 0.5),
    generator_share: (user + system) / 1e6 / seconds,
    calls_missed: callsMissed,
  };
}

async function list(calls: number): Promise<LoadResult> {
  const delays: number[] = [];
  let cursor = '';
  for (let n = 0; n < calls; n++) {
    const segment = n % Math.max(1, Math.ceil(edges.length / EDGES_OF_A_SEGMENT));
    // In turn: a page, the next page, and those of a segment.
    const query =
      n % 3 === 0
        ? ''
        : n % 3 === 1
          ? `&cursor=${cursor}`
          : `&match=${encodeURIComponent(`segment=seg${segment}`)}`;
    const startedAt = performance.now();
    const page = (await call('GET', `/v1/machines?limit=100${query}`, operatorToken)) as { id: string }[];
    delays.push(performance.now() - startedAt);
    if (page.length !== 100) throw new Error(`a page of ${page.length} machines: ${query}`);
    cursor = page.at(-1)?.id ?? '';
  }
  return { list_p99_ms: quantile(delays, 0.99), list_median_ms: quantile(delays, 0.5) };
}

/**
 * Seconds from a new connection until an edge has its desired state and was heard, while each that got so far sends
 * the journal that it kept; and until the last of those was taken in.
 */
async function reconnect(count: number): Promise<LoadResult> {
  const connections = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const delays: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    edges.slice(0, count).map(async (edge) => {
      const own = { token: edge.token, agent: connections };
      await callBy(own, 'GET', `/v1/edge/desired-state?after=-1&waitSeconds=${POLL_SECONDS}`);
      await callBy(own, 'PUT', '/v1/edge/status', {
        ...{ revision: edge.revision, addresses: [], ready: [], waiting: [] },
      });
      delays.push((performance.now() - startedAt) / 1000);
      await callBy(own, 'POST', '/v1/edge/journal', { records: recordsOf(edge, perEdge, 0) });
    }),
  );
  const caughtUp = (performance.now() - startedAt) / 1000;
  connections.destroy();
  return {
    reconnect_p99_s: quantile(delays, 0.99),
    reconnect_median_s: quantile(delays, 0.5),
    reconnect_journals_s: caughtUp,
  };
}

async function journal(seconds: number): Promise<LoadResult> {
  const until = performance.now() + seconds * 1000;
  let taken = 0;
  const cpu = process.cpuUsage();
  await Promise.all(
    edges.slice(0, AT_ONCE).map(async (edge) => {
      while (performance.now() < until) {
        const records = recordsOf(edge, JOURNAL_BATCH_MOST, 0);
        await call('POST', '/v1/edge/journal', edge.token, { records });
        taken += records.length;
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  return { journal_records_s: taken / seconds, journal_generator_share: (user + system) / 1e6 / seconds };
}

async function each<T>(all: readonly T[], atOnce: number, act: (one: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let at = next++; at < all.length; at = next++) await act(all[at] as T);
    }),
  );
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function call(method: string, path: string, token: string, body?: unknown): Promise<unknown> {
  return callBy({ token, agent }, method, path, body);
}

interface Caller {
  readonly token: string;
  readonly agent: Agent;
}

/** By `node:http`: `fetch` would take the generator's whole processor. */
function callBy(caller: Caller, method: string, path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${caller.token}`,
      ...(content ? { 'content-type': 'application/json', 'content-length': content.length } : {}),
    };
    const asked = request(url + path, { method, agent: caller.agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed what was idle in the moment in which it was used again: nothing of this was heard.
      if (asked.reusedSocket && error.code === 'ECONNRESET')
        callBy(caller, method, path, body).then(resolve, reject);
      else reject(error);
    });
    asked.end(content);
  });
}
