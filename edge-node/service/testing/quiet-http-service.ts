import { AgentDesk } from '../agents/agent-desk.ts';
import { WorkBoard } from '../agents/work-board.ts';
import { Counters } from '../sockets/counters.ts';
import type { HttpService } from '../sockets/http-server.ts';
import { quietLog } from './quiet-log.ts';

const NONE = { status: 404, text: 'none here' } as const;

/** What an edge's HTTP serves that has nothing for anybody, but for what a case is about. */
export function quietHttpService(facts: Partial<HttpService> = {}): HttpService {
  return {
    port: 0,
    scriptFor: async () => undefined,
    firmwareOf: () => undefined,
    trustFileOf: () => undefined,
    installers: {
      answers: { find: () => NONE, installed: async () => NONE, tookOfTree: () => {} },
      trees: { find: async () => ({ kind: 'none' }) },
    },
    noCloud: { find: () => NONE },
    swarm: {
      tracker: { announce: () => Buffer.from('') },
      torrents: { find: (_, httpUrl) => Buffer.from(httpUrl) },
    },
    artefactOf: () => undefined,
    isComing: () => false,
    agents: {
      desk: new AgentDesk({
        holderOf: () => undefined,
        dutyOf: () => ({ intent: { kind: 'local' } }),
        swarmFor: () => undefined,
        board: new WorkBoard(),
        tell: () => {},
        log: quietLog().log,
      }),
      works: { begin: async () => {}, end: async () => {}, firstBoot: async () => {} },
      inspections: { take: async () => {} },
    },
    onSent: () => {},
    onAbsent: () => {},
    onFirmware: () => {},
    counters: new Counters(),
    metrics: () => 'bootswarm_up 1\n',
    log: quietLog().log,
    ...facts,
  };
}
