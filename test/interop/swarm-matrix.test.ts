import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { artefactOf } from '@bootswarm/images/format';
import { Site, writeBuildFolder } from '../boot/index.ts';
import { Lab, type Segment } from '../lab/index.ts';
import { type SharedArtefact, SwarmPeer, shareArtefact, swarmRoot } from '../swarm/index.ts';
import { CLIENT_NAMES, startClient } from './swarm-clients.ts';
import { announceUrl, layTorrent, rowsOf, SwarmPairs } from './swarm-pairs.ts';

const MIXED = 'mixed';
/** One announce that came too early is repeated after 30 s. */
const COMPLETE_MS = 90_000;

/** A swarm is one segment's: so those that speak to one client are not helped by those that speak to another. */
describe('our peer and those of others, by the edge’s tracker', {
  timeout: 600_000,
  concurrency: true,
}, () => {
  let lab: Lab;
  let shared: SharedArtefact;
  const segments = new Map<string, Segment>();
  const pairs = new Map<string, SwarmPairs>();

  before(async () => {
    lab = await Lab.create('swarm-pairs');
    for (const [at, name] of [...CLIENT_NAMES, MIXED].entries())
      segments.set(name, await lab.addSegment({ relay: at % 2 === 0 ? 'dhcrelay' : 'none' }));
    const site = await Site.start(lab);
    const attached = Array.from(segments.values(), ({ coreInterface }) => coreInterface ?? []).flat();
    await site.addEdge('edge1', lab.core.bridge, ...attached);
    for (const segment of segments.values()) await site.addSegment(segment, 'edge1');
    const [small, root] = [new Uint8Array([1, 2, 3]), swarmRoot()];
    const build = await writeBuildFolder(`${lab.folder}/build`, { kernel: small, initramfs: small, root });
    const release = await site.publish(`${lab.folder}/build`);
    await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', release);
    await site.releaseReady(release);
    shared = shareArtefact(lab.folder, artefactOf(build, 'root'), root);
    for (const client of CLIENT_NAMES)
      pairs.set(client, await SwarmPairs.lay(lab, segmentOf(client), shared));
  });

  after(() => lab[Symbol.asyncDispose]());

  function segmentOf(name: string): Segment {
    const segment = segments.get(name);
    assert.ok(segment, name);
    return segment;
  }

  for (const client of CLIENT_NAMES)
    describe(client, { concurrency: false }, () => {
      for (const row of rowsOf(client)) test(row, () => pairs.get(client)?.run(row));
    });

  test('an edge, two of ours, an aria2 and a libtorrent are one swarm, and all have it in the end', async () => {
    const segment = segmentOf(MIXED);
    const torrent = await layTorrent(lab, segment, shared);
    const name = shared.artefact.sha256;
    const hosts = await Promise.all(
      ['one', 'two', 'aria2', 'libtorrent'].map((each, at) =>
        segment.addHost(each, { address: segment.subnet.address(51 + at) }),
      ),
    );
    const paths = hosts.map((host) => `${lab.folder}/${host.label}/${name}`);
    await Promise.all(
      hosts.map(async (host, at) => {
        const folder = `${lab.folder}/${host.label}`;
        const client = CLIENT_NAMES[at - 2];
        if (client !== undefined) {
          const process = await startClient(host, client, { folder, name, torrent });
          await process.waitForLine(/^complete$/, COMPLETE_MS);
          return;
        }
        const trackerUrl = announceUrl(segment);
        await host.run(['mkdir', folder]);
        const peer = await SwarmPeer.start(host, segment, shared, {
          ...{ folder, path: paths[at] ?? '', trackerUrl },
        });
        await peer.complete(COMPLETE_MS);
      }),
    );
    const original = readFileSync(shared.original);
    for (const path of paths) assert.ok(readFileSync(path).equals(original), path);
  });
});
