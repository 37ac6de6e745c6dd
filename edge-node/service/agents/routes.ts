import {
  AGENT_PATHS,
  AGENT_REPORT_MOST_BYTES,
  AGENT_WAIT_MOST_SECONDS,
  AgentLog,
  AgentReport,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import type { AgentDesk } from './agent-desk.ts';
import { problem } from './problems.ts';

type Agents = Hono<{ Bindings: HttpBindings }>;

const TOKEN = z.string().max(64).optional();
const WAIT = z.coerce.number().min(0).max(AGENT_WAIT_MOST_SECONDS).catch(0);

/** What an edge answers to agents, beside boot files. No token: who has the address is the machine, as for scripts. */
export function agentRoutes(desk: AgentDesk, addressOf: (c: Context) => string): Agents {
  const app: Agents = new Hono();
  app.use(
    '/agent/*',
    bodyLimit({
      maxSize: AGENT_REPORT_MOST_BYTES,
      onError: () => {
        throw problem('agent_body_too_large', { facts: { most: AGENT_REPORT_MOST_BYTES } });
      },
    }),
  );
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
      return c.json(await desk.order(addressOf(c), after, waitSeconds, hungUp.signal), 200, {
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

/** Whether a request is of those that may have a body. */
export function isForAgents(method: string | undefined, url: string | undefined): boolean {
  return method === 'POST' && (url === AGENT_PATHS.report || url === AGENT_PATHS.log);
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
