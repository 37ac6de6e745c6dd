import { type BmcOf, problem } from '@bootswarm/controller/contract';
import type { z } from 'zod';
import { plainText } from './plain-text.ts';
import { reasonOf } from './redfish-documents.ts';
import { type Answer, type Question, RedfishWire } from './redfish-wire.ts';

const SESSIONS = '/redfish/v1/SessionService/Sessions';
/** Taking leave holds up nobody for longer. */
const LEAVE_MS = 5_000;

export interface SessionOptions {
  readonly bmc: BmcOf<'redfish'>;
  readonly ip: string;
  readonly password: string;
  readonly timeoutMs?: number;
}

interface Session {
  readonly headers: Readonly<Record<string, string>>;
  /** Where it is deleted; none with basic authentication. */
  readonly location: string | undefined;
}

/**
 * Calls as a user: by a session, which is deleted afterwards because BMCs have few of them, or by basic
 * authentication where the service has no sessions.
 */
export class RedfishSession implements AsyncDisposable {
  readonly wire: RedfishWire;
  readonly #options: SessionOptions;
  #session: Session | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.wire = new RedfishWire(options);
  }

  /** An answer below 300. @throws Problem bmc_refused, bmc_busy, and those of the wire. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const answer = await this.tryAsk(question, signal);
    if (answer.status < 300) return answer;
    throw this.refusal(question.what, answer);
  }

  /** A resource as `schema` reads it. @throws Problem bmc_garbage where it is none, and those of `ask`. */
  async get<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly value: z.infer<Schema>; readonly etag: string | undefined }> {
    const what = `GET ${plainText(path)}`;
    const { body, etag } = await this.ask({ method: 'GET', path, what }, signal);
    const parsed = schema.safeParse(body);
    if (parsed.success) return { value: parsed.data, etag };
    const [issue] = parsed.error.issues;
    throw this.wire.garbage(
      what,
      `${plainText(issue?.path.join('.') ?? '')}: ${plainText(issue?.message ?? '')}`,
    );
  }

  /** Whatever it answers, but for 401, 403, 429 and 503. */
  async tryAsk(question: Question, signal: AbortSignal): Promise<Answer> {
    const isReused = this.#session !== undefined;
    const answer = await this.#askWith(await this.#login(signal), question, signal);
    // A session that a BMC forgot, as it does when it restarts, is opened once more.
    if (answer.status === 401 && isReused) {
      this.#session = undefined;
      return this.#judge(question.what, await this.#askWith(await this.#login(signal), question, signal));
    }
    return this.#judge(question.what, answer);
  }

  refusal(what: string, { status, body }: Answer): Error {
    const { address } = this.#options.bmc;
    return problem('bmc_refused', { facts: { address, what, reason: reasonOf(status, body) } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { headers, location } = this.#session ?? {};
    this.#session = undefined;
    if (location === undefined) return;
    const question = {
      method: 'DELETE',
      path: location,
      headers: headers ?? {},
      what: 'the end of the session',
    } as const;
    // What a BMC makes of it is nothing that the action depends on.
    await this.wire.ask(question, AbortSignal.timeout(LEAVE_MS)).catch(() => {});
  }

  #askWith(session: Session, question: Question, signal: AbortSignal): Promise<Answer> {
    return this.wire.ask({ ...question, headers: { ...question.headers, ...session.headers } }, signal);
  }

  #judge(what: string, answer: Answer): Answer {
    const { address } = this.#options.bmc;
    const { status } = answer;
    if (status === 401 || status === 403) throw this.refusal(what, answer);
    if (status !== 503 && status !== 429) return answer;
    throw problem('bmc_busy', { facts: { address, what, reason: reasonOf(status, answer.body) } });
  }

  async #login(signal: AbortSignal): Promise<Session> {
    if (this.#session) return this.#session;
    const { bmc, password } = this.#options;
    const what = 'the login';
    const body = { UserName: bmc.user, Password: password };
    const answer = this.#judge(
      what,
      await this.wire.ask({ method: 'POST', path: SESSIONS, body, what }, signal),
    );
    const { status, token, location } = answer;
    if (status < 300 && token !== undefined) this.#session = { headers: { 'x-auth-token': token }, location };
    else if (status < 300) throw this.wire.garbage(what, 'no X-Auth-Token');
    else if ([404, 405, 501].includes(status))
      this.#session = { headers: basic(bmc.user, password), location: undefined };
    else throw this.refusal(what, answer);
    return this.#session;
  }
}

/** RFC 7617. */
function basic(user: string, password: string): Session['headers'] {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
