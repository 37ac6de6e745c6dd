import { Signed } from '@bootswarm/images/format';
import { z } from 'zod';
import { Edge, EdgeCredentials, EdgeInvitation, EdgeSettings, EdgeStatus } from './edge.ts';
import { EdgeSwarmAnswer, EdgeSwarmReport } from './edge-swarm.ts';
import type { Endpoint } from './endpoint.ts';
import { JournalBatch, JournalReceipt } from './journal.ts';
import { EdgeWork } from './machine-work.ts';
import { Name } from './names.ts';
import { PageQuery } from './page.ts';

const ByName = z.object({ name: Name });
const Nothing = z.strictObject({});

/** Longest that a call for a desired state waits for a new one, in seconds. */
const LONG_POLL_MOST_SECONDS = 60;

/** Edges as operators see them, and what edges say and ask themselves. */
export const edgeEndpoints = {
  listEdges: {
    method: 'get',
    path: '/v1/edges',
    summary: 'All edges',
    paged: 'edge',
    audience: 'operator',
    query: z.object(PageQuery),
    result: z.array(Edge),
  },
  addEdge: {
    method: 'post',
    path: '/v1/edges',
    summary: 'Add an edge and get the token with which it joins',
    audience: 'operator',
    body: ByName,
    result: EdgeInvitation,
  },
  inviteEdge: {
    method: 'post',
    path: '/v1/edges/{name}/invitation',
    summary: 'A new join token for an edge that lost its state; its old tokens end when it joins',
    audience: 'operator',
    params: ByName,
    result: EdgeInvitation,
  },
  showEdge: {
    method: 'get',
    path: '/v1/edges/{name}',
    summary: 'One edge and what it has ready',
    tagged: 'edge',
    audience: 'operator',
    params: ByName,
    result: Edge,
  },
  changeEdge: {
    method: 'put',
    path: '/v1/edges/{name}/settings',
    summary: 'Set the site of an edge, and how fast it may fetch from outside it',
    tagged: 'edge',
    audience: 'operator',
    params: ByName,
    body: EdgeSettings,
    result: Edge,
  },
  removeEdge: {
    method: 'delete',
    path: '/v1/edges/{name}',
    summary: 'Remove an edge that serves no segment; its token ends at once',
    tagged: 'edge',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },
  join: {
    method: 'post',
    path: '/v1/join',
    summary: 'Trade a join token for the credentials of an edge',
    audience: 'join',
    result: EdgeCredentials,
  },
  desiredState: {
    method: 'get',
    path: '/v1/edge/desired-state',
    summary: 'The signed desired state of the calling edge; waits until there is one newer than `after`',
    audience: 'edge',
    query: z.object({
      after: z.coerce.number().int().min(-1).default(-1),
      waitSeconds: z.coerce.number().int().min(0).max(LONG_POLL_MOST_SECONDS).default(0),
    }),
    result: Signed.nullable(),
  },
  reportStatus: {
    method: 'put',
    path: '/v1/edge/status',
    summary: 'What the calling edge follows and has ready',
    audience: 'edge',
    body: EdgeStatus,
    result: Nothing,
  },
  reportWork: {
    method: 'put',
    path: '/v1/edge/work',
    summary: 'What the machines of the calling edge are at',
    audience: 'edge',
    body: EdgeWork,
    result: Nothing,
  },
  edgeSwarm: {
    method: 'post',
    path: '/v1/edge/swarm',
    summary: 'Where the calling edge listens, what it has and lacks; whom it may fetch that from',
    audience: 'edge',
    body: EdgeSwarmReport,
    result: EdgeSwarmAnswer,
  },
  sendJournal: {
    method: 'post',
    path: '/v1/edge/journal',
    summary: 'Records of the calling edge, in order; those known already are passed over',
    audience: 'edge',
    body: JournalBatch,
    result: JournalReceipt,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
