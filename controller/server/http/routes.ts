import type { IncomingMessage } from 'node:http';
import { endpoints } from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';
import { sendFile } from '@bootswarm/images/swarm';
import { releaseTarget } from '@bootswarm/images/trust';
import type { Logger } from 'pino';
import { actorOf } from '../access/tokens.ts';
import { removeReleases } from '../catalogue/removal.ts';
import type { Services } from '../services.ts';
import { type Api, bodyOf, type Inside, serve } from './adapter.ts';
import { makeApi } from './api.ts';
import { addEventRoutes } from './event-routes.ts';
import { addMachineLifeRoutes } from './machine-life-routes.ts';
import { addPowerRoutes } from './power-routes.ts';
import { addRolloutRoutes } from './rollout-routes.ts';
import { addSelectionRoutes } from './selection-routes.ts';
import { addWebhookRoutes } from './webhook-routes.ts';

/** The services as an HTTP API: every endpoint of the contract, bound to what carries it out. */
export function apiOf(services: Services, log: Logger): Api {
  const { store, answers, version } = services;
  const api = makeApi({ actorOf: (token) => actorOf(store, token, new Date()), answers, log, version });
  serve(api, endpoints.health, async () => ({ status: 'ok' as const, version }));
  addCatalogueRoutes(api, services);
  addTrustRoutes(api, services);
  addRetentionRoutes(api, services);
  addOperatorRoutes(api, services);
  addMachineLifeRoutes(api, services);
  addInstallerRoutes(api, services);
  addPowerRoutes(api, services);
  addRolloutRoutes(api, services);
  addEdgeRoutes(api, services);
  addSelectionRoutes(api, services);
  addEventRoutes(api, services);
  addWebhookRoutes(api, services);
  return api;
}

function addTrustRoutes(
  api: Api,
  { trust, channels, releases, machines, segments, profiles, assignments }: Services,
): void {
  serve(api, endpoints.showTrust, () => trust.show());
  serve(api, endpoints.fetchTrustFile, async ({ params }, { node: { outgoing } }) => {
    const text = await trust.file(params.file);
    outgoing.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    outgoing.end(text);
    return undefined;
  });
  serve(api, endpoints.replaceRoot, ({ body }) => {
    const published = async () => (await releases.list()).map(({ manifest }) => releaseTarget(manifest));
    return trust.replaceRoot(body, published, new Date());
  });
  serve(api, endpoints.makeOnlineKeys, () => trust.makeOnlineKeys());
  serve(api, endpoints.renewTargets, ({ body }) => trust.renewTargets(body.targets, new Date()));
  serve(api, endpoints.listChannels, () => channels.list());
  serve(api, endpoints.moveChannels, ({ body }) => {
    const namedBy = async () => ({
      machines: await machines.list(),
      segments: await segments.list(),
      profiles: await profiles.list(),
      assignments: await assignments.list(),
    });
    return channels.move(body.targets, namedBy, new Date());
  });
}

function addRetentionRoutes(api: Api, services: Services): void {
  const { releases, pins, uses, retention, garbage, store } = services;
  serve(api, endpoints.removeReleases, ({ body }) => removeReleases(services, body, new Date()));
  serve(api, endpoints.releaseUses, async ({ params }) => {
    const { manifest } = await releases.show(releaseId(params));
    return [...((await uses.all(store)).get(releaseId(manifest)) ?? [])];
  });
  serve(api, endpoints.pinRelease, ({ params }) => pins.pin(releaseId(params), new Date()));
  serve(api, endpoints.unpinRelease, ({ params }) => pins.unpin(releaseId(params)));
  serve(api, endpoints.showRetention, () => retention.show());
  serve(api, endpoints.replaceRetention, ({ body }) => retention.replace(body));
  serve(api, endpoints.showGarbage, () => garbage.survey(new Date()));
  serve(api, endpoints.collectGarbage, () => garbage.collect(new Date()));
}

function addCatalogueRoutes(api: Api, { releases, trust, uploads, artefacts }: Services): void {
  serve(api, endpoints.listReleases, () => releases.list());
  serve(api, endpoints.showRelease, ({ params }) => releases.show(releaseId(params)));
  serve(api, endpoints.publishRelease, ({ body }) => {
    const now = new Date();
    return releases.publish(body.manifest, now, (reads) => trust.publication(reads, body, now));
  });
  serve(api, endpoints.showUpload, ({ params }) => uploads.show(params.sha256));
  serve(api, endpoints.sendUpload, ({ params, query }, { node }) =>
    uploads.receive(params.sha256, { ...query, bytes: bodyOf(node.incoming as IncomingMessage) }),
  );
  serve(api, endpoints.fetchArtefact, async ({ params: { sha256 } }, { node: { incoming, outgoing } }) => {
    await uploads.requireWhole(sha256);
    await sendFile(incoming, outgoing, { path: artefacts.pathOf(sha256), sha256 });
    return undefined;
  });
}

function addOperatorRoutes(api: Api, { segments, policy, edges, machines, work }: Services): void {
  serve(api, endpoints.listSegments, () => segments.list());
  serve(api, endpoints.addSegment, ({ body }) => segments.add(body));
  serve(api, endpoints.showSegment, ({ params }) => segments.show(params.name));
  serve(api, endpoints.replaceSegment, ({ params, body }) => segments.replace(params.name, body));
  serve(api, endpoints.removeSegment, async ({ params }) => {
    await segments.remove(params.name);
    return {};
  });
  serve(api, endpoints.showPolicy, () => policy.show());
  serve(api, endpoints.replacePolicy, ({ body }) => policy.replace(body, (reads) => segments.within(reads)));
  serve(api, endpoints.listEdges, () => edges.list());
  serve(api, endpoints.addEdge, ({ body }) => edges.add(body.name, new Date()));
  serve(api, endpoints.inviteEdge, ({ params }) => edges.invite(params.name, new Date()));
  serve(api, endpoints.showEdge, ({ params }) => edges.show(params.name));
  serve(api, endpoints.changeEdge, ({ params, body }) => edges.change(params.name, body));
  serve(api, endpoints.removeEdge, async ({ params: { name } }) => {
    await edges.remove(name, (edge, reads) => segments.servedBy(edge, reads));
    return {};
  });
  // One more than is asked for tells whether there is a next page.
  serve(api, endpoints.listMachines, ({ query: { limit, ...query } }) =>
    machines.list({ ...query, limit: limit === undefined ? undefined : limit + 1 }),
  );
  serve(api, endpoints.showWork, async () => work.show(Date.now()));
  serve(api, endpoints.showMachine, ({ params }) => machines.show(params.machine));
  serve(api, endpoints.machineJournal, ({ params, query: { after, waitSeconds } }, { signal }) =>
    machines.journal(params.machine, { after, waitMs: waitSeconds * 1000 }, signal),
  );
  serve(api, endpoints.listAlarms, ({ query }) => machines.alarms(query.segment));
  serve(api, endpoints.setIntent, ({ params, body }) => machines.setIntent(params.machine, body));
}

function addInstallerRoutes(api: Api, { machines, inspections, profiles, mini }: Services): void {
  serve(api, endpoints.listInspections, ({ params }) => inspections.list(params.machine));
  serve(api, endpoints.showInspection, ({ params }) => inspections.show(params.machine, params.number));
  serve(api, endpoints.showMini, () => mini.show());
  serve(api, endpoints.useMini, ({ body }) => mini.use(body.release));
  serve(api, endpoints.setVariables, ({ params, body }) => machines.setVariables(params.machine, body));
  serve(api, endpoints.listProfiles, () => profiles.list());
  serve(api, endpoints.showProfile, ({ params }) => profiles.show(params.name));
  serve(api, endpoints.replaceProfile, ({ params, body }) => profiles.replace(params.name, body));
  serve(api, endpoints.removeProfile, async ({ params }) => {
    await profiles.remove(params.name);
    return {};
  });
}

function addEdgeRoutes(
  api: Api,
  { edges, edgeSwarm, seeds, feed, journals, inspections, work }: Services,
): void {
  serve(api, endpoints.join, (_, { token = '' }) => edges.join(token, new Date()));
  serve(api, endpoints.desiredState, ({ query }, inside) =>
    feed.next(edgeOf(inside), query.after, query.waitSeconds * 1000, inside.signal),
  );
  serve(api, endpoints.reportStatus, async ({ body }, inside) => {
    await edges.report(edgeOf(inside), body, new Date());
    return {};
  });
  serve(api, endpoints.reportWork, async ({ body }, inside) => {
    work.take(edgeOf(inside), body, Date.now());
    return {};
  });
  serve(api, endpoints.edgeSwarm, async ({ body }, inside) => {
    const seenFrom = plainIpv4(inside.node.incoming.socket.remoteAddress ?? '');
    const answer = await edgeSwarm.report(edgeOf(inside), body, seenFrom);
    await seeds?.give(body.fetching.map(({ sha256 }) => sha256));
    return { ...answer, ...(seeds === undefined ? {} : { controllerPort: seeds.port }) };
  });
  serve(api, endpoints.sendJournal, async ({ body }, inside) => ({
    takenSeq: await journals.take(edgeOf(inside), body.records),
  }));
  serve(api, endpoints.sendInspection, async ({ body }, inside) => {
    await inspections.take(edgeOf(inside), body, new Date());
    return {};
  });
}

/** A socket of both families writes IPv4 addresses as `::ffff:10.1.2.3`. */
function plainIpv4(address: string): string {
  return address.replace(/^::ffff:/, '');
}

/** Only for endpoints whose audience is `edge`. */
function edgeOf({ actor }: Inside): string {
  if (actor?.kind !== 'edge') throw new TypeError('the endpoint is not for edges alone');
  return actor.edge;
}
