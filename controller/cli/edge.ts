import {
  type Edge,
  type EdgeInvitation,
  type EdgeStatus,
  endpoints,
  readinessOf,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import type { z } from 'zod';
import { addEdgeSet, scheduleText } from './edge-settings.ts';
import { bytesText, factsText, tableText } from './output.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';

export function addEdge(program: Command): void {
  const edge = program.command('edge').description('The edge nodes that serve segments.');

  edge
    .command('add')
    .description('Add an edge and show the token with which it joins.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const invitation = await client().call(endpoints.addEdge, { body: { name } }, { signal });
        output.result(invitation, invitationText);
      }),
    );

  edge
    .command('invite')
    .description('Show a new join token, for an edge that lost its state.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const invitation = await client().call(endpoints.inviteEdge, { params: { name } }, { signal });
        output.result(invitation, invitationText);
      }),
    );

  edge
    .command('list')
    .description('List the edges.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const edges = await client().edges.list({}, { signal }).all();
        output.result(edges, () =>
          tableText(
            ['EDGE', 'SITE', 'JOINED', 'LAST SEEN', 'READY', 'WAITING'],
            edges.map((each) => [
              each.name,
              each.site ?? '',
              each.joinedAt ?? 'not yet',
              each.lastSeenAt ?? 'never',
              String(each.status?.ready.length ?? 0),
              String(each.status?.waiting.length ?? 0),
            ]),
          ),
        );
      }),
    );

  edge
    .command('show')
    .description('Show an edge and which artefacts it has ready.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const found = await client().call(endpoints.showEdge, { params: { name } }, { signal });
        output.result(found, edgeText);
      }),
    );

  addEdgeSet(edge);

  edge
    .command('ready')
    .description('Tell which edges have all of a release, hash by hash, and what the others lack.')
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE')
    .action((text: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = parseRelease(text);
        const controller = client();
        const { manifest } = await controller.call(endpoints.showRelease, { params }, { signal });
        const edges = await controller.edges.list({}, { signal }).all();
        const now = new Date();
        output.result(
          edges.map((each) => readinessOf(manifest, each, now)),
          (found) =>
            tableText(
              ['EDGE', 'SITE', 'READY', 'HELD', 'WHY NOT'],
              found.map(({ edge: name, site = '', ready, held, all, reason = '' }) => [
                ...[name, site, ready ? 'yes' : 'no', `${held} of ${all}`, reason],
              ]),
            ),
        );
      }),
    );

  edge
    .command('remove')
    .description('Remove an edge that serves no segment; its token ends at once.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeEdge, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed edge ${name}`);
      }),
    );
}

function invitationText({ edge, joinToken, expiresAt }: z.infer<typeof EdgeInvitation>): string {
  return [
    `Edge ${edge.name} may join until ${expiresAt}. The token works once and is shown only now:`,
    `  ${joinToken}`,
    'On the edge, start:',
    '  BOOTSWARM_JOIN_TOKEN=TOKEN npm run edge -- --controller URL --interface INTERFACE',
  ].join('\n');
}

function transferText({ fetchedBytes, reusedBytes }: NonNullable<EdgeStatus['transfer']>): string {
  return `${bytesText(fetchedBytes)} fetched, ${bytesText(reusedBytes)} taken from earlier releases, since its start`;
}

function edgeText(edge: Edge): string {
  const facts = factsText({
    edge: edge.name,
    joined: edge.joinedAt ?? 'not yet',
    'last seen': edge.lastSeenAt ?? 'never',
    revision: edge.status?.revision,
    journal: edge.journalSeq,
    site: edge.site,
    ...(edge.rate && { cap: scheduleText(edge.rate) }),
    ...(edge.status?.transfer && { artefacts: transferText(edge.status.transfer) }),
  });
  const rows = [
    ...(edge.status?.ready ?? []).map((sha256) => [sha256, 'ready']),
    ...(edge.status?.waiting ?? []).map(({ sha256, reason }) => [sha256, `waiting: ${reason}`]),
  ];
  return rows.length === 0 ? facts : `${facts}\n\n${tableText(['ARTEFACT', 'STATE'], rows)}`;
}
