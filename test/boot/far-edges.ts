import { randomFillSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefactOf } from '@bootswarm/images/format';
import type { Host, Lab, LinkRate, Namespace, Process } from '../lab/index.ts';
import { writeBuildFolder } from './build-folder.ts';
import { program } from './program.ts';
import type { Site } from './site.ts';

const UP_MS = 240_000;

/** At once larger than any packet that TCP hands on, so that none is cut and counted with headers of its own. */
export function uplink(mbit: number): LinkRate {
  return { mbit, burstKib: 256, queueMs: 300 };
}

/** An edge in a namespace of its own, the `at`th from 0, behind a link of its own to the controller. */
export async function layFarEdge(lab: Lab, name: string, at: number, mbit: number): Promise<Host> {
  const host = await lab.core.addHost(name, { address: lab.core.subnet.address(101 + at) });
  await host.shape(host.interface, uplink(mbit));
  await lab.core.shape(`to-${name}`, uplink(mbit));
  return host;
}

/** Joins with a new token and starts. @param verb `invite` for one that was added before. */
export async function startFarEdge(
  site: Site,
  name: string,
  host: Host,
  verb: 'add' | 'invite' = 'add',
): Promise<Process> {
  const { joinToken } = (await site.bootswarm('edge', verb, name)) as { joinToken: string };
  const { BOOTSWARM_URL: url = '' } = site.env;
  const data = join(site.lab.folder, name);
  const options = ['--controller', url, '--data', data, '--keep-hours', '0', '--interface', host.interface];
  const edge = await host.start(program('edge-node/service/main.ts', ...options), {
    name,
    env: { BOOTSWARM_JOIN_TOKEN: joinToken },
  });
  await edge.waitForLine(/edge is up/, UP_MS);
  return edge;
}

/** Publishes a release whose root is random. @param version of it. */
export async function publishRandom(
  site: Site,
  rootBytes: number,
  version: string,
): Promise<{ readonly release: string; readonly sha256: string }> {
  const build = join(site.lab.folder, `build${version}`);
  const small = Buffer.from(version);
  const files = { kernel: small, initramfs: small, root: randomFillSync(new Uint8Array(rootBytes)) };
  const manifest = await writeBuildFolder(build, files, ['boot=live'], version);
  const release = await site.publish(build);
  rmSync(build, { recursive: true });
  return { release, sha256: artefactOf(manifest, 'root').sha256 };
}

/** Lets the machines of these edges boot a release, all told within one command. Their places are those of `layFarEdge`. */
export async function bootFrom(
  site: Site,
  places: ReadonlyMap<string, number>,
  release: string,
): Promise<void> {
  const segments = Array.from(places, ([name, at]) => ({
    name: `seg-${name}`,
    subnet: `10.80.${at}.0/24`,
    pools: [{ first: `10.80.${at}.10`, last: `10.80.${at}.250` }],
    edges: [name],
    defaultIntent: { kind: 'live', release },
  }));
  const file = join(site.lab.folder, 'segments.json');
  writeFileSync(file, JSON.stringify({ segments }));
  await site.bootswarm('segment', 'apply', file);
}

/** What an edge logs once it has all of an artefact. */
export function readyLine(sha256: string): RegExp {
  return new RegExp(`${sha256}.*artefact verified and ready`);
}

/** Bytes that an interface sent or received so far, of all kinds. */
export async function countedBytes(
  namespace: Namespace,
  networkInterface: string,
  way: 'tx' | 'rx',
): Promise<number> {
  const file = `/sys/class/net/${networkInterface}/statistics/${way}_bytes`;
  const { stdout, stderr } = await namespace.run(['cat', file]);
  const bytes = Number(stdout);
  if (!(bytes > 0)) throw new Error(`${networkInterface} tells no bytes: ${stderr}${stdout}`);
  return bytes;
}
