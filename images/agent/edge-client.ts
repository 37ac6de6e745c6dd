import { Agent, type IncomingMessage, request } from 'node:http';
import {
  AGENT_LOG_MOST_LINES,
  AGENT_PATHS,
  AGENT_WAIT_MOST_SECONDS,
  AgentOrder,
  type AgentReport,
  type Inspection,
  type WorkEnd,
} from '@bootswarm/controller/contract';
import type { ProblemBody } from '@bootswarm/images/format';
import { z } from 'zod';

/** As edges answer what they refuse: a code that a failure can be known by. */
const EdgeProblem = z.object({
  code: z.string().regex(/^[a-z][a-z0-9_]{2,63}$/),
  message: z.string().max(1000),
  remedy: z.string().max(1000),
});

const CALL_MS = 20_000;
/** Of an answer; an order may hold the scripts of a profile. */
const ANSWER_MOST_BYTES = 4 * 1024 * 1024;

/** The edge did not answer as it should; the agent tries again, but where it was refused. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  /** What an edge means by a status between 400 and 499 does not change by asking again, but for 408 and 429. */
  readonly isRefusal: boolean;
  /** Whether the edge does not know whose the address is: after a while it may. */
  readonly isUnknown: boolean;
  /** What the edge calls it, where it told. */
  readonly refusal: ProblemBody | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly refusal?: ProblemBody | undefined } = {},
  ) {
    super(message, options);
    const { status = 0, refusal } = options;
    this.refusal = refusal;
    this.isUnknown = status === 403;
    this.isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  }
}

/**
 * The edge as its agents see it. Whatever goes wrong, and whatever comes in, is an EdgeError. Not by `fetch`: a report each
 * second takes a third of its time (images/decisions/0013).
 */
export class EdgeClient {
  readonly #connections: Agent;
  readonly #url: string;
  readonly #signal: AbortSignal;

  /** @param localAddress to speak from, where there are several: an edge knows a machine by it. */
  constructor(url: string, signal: AbortSignal, localAddress?: string) {
    this.#connections = new Agent({
      keepAlive: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#url = url;
    this.#signal = signal;
  }

  async report(report: AgentReport): Promise<void> {
    await this.#call(AGENT_PATHS.report, { body: report });
  }

  async log(lines: readonly string[]): Promise<void> {
    await this.#call(AGENT_PATHS.log, { body: { lines: lines.slice(0, AGENT_LOG_MOST_LINES) } });
  }

  /**
   * What this machine is to do: at once where that is not what `after` was, or else as soon as it changes, or the
   * same again after a while.
   * @param after the token of the last order; undefined before the first.
   */
  async order(after: string | undefined): Promise<AgentOrder> {
    const wait = after === undefined ? '' : `&after=${after}&waitSeconds=${AGENT_WAIT_MOST_SECONDS}`;
    const waitMs = after === undefined ? 0 : AGENT_WAIT_MOST_SECONDS * 1000;
    const text = await this.#call(`${AGENT_PATHS.intent}?swarm=1${wait}`, { waitMs });
    const parsed = AgentOrder.safeParse(parseJson(text));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new EdgeError(
        `an order that this version does not know: ${issue?.path.join('.')} ${issue?.message}`,
      );
    }
    return parsed.data;
  }

  /** That writing to disks begins now. Once it has resolved, the ticket is used up. */
  async begin(ticket: string, plan: string): Promise<void> {
    await this.#call(AGENT_PATHS.begin, { body: { ticket, plan } });
  }

  async end(end: WorkEnd): Promise<void> {
    await this.#call(AGENT_PATHS.end, { body: end });
  }

  async inspection(inspection: Inspection): Promise<void> {
    await this.#call(AGENT_PATHS.inspection, { body: inspection });
  }

  async #call(path: string, { body, waitMs = 0 }: { body?: unknown; waitMs?: number }): Promise<string> {
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request(this.#url + path, {
          method: content ? 'POST' : 'GET',
          agent: this.#connections,
          headers: content
            ? { 'content-type': 'application/json', 'content-length': content.length }
            : undefined,
          signal: AbortSignal.any([this.#signal, AbortSignal.timeout(CALL_MS + waitMs)]),
        });
        asked.on('response', resolve).on('error', reject).end(content);
      });
      const text = await boundedText(response);
      const { statusCode: status = 0 } = response;
      if (status < 200 || status >= 300)
        throw new EdgeError(`${path}: ${status} ${text.trim().slice(0, 200)}`, {
          status,
          refusal: EdgeProblem.safeParse(parseJson(text)).data,
        });
      return text;
    } catch (error) {
      if (error instanceof EdgeError) throw error;
      const { message, cause } = error as Error;
      throw new EdgeError(`${path}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function boundedText(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > ANSWER_MOST_BYTES) throw new EdgeError('an answer without end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
