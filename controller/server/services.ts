import { readFileSync } from 'node:fs';
import { type Intent, problem } from '@bootswarm/controller/contract';
import { makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { Releases } from './catalogue/releases.ts';
import { Uploads } from './catalogue/uploads.ts';
import { DesiredStateFeed } from './edges/desired-state-feed.ts';
import { Edges } from './edges/edges.ts';
import { Policy } from './edges/policy.ts';
import { Segments } from './edges/segments.ts';
import { Machines } from './machines/machines.ts';
import { upgradeMachines } from './machines/upgrade.ts';
import type { StateStore } from './store/state-store.ts';
import { transact } from './store/transact.ts';

/** All that the controller does, over one store and one folder of artefacts. */
export interface Services {
  readonly version: string;
  readonly store: StateStore;
  readonly artefacts: ArtefactFolder;
  readonly uploads: Uploads;
  readonly releases: Releases;
  readonly segments: Segments;
  readonly policy: Policy;
  readonly edges: Edges;
  readonly machines: Machines;
  readonly feed: DesiredStateFeed;
}

export async function makeServices(store: StateStore, artefacts: ArtefactFolder): Promise<Services> {
  const key = await ensureSigningKey(store);
  await upgradeMachines(store);
  const uploads = new Uploads(store, artefacts);
  const releases = new Releases(store);
  const checkIntent = async (intent: Intent): Promise<void> => {
    if (intent.kind === 'live' && !(await releases.find(intent.release)))
      throw problem('machine_release_unknown', { field: 'release', facts: { release: intent.release } });
  };
  const policy = new Policy(store);
  const segments = new Segments(store, policy, checkIntent);
  const machines = new Machines(store, checkIntent);
  const edges = new Edges(store, key.publicKey);
  const readFleet = async () => ({
    segments: await segments.list(),
    policy: await policy.show(),
    edges: await edges.list(),
    machines: await machines.list(),
    manifests: (await releases.list()).map((release) => release.manifest),
  });
  const feed = new DesiredStateFeed(store, readFleet, key.privateKey);
  return {
    version: versionOf(),
    store,
    artefacts,
    uploads,
    releases,
    segments,
    policy,
    machines,
    edges,
    feed,
  };
}

/** The key that signs desired states. Edges learn its public half when they join. */
function ensureSigningKey(store: StateStore): Promise<SigningKey> {
  return transact(store, 'the signing key', async (reads) => {
    const entry = await reads.get('signing-key');
    if (entry) return { result: entry.value as SigningKey };
    const made = makeSigningKey();
    return { put: { 'signing-key': made }, result: made };
  });
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
