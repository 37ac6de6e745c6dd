import {
  AGENT_INSPECTION_MOST_BYTES,
  AGENT_PATHS,
  AGENT_REPORT_MOST_BYTES,
  AGENT_WAIT_MOST_SECONDS,
  AgentLog,
  AgentReport,
  Inspection,
  WorkBegin,
  WorkEnd,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import type { AgentDesk } from './agent-desk.ts';
import type { InspectionDesk } from './inspection-desk.ts';
import { problem } from './problems.ts';
import type { WorkDesk } from './work-desk.ts';

type Agents = Hono<{ Bindings: HttpBindings }>;

const { intent: _, ...POSTED_PATHS } = AGENT_PATHS;
const POSTED: ReadonlySet<string> = new Set(Object.values(POSTED_PATHS));
const TOKEN = z.string().max(64).optional();
const WAIT = z.coerce.number().min(0).max(AGENT_WAIT_MOST_SECONDS).catch(0);

/** What agents ask for, and bring. */
export interface AgentService {
  readonly desk: AgentDesk;
  readonly works: Pick<WorkDesk, 'begin' | 'end' | 'firstBoot'>;
  readonly inspections: Pick<InspectionDesk, 'take'>;
}

/** Who asks, and the edge's own URL as he reached it. */
type WhoAsks = (c: Context) => { readonly address: string; readonly httpUrl: string };

/**
 * What an edge answers to agents, beside boot files. No token: who has the address is the machine, as for scripts;
 * what writes to a disk needs a ticket beside.
 */
export function agentRoutes({ desk, works, inspections }: AgentService, whoAsks: WhoAsks): Agents {
  const app: Agents = new Hono();
  const addressOf = (c: Context): string => whoAsks(c).address;
  for (const path of POSTED) app.use(path, limitOf(path));
  app.post(AGENT_PATHS.inspection, async (c) => {
    const lease = desk.admit(addressOf(c));
    await inspections.take(lease, await bodyOf(c, Inspection));
    return c.json({});
  });
  app.post(AGENT_PATHS.begin, async (c) => {
    const lease = desk.admit(addressOf(c));
    await works.begin(lease, await bodyOf(c, WorkBegin));
    return c.json({});
  });
  app.post(AGENT_PATHS.end, async (c) => {
    const lease = desk.admit(addressOf(c));
    await works.end(lease, await bodyOf(c, WorkEnd));
    return c.json({});
  });
  app.get('/first-boot/:ticket', async (c) => {
    await works.firstBoot(c.req.param('ticket'));
    return c.text('noted\n', 200, { 'cache-control': 'no-store' });
  });
  app.post(AGENT_PATHS.report, async (c) => {
    desk.report(addressOf(c), await bodyOf(c, AgentReport));
    return c.json({});
  });
  app.post(AGENT_PATHS.log, async (c) => {
    desk.takeLog(addressOf(c), await bodyOf(c, AgentLog));
    return c.json({});
  });
  app.get(AGENT_PATHS.intent, async (c) => {
    const after = TOKEN.safeParse(c.req.query('after')).data;
    const waitSeconds = WAIT.parse(c.req.query('waitSeconds'));
    const hungUp = new AbortController();
    const close = (): void => hungUp.abort();
    c.env.outgoing.once('close', close);
    try {
      const caller = { ...whoAsks(c), canSwarm: c.req.query('swarm') === '1' };
      return c.json(await desk.order(caller, after, waitSeconds, hungUp.signal), 200, {
        'cache-control': 'no-store',
      });
    } finally {
      c.env.outgoing.off('close', close);
    }
  });
  app.onError((error, c) => {
    if (!(error instanceof Problem)) throw error;
    return c.json(error.toBody(), error.status as ContentfulStatusCode);
  });
  return app;
}

function limitOf(path: string): MiddlewareHandler {
  const most = path === AGENT_PATHS.inspection ? AGENT_INSPECTION_MOST_BYTES : AGENT_REPORT_MOST_BYTES;
  return bodyLimit({
    maxSize: most,
    onError: () => {
      throw problem('agent_body_too_large', { facts: { most } });
    },
  });
}

/** Whether a request is of those that may have a body. */
export function isForAgents(method: string | undefined, url: string | undefined): boolean {
  return method === 'POST' && url !== undefined && POSTED.has(url);
}

async function bodyOf<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.infer<Schema>> {
  const content = await c.req.json().catch(() => {
    throw problem('agent_body_invalid', { facts: { field: 'body', reason: 'is not JSON' } });
  });
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'body';
  throw problem('agent_body_invalid', { field, facts: { field, reason: issue?.message ?? 'is not valid' } });
}
