import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type Artefact, artefactOf, Manifest, pieceRange, type ReleaseId } from '@bootswarm/images/format';
import { pathOf, program, Site } from '../boot/index.ts';
import { Lab, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';

const run = promisify(execFile);

/** Beside those of the minimal recipe: a server of some 350 MB unpacked. */
const PACKAGES = ['python3', 'openssh-server', 'curl', 'ca-certificates'];
/** What has an older version in Debian's archive most of the time, and is a twentieth to a tenth of the root. */
const UPGRADED = ['python3.11', 'python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib'];
const ADDED = 'tcpdump';
const BUILD_MS = 900_000;
const FETCH_MS = 120_000;
const EDGE = 'edge1';

interface Built {
  readonly id: ReleaseId;
  readonly manifest: Manifest;
}

/** What an edge fetches for the next release, of three that are built from recipes, against the whole root. */
export const deltaBench: Bench = {
  name: 'delta',
  summary:
    'bytes that an edge fetches for the next release, against the whole root and fixed pieces of 1 MiB',
  better: { bytes: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-delta');
    try {
      const recipes = await layRecipes(join(lab.folder, 'recipes'));
      const site = await Site.start(lab);
      const built: Built[] = [];
      for (const recipe of recipes) {
        say(`building ${basename(recipe)}: 1 to 5 minutes`);
        built.push(await build(site, recipe));
      }
      const [older, upgraded, added] = built;
      if (!older || !upgraded || !added) throw new Error('three recipes were expected');
      const segment = await lab.addSegment({ relay: 'none' });
      await site.addEdge(EDGE, segment.coreInterface ?? '');
      await site.addSegment(segment, EDGE);
      const caseOf = (name: string, before: Built, after: Built) => ({
        name,
        subjects: {
          ours: () => fetchNext(site, segment, before, after),
          whole: async () => ({ bytes: artefactOf(after.manifest, 'root').length }),
          fixed_pieces: async () => ({ bytes: bytesOfNewPieces(before, after) }),
        },
      });
      return {
        cases: [caseOf('package-upgraded', older, upgraded), caseOf('package-added', upgraded, added)],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

/** @returns the recipes, oldest first: one with an older version of a package, one as of now, and one with a package more. */
async function layRecipes(folder: string): Promise<string[]> {
  mkdirSync(folder);
  copyFileSync(pathOf('images/recipes/minimal.yaml'), join(folder, 'minimal.yaml'));
  const packages = await downloadOlder(folder);
  const files = packages.map((file) => ({ path: `/opt/older/${file}`, source: file }));
  const script = 'dpkg --install /opt/older/*.deb\nrm -r /opt/older\n';
  const recipes = [
    { packages: PACKAGES, files, hooks: [{ name: 'older', script }] },
    { packages: PACKAGES },
    { packages: [...PACKAGES, ADDED] },
  ];
  return recipes.map((recipe, index) => {
    const path = join(folder, `release${index + 1}.yaml`);
    const whole = { include: ['minimal.yaml'], name: 'delta', version: String(index + 1), ...recipe };
    // JSON is YAML.
    writeFileSync(path, JSON.stringify(whole));
    return path;
  });
}

/** From the host's apt sources. @returns file names in the folder. */
async function downloadOlder(folder: string): Promise<string[]> {
  const { stdout } = await run('apt-cache', ['madison', UPGRADED[0] ?? '']);
  const versions = [...new Set(stdout.split('\n').flatMap((line) => line.split('|')[1]?.trim() ?? []))];
  const older = versions.at(-1);
  if (older === undefined || versions.length < 2)
    throw new Error(
      `apt knows ${versions.length} versions of ${UPGRADED[0]}: two are needed (apt-get update)`,
    );
  await run('apt-get', ['--quiet', 'download', ...UPGRADED.map((name) => `${name}=${older}`)], {
    cwd: folder,
  });
  return readdirSync(folder).filter((name) => name.endsWith('.deb'));
}

async function build(site: Site, recipe: string): Promise<Built> {
  const folder = recipe.replace('.yaml', '');
  const [node, ...args] = program('controller/cli/main.ts', 'image', 'build', recipe, '--out', folder);
  // Outside the lab, which reaches no mirror.
  await run(node ?? '', args, { timeout: BUILD_MS, maxBuffer: 64 * 1024 * 1024 });
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  return { id: await site.publish(folder), manifest };
}

/** Bytes that the edge says it took from the controller for the root and its index, holding what is before alone. */
async function fetchNext(site: Site, segment: Segment, before: Built, after: Built): Promise<Measurement> {
  await bootByDefault(site, segment, before.id);
  await site.releaseReady(before.id, FETCH_MS);
  await site.edge.stop();
  const whole = join(site.lab.folder, EDGE, 'artefacts/whole');
  const held = new Set(before.manifest.artefacts.map(({ sha256 }) => sha256));
  for (const sha256 of readdirSync(whole)) if (!held.has(sha256)) rmSync(join(whole, sha256));
  await bootByDefault(site, segment, after.id);
  const startedAt = performance.now();
  const edge = await site.startEdge(EDGE, [segment.coreInterface ?? '']);
  let bytes = 0;
  for (const role of ['chunks', 'root'] as const) {
    const { sha256 } = artefactOf(after.manifest, role);
    const line = await edge.waitForLine(new RegExp(`${sha256}.*artefact verified`), FETCH_MS);
    const { fetchedBytes, keptBytes } = JSON.parse(line) as { fetchedBytes: number; keptBytes: number };
    // What an earlier try fetched would not be counted.
    if (keptBytes > 0) throw new Error(`the fetch broke off: ${await edge.waitForLine(/not fetched/, 1000)}`);
    bytes += fetchedBytes;
  }
  return { bytes, seconds: (performance.now() - startedAt) / 1000 };
}

async function bootByDefault(site: Site, segment: Segment, release: ReleaseId): Promise<void> {
  const shown = (await site.bootswarm('segment', 'show', `seg${segment.number}`)) as object;
  const file = join(site.lab.folder, 'segment.json');
  writeFileSync(file, JSON.stringify({ segments: [{ ...shown, defaultIntent: { kind: 'live', release } }] }));
  await site.bootswarm('segment', 'apply', file);
}

/** What zsync and BitTorrent alone would fetch: the pieces that stand nowhere at a multiple of their length. */
function bytesOfNewPieces(before: Built, after: Built): number {
  const root: Artefact = artefactOf(after.manifest, 'root');
  const held = new Set(artefactOf(before.manifest, 'root').pieces);
  return root.pieces.reduce((sum, sha256, index) => {
    const { start, end } = pieceRange(root, index);
    return held.has(sha256) ? sum : sum + end - start;
  }, 0);
}
