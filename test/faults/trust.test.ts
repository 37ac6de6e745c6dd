import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge, EdgeRecord } from '@bootswarm/controller/contract';
import { type ChannelPointer, type Manifest, makeSigningKey, releaseId } from '@bootswarm/images/format';
import { channelTarget, makeTimestamp, releaseTarget, withTargets } from '@bootswarm/images/trust';
import { FakeRepository, makeKeys } from '@bootswarm/images/trust/testing';
import { program, Site, writeBuildFolder } from '../boot/index.ts';
import { type Host, Lab, type Process, randomFrom, type Segment } from '../lab/index.ts';
import { spoilt } from './spoilt-manifest.ts';
import type { ProxyRules } from './trust-proxy.ts';

const HTTP_PORT = 8480;
const PROXY_PORT = 8471;
const UP_MS = 120_000;
const FOLLOWED_MS = 20_000;
const SETTLE_MS = 60_000;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6);

/**
 * An edge whose controller was taken over: whoever has it signs desired states, holds the online keys and every
 * artefact, and answers what he likes. He lacks the operator's keys alone.
 */
describe('an edge whose controller was taken over', { timeout: 1_200_000 }, () => {
  let lab: Lab;
  let site: Site;
  let edge: Process;
  let segment: Segment;
  let machine: Host;
  let repository: FakeRepository;
  let releases: readonly Manifest[];
  let rules: ProxyRules;

  before(async () => {
    lab = await Lab.create('trust');
    segment = await lab.addSegment({ relay: 'none' });
    site = await Site.start(lab);
    releases = await Promise.all([1, 2, 3].map(publish));
    repository = new FakeRepository();
    mkdirSync(metadata(), { recursive: true });
    repository.publish({ add: [releaseTarget(release(1))] });
    serveMetadata();
    rules = { revision: 1000, state: {}, metadata: metadata(), flips: false };
    demand({ trustRoot: rootOf(repository), releases: [] });
    const proxy = [`${PROXY_PORT}`, site.env['BOOTSWARM_URL'] ?? '', rulesFile()];
    const standing = await lab.core.start(program('test/faults/trust-proxy.ts', ...proxy), { name: 'proxy' });
    await standing.waitForLine(/proxy is up/, UP_MS);
    const { joinToken } = (await site.bootswarm('edge', 'add', 'edge1')) as { joinToken: string };
    edge = await startEdge({ BOOTSWARM_JOIN_TOKEN: joinToken });
    await site.addSegment(segment, 'edge1');
    machine = await segment.addHost('machine', { address: segment.subnet.address(50) });
    await edge.waitForLine(/"segments":1.*following a new desired state/, FOLLOWED_MS).catch(() => {});
    // What is signed is taken, and the machine boots from it.
    demand({ releases: [release(1)], machines: machinesOn(release(1)) });
    await until(() => isServed(release(1)), 'release 1 is served');
  });

  after(() => lab[Symbol.asyncDispose]());

  const rulesFile = (): string => `${lab.folder}/rules.json`;
  const metadata = (): string => `${lab.folder}/metadata`;
  const rootOf = ({ files }: FakeRepository): string => String(files.get('1.root.json'));
  const release = (number: number): Manifest => releases[number - 1] ?? assert.fail('no such release');
  const machinesOn = (manifest: Manifest) => [
    { id: 'm-1', macs: [machine.mac], intent: { kind: 'live', release: releaseId(manifest) } },
  ];

  async function publish(version: number): Promise<Manifest> {
    const build = `${lab.folder}/build${version}`;
    const bytes = (length: number, salt: number) =>
      Uint8Array.from({ length }, (_, index) => (index * 31 + salt * 7 + version) & 0xff);
    const files = { kernel: bytes(40_000, 1), initramfs: bytes(60_000, 2), root: bytes(1_500_000, 3) };
    const manifest = await writeBuildFolder(build, files, ['boot=live'], String(version));
    await site.publish(build);
    return manifest;
  }

  function startEdge(env: Readonly<Record<string, string>> = {}): Promise<Process> {
    const options = [
      '--controller',
      `http://${lab.core.address}:${PROXY_PORT}`,
      '--data',
      `${lab.folder}/edge1`,
    ];
    const argv = program('edge-node/service/main.ts', ...options, '--interface', segment.coreInterface ?? '');
    return lab.core.start(argv, { name: 'edge1', env }).then(async (started) => {
      await started.waitForLine(/edge is up/, UP_MS);
      return started;
    });
  }

  /** What the taken controller asks for from now on. */
  function demand(state: Readonly<Record<string, unknown>>, changed: Partial<ProxyRules> = {}): void {
    rules = { ...rules, ...changed, revision: rules.revision + 1, state: { ...rules.state, ...state } };
    writeFileSync(`${rulesFile()}.new`, JSON.stringify(rules));
    renameSync(`${rulesFile()}.new`, rulesFile());
  }

  /** Serves what the repository holds; of a stream nothing, which the proxy sends without end. */
  function serveMetadata(): void {
    rmSync(metadata(), { recursive: true, force: true });
    mkdirSync(metadata());
    for (const [name, held] of repository.files)
      writeFileSync(`${metadata()}/${name}`, typeof held === 'string' ? held : '');
  }

  async function get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const url = `http://${segment.gateway}:${HTTP_PORT}${path}`;
    const { stdout } = await machine.run(['curl', '-s', '-w', '\n%{http_code}', url]);
    const at = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
  }

  const isHeld = async ({ artefacts }: Manifest): Promise<boolean> => {
    const statuses = await Promise.all(
      artefacts.map(async ({ sha256, name }) => (await get(`/artefacts/${sha256}/${name}`)).status),
    );
    return statuses.every((status) => status === 200);
  };
  const script = async (): Promise<string> => (await get(`/boot.ipxe?mac=${machine.mac}`)).text;
  const isServed = async (manifest: Manifest): Promise<boolean> =>
    (await script()).includes(manifest.artefacts[0]?.sha256.slice(0, 12) ?? '?') && isHeld(manifest);

  async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + SETTLE_MS; !(await holds()); await sleep(200))
      assert.ok(Date.now() < deadline, `${what}: not within ${SETTLE_MS / 1000} s`);
  }

  async function waitingReasons(): Promise<readonly string[]> {
    const { status } = (await site.bootswarm('edge', 'show', 'edge1')) as Edge;
    return status?.waiting.map(({ reason }) => reason) ?? [];
  }

  /** What is kept of trust, byte by byte. */
  function keptTrust(): string {
    const [folder = ''] = readdirSync(`${lab.folder}/edge1/trust`);
    const path = `${lab.folder}/edge1/trust/${folder}`;
    assert.deepEqual(readdirSync(path).toSorted(), ['followed.json', 'trusted.json']);
    return readFileSync(`${path}/trusted.json`, 'utf8');
  }

  /** The state of the edge once it has come to follow `revision`. */
  async function followed(): Promise<void> {
    await until(async () => {
      const { status } = (await site.bootswarm('edge', 'show', 'edge1')) as Edge;
      return status?.revision === rules.revision;
    }, 'the demand is looked at');
  }

  test('serves machines the metadata and manifests that it verified, and nothing else', async () => {
    for (const [name, held] of repository.files) {
      const isCurrent = !/^1\.(targets|snapshot)/.test(name);
      assert.deepEqual(
        await get(`/trust/${name}`),
        isCurrent ? { status: 200, text: held } : { status: 404, text: 'not found\n' },
        name,
      );
    }
    const { status, text } = await get(`/trust/releases/${releaseId(release(1))}.json`);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), release(1));
    for (const path of ['followed.json', '../state/data.mdb', '%2e%2e/trusted.json', ''])
      assert.equal((await get(`/trust/${path}`)).status, 404, path);
  });

  test('takes no release that the operator did not sign, says so, and goes on with what it had', async () => {
    const trust = keptTrust();
    demand({ releases: [release(1), release(2)], machines: machinesOn(release(2)) });
    await followed();
    assert.equal(await isHeld(release(2)), false);
    assert.equal(await isHeld(release(1)), true);
    assert.match(await script(), /does not know interop\/2\/amd64 yet/);
    const reason = 'interop/2/amd64 is not followed: it is not in the signed targets';
    assert.deepEqual(await waitingReasons(), [reason, reason, reason]);
    await until(async () => {
      const { BOOTSWARM_URL: url = '', BOOTSWARM_TOKEN: token = '' } = site.env;
      const authorization = `authorization: Bearer ${token}`;
      const { stdout } = await lab.core.run(['curl', '-s', '-H', authorization, `${url}/v1/alarms`]);
      const alarms = JSON.parse(stdout) as readonly EdgeRecord[];
      return alarms.some(({ cause, detail }) => cause === 'release_untrusted' && detail.includes(reason));
    }, 'the alarm reaches the controller');
    assert.equal(keptTrust(), trust);
    demand({ releases: [release(1)], machines: machinesOn(release(1)) });
    await until(() => isServed(release(1)), 'release 1 again');
  });

  test(`takes no manifest in which anything was changed (SEED=${SEED})`, async () => {
    const chance = randomFrom(SEED);
    for (let turn = 0; turn < 4; turn++) {
      const changed = Array.from({ length: 25 }, () => spoilt(release(1), chance));
      demand({ releases: changed });
      await followed();
      const waiting = await waitingReasons();
      // For each file of each of them.
      assert.equal(waiting.length, 75, JSON.stringify(changed));
      for (const reason of waiting)
        assert.match(reason, /not the one that was signed|not in the signed targets/);
    }
    demand({ releases: [release(1)] });
    await until(() => isServed(release(1)), 'release 1 again');
  });

  test('takes no file of which one bit was changed on its way, whichever', async () => {
    demand({ releases: [release(1)] });
    repository.publish({ add: [releaseTarget(release(3))] });
    serveMetadata();
    demand({ releases: [release(1), release(3)], machines: machinesOn(release(3)) }, { flips: true });
    await followed();
    // Three files, tried again every five seconds: 12 changed bits.
    await sleep(17_000);
    assert.equal(await isHeld(release(3)), false);
    // Named, and not here: to be asked for again, and nothing of it is sent.
    for (const { sha256, name } of release(3).artefacts) {
      const { status, text } = await get(`/artefacts/${sha256}/${name}`);
      assert.equal(status, 503, name);
      assert.ok(text.length < 200, text);
    }
    assert.match((await waitingReasons()).join(), /wrong SHA-256/);
    demand({}, { flips: false });
    await until(() => isServed(release(3)), 'release 3, sent as it is');
    demand({ releases: [release(1)], machines: machinesOn(release(1)) });
    await until(() => isServed(release(1)), 'release 1 again');
  });

  type Spoil = (old: ReadonlyMap<string, unknown>) => void;
  const stolen: Readonly<Record<string, readonly [why: RegExp, spoil: Spoil]>> = {
    'rolled back': [
      /is less than current version/,
      (old) => {
        for (const [name, held] of old) repository.files.set(name, held as string);
      },
    ],
    expired: [
      /timestamp.json is expired/,
      () => {
        const { snapshot, timestamp, keys } = repository;
        repository.timestamp = makeTimestamp(timestamp, snapshot, keys.timestamp, LONG_AGO);
        repository.serve();
      },
    ],
    'mixed from two versions': [
      /[Ee]xpected (length|hash)|[Ll]ength|[Hh]ash/,
      () => {
        const other = new FakeRepository(repository.keys);
        for (let times = 0; times < 12; times++) other.publish({ add: [releaseTarget(release(2))] });
        for (const [name, held] of other.files)
          if (name.endsWith('.targets.json')) repository.files.set(name, held);
      },
    ],
    oversized: [
      /timestamp.json is longer than/,
      () => {
        repository.files.set('timestamp.json', `${repository.timestamp}${' '.repeat(20_000)}`);
      },
    ],
    endless: [
      /timestamp.json is longer than/,
      () => {
        repository.files.set('timestamp.json', new Uint8Array());
      },
    ],
    'signed with the stolen online keys': [
      /targets was signed by 0\/1 keys/,
      () => {
        repository.targets = withTargets(
          repository.targets,
          { add: [releaseTarget(release(2))] },
          repository.keys.snapshot,
        );
        repository.resign();
      },
    ],
    "given a root of the thief's": [
      /root was signed by 0\/1 keys/,
      () => {
        const keys = repository.keys;
        const thief = makeKeys();
        repository.keys = { ...keys, root: thief.root };
        repository.rotate({ targets: thief.targets });
        repository.publish({ add: [releaseTarget(release(2))] });
        repository.keys = keys;
      },
    ],
  };
  for (const [name, [why, spoil]] of Object.entries(stolen))
    test(`takes no metadata that is ${name}, keeps nothing of it, and serves what it had`, async () => {
      const [before, trust, refused] = [new Map(repository.files), keptTrust(), refusals(why)];
      const { root, targets, snapshot, timestamp } = repository;
      // Something is new as well, so that the edge has to look.
      repository.publish({ add: [releaseTarget({ ...release(2), version: `2-${name.length}` })] });
      spoil(oldest());
      serveMetadata();
      demand({ releases: [release(1), release(2)], machines: machinesOn(release(2)) });
      await followed();
      assert.equal(await isHeld(release(2)), false);
      assert.equal(await isHeld(release(1)), true);
      assert.ok((await waitingReasons()).length > 0);
      assert.equal(keptTrust(), trust, 'the stored trust is unchanged');
      assert.ok(refusals(why) > refused, `refused because of ${why}`);

      Object.assign(repository, { root, targets, snapshot, timestamp });
      repository.files.clear();
      for (const [file, held] of before) repository.files.set(file, held);
      serveMetadata();
      demand({ releases: [release(1)], machines: machinesOn(release(1)) });
      await until(() => isServed(release(1)), 'release 1 again');
    });

  /** How often the edge has told that it refused metadata for a reason. */
  function refusals(why: RegExp): number {
    const told = edge.output.text
      .split('\n')
      .filter((line) => line.includes('trust metadata was not renewed'));
    return told.filter((line) => line.search(why) >= 0).length;
  }

  /** As it stood before anything was published. */
  function oldest(): ReadonlyMap<string, unknown> {
    const old = new FakeRepository(repository.keys);
    return new Map([...old.files].filter(([name]) => name === 'timestamp.json'));
  }

  test('follows a channel where it was signed to point, and not where it is said to', async () => {
    const pointer = (version: string): ChannelPointer => ({
      format: 1,
      name: 'interop',
      channel: 'stable',
      architecture: 'amd64',
      version,
      movedAt: '2026-03-02T08:00:00.000Z',
    });
    const follower = [
      { id: 'm-1', macs: [machine.mac], intent: { kind: 'live', release: 'interop/@stable/amd64' } },
    ];
    repository.publish({ add: [releaseTarget(release(3)), channelTarget(pointer('1'))] });
    serveMetadata();
    demand({ releases: [release(1)], channels: [pointer('1')], machines: follower });
    await until(() => isServed(release(1)), 'the channel is followed');

    // Both releases are signed, the move is not; and the manifest of where it stands is no longer sent.
    demand({ releases: [release(3)], channels: [pointer('3')] });
    await followed();
    assert.equal(await isServed(release(1)), true);

    await edge.kill9();
    edge = await startEdge();
    assert.equal(await isServed(release(1)), true, 'also after a restart');

    repository.publish({ add: [channelTarget(pointer('3'))] });
    serveMetadata();
    demand({});
    await until(() => isServed(release(3)), 'once it is signed');
  });

  test('follows the operator to other keys, and nobody who has the old ones', async () => {
    const old = repository.keys;
    repository.rotate({ root: makeSigningKey(), targets: makeSigningKey() });
    repository.publish({ add: [releaseTarget(release(2))] });
    serveMetadata();
    demand({ releases: [release(2)], channels: [], machines: machinesOn(release(2)) });
    await until(() => isServed(release(2)), 'signed with the new key');
    const trust = keptTrust();
    repository.targets = withTargets(
      repository.targets,
      { remove: [releaseTarget(release(2)).path] },
      old.targets,
    );
    repository.resign();
    serveMetadata();
    demand({});
    await followed();
    assert.equal(keptTrust(), trust);
    assert.equal(await isServed(release(2)), true);
  });
});
