import { after, before, describe, test } from 'node:test';
import { artefactOf } from '@bootswarm/images/format';
import { writeBuildFolder } from '../boot/index.ts';
import type { Lab } from '../lab/index.ts';
import { layClientSite } from './client-site.ts';
import { SWARM_ROWS, SwarmPairs, swarmRoot } from './swarm-pairs.ts';

describe('our peer and those of others, each way, found by the edge’s tracker', { timeout: 300_000 }, () => {
  let lab: Lab;
  let pairs: SwarmPairs;

  before(async () => {
    const laid = await layClientSite('swarm-pairs');
    ({ lab } = laid);
    const { site, relayed } = laid;
    const [small, root] = [new Uint8Array([1, 2, 3]), swarmRoot()];
    const build = await writeBuildFolder(`${lab.folder}/build`, { kernel: small, initramfs: small, root });
    const release = await site.publish(`${lab.folder}/build`);
    await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', release);
    await site.releaseReady(release);
    pairs = await SwarmPairs.lay(lab, relayed, artefactOf(build, 'root'), root);
  });

  after(() => lab[Symbol.asyncDispose]());

  for (const row of SWARM_ROWS) test(row, () => pairs.run(row));
});
