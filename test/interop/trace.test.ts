import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BootCause, BootTrace } from '@bootswarm/controller/contract';
import { digestOf, type Manifest, releaseId } from '@bootswarm/images/format';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';

const WAIT_MS = 20_000;
const HTTP_PORT = 8480;
/** Silence is told from patience after so long: the kernel's is the longest here. */
const SILENCE_MS = 62_000;

/** Options of udhcpc that make it speak as firmware of an architecture does (option 93), and as iPXE (77 and 175). */
const romOf = (architecture: string): readonly string[] => [
  ...['-V', `PXEClient:Arch:${architecture}:UNDI:002001`],
  ...['-x', `0x5d:${Number(architecture).toString(16).padStart(4, '0')}`, '-x', '0x5e:010201'],
];
const BIOS = romOf('00000');
const IPXE = [...BIOS, '-x', '0x4d:69505845', '-x', '0xaf:130101'];

interface Planted {
  readonly name: string;
  readonly stage: string;
  readonly cause: BootCause;
  /** Makes a machine fail, and gives its MAC. */
  readonly plant: () => Promise<string>;
}

describe('bootswarm trace', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  let edge: Process;
  let segment: Segment;
  let [poolless, unknown, tiny]: Segment[] = [];
  let good = '';
  let corrupt: Manifest | undefined;

  /** MACs that the policy is about. */
  const refused = '52:54:00:7a:00:01';
  const misnamed = '52:54:00:7a:00:02';

  before(async () => {
    lab = await Lab.create('trace');
    segment = await lab.addSegment({ relay: 'dhcrelay' });
    [poolless, unknown, tiny] = [
      await lab.addSegment({ relay: 'dhcrelay' }),
      await lab.addSegment({ relay: 'dhcrelay' }),
      await lab.addSegment({ relay: 'dhcrelay' }),
    ];
    site = await Site.start(lab);
    edge = await site.addEdge('edge1', lab.core.bridge);
    await put('/v1/dhcp-policy', {
      classes: [
        { name: 'stolen', match: { macs: [refused] }, refuse: 'it was reported stolen' },
        { name: 'odd-model', match: { macs: [misnamed] }, firmware: { bios: 'nowhere.kpxe' } },
      ],
    });
    await put('/v1/segments/seg1', { ...bodyOf(segment, 'seg1'), pools: [poolOf(segment, 100, 199)] });
    await put('/v1/segments/poolless', { ...bodyOf(poolless, 'poolless'), pools: [] });
    await put('/v1/segments/tiny', { ...bodyOf(tiny, 'tiny'), pools: [poolOf(tiny, 100, 100)] });
    await edge.waitForLine(/"segments":3,.*following a new desired state/, WAIT_MS);

    good = releaseId(await publish('good'));
    corrupt = await publish('corrupt');
  });

  after(() => lab[Symbol.asyncDispose]());

  const failures: readonly Planted[] = [
    {
      name: 'no pool',
      stage: 'discover',
      cause: 'pool_none',
      plant: async () => asksInVain(await poolless?.addHost('machine'), BIOS),
    },
    {
      name: 'wrong giaddr',
      stage: 'discover',
      cause: 'segment_unknown',
      plant: async () => asksInVain(await unknown?.addHost('machine'), BIOS),
    },
    {
      name: 'missing firmware',
      stage: 'lease',
      cause: 'firmware_missing',
      plant: async () => {
        const host = await segment.addHost('misnamed', { mac: misnamed });
        await lease(host, segment, BIOS);
        return host.mac;
      },
    },
    {
      name: 'blocked TFTP',
      stage: 'firmware',
      cause: 'firmware_not_fetched',
      plant: async () => {
        const host = await segment.addHost('blocked');
        const address = await lease(host, segment, BIOS);
        const rule = `table ip blocked { chain way { type filter hook forward priority 0; ip saddr ${address} udp dport 69 drop; }; }`;
        assert.equal((await segment.router?.run(['nft', rule]))?.code, 0);
        const fetched = await host.run([
          ...['curl', '-sS', '-m', '3', '-o', '/dev/null', `tftp://${segment.edgeAddress}/undionly.kpxe`],
        ]);
        assert.notEqual(fetched.code, 0, 'the firewall blocks');
        return host.mac;
      },
    },
    {
      name: 'corrupt artefact',
      stage: 'script',
      cause: 'artefact_corrupt',
      plant: async () => {
        assert.ok(corrupt);
        const root = corrupt.artefacts.find(({ role }) => role === 'root');
        const path = `${lab.folder}/controller/artefacts/whole/${root?.sha256}`;
        const bytes = readFileSync(path);
        bytes[1000] = (bytes[1000] ?? 0) ^ 1;
        writeFileSync(path, bytes);
        const host = await segment.addHost('corrupt');
        await site.bootswarm('machine', 'boot', host.mac, 'live', releaseId(corrupt));
        await edge.waitForLine(/artefact not fetched/, WAIT_MS);
        await lease(host, segment, IPXE);
        await fetchScript(host);
        return host.mac;
      },
    },
    {
      name: 'unknown architecture',
      stage: 'lease',
      cause: 'architecture_unknown',
      plant: async () => {
        const host = await segment.addHost('alien');
        await lease(host, segment, romOf('00255'));
        return host.mac;
      },
    },
    {
      name: 'exhausted pool',
      stage: 'discover',
      cause: 'pool_exhausted',
      plant: async () => {
        assert.ok(tiny);
        await lease(await tiny.addHost('first'), tiny, BIOS);
        return asksInVain(await tiny.addHost('second'), BIOS);
      },
    },
    {
      name: 'refused by policy',
      stage: 'discover',
      cause: 'policy_refused',
      plant: async () => asksInVain(await segment.addHost('refused', { mac: refused }), BIOS),
    },
    {
      name: 'script not fetched',
      stage: 'script',
      cause: 'script_not_fetched',
      plant: async () => {
        const host = await segment.addHost('scriptless');
        await lease(host, segment, BIOS);
        const fetched = await host.run([
          ...['curl', '-fsS', '-m', '10', '-o', '/dev/null', `tftp://${segment.edgeAddress}/undionly.kpxe`],
        ]);
        assert.equal(fetched.code, 0, fetched.stderr);
        await lease(host, segment, IPXE);
        return host.mac;
      },
    },
    {
      name: 'kernel not fetched',
      stage: 'kernel',
      cause: 'kernel_not_fetched',
      plant: async () => {
        const host = await segment.addHost('kernelless');
        await site.bootswarm('machine', 'boot', host.mac, 'live', good);
        await site.releaseReady(good);
        await lease(host, segment, IPXE);
        assert.match(await fetchScript(host), /kernel --name kernel/);
        return host.mac;
      },
    },
  ];

  test('names the cause in ten planted failures', async (t) => {
    const machines = new Map<string, string>();
    for (const { name, plant } of failures) machines.set(name, await plant());
    await sleep(SILENCE_MS);
    for (const { name, stage, cause } of failures)
      await t.test(name, async () => {
        const mac = machines.get(name) ?? '';
        const { code, trace, text } = await traced(mac);
        assert.deepEqual([trace.verdict?.stoppedAt, trace.verdict?.cause, code], [stage, cause, 3], text);
        assert.match(
          text,
          new RegExp(`^Stopped at ${stage}: .*\\(${cause}\\)\nWhat to do: .+\nSeen: .+`, 'm'),
        );
      });
  });

  test('follows a machine until it boots', async () => {
    const host = await segment.addHost('followed');
    const argv = program('controller/cli/main.ts', '--json', 'trace', host.mac, '--follow');
    const follow = await lab.core.start(argv, { name: 'trace', env: site.env });
    await follow.waitForLine(/dhcp_unheard/, WAIT_MS);
    await lease(host, segment, IPXE);
    await follow.waitForLine(/"stage":"lease"/, WAIT_MS);
    await fetchScript(host);
    await follow.waitForLine(/"outcome":"booted"/, WAIT_MS);
    assert.equal((await follow.exit).code, 0);
  });

  test('of a refusal that is repeated tells how often', async () => {
    // The edge writes how often once a minute; the planted failure was asked for more than that ago.
    const { trace, text } = await traced(refused);
    const repeats = trace.stages.filter(({ times }) => times !== undefined);
    assert.ok(repeats.length > 0 && repeats.length < trace.stages.length, text);
  });

  async function traced(
    mac: string,
  ): Promise<{ readonly code: number | null; readonly trace: BootTrace; readonly text: string }> {
    const { env } = site;
    const json = await lab.core.run(program('controller/cli/main.ts', '--json', 'trace', mac), { env });
    assert.equal(json.stderr, '');
    const human = await lab.core.run(program('controller/cli/main.ts', 'trace', mac), { env });
    return { code: json.code, trace: JSON.parse(json.stdout) as BootTrace, text: human.stdout };
  }

  async function fetchScript(host: Host): Promise<string> {
    const url = `http://${segment.edgeAddress}:${HTTP_PORT}/boot.ipxe?mac=${host.mac}`;
    const { code, stdout, stderr } = await host.run(['curl', '-fsS', '-m', '10', url]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** As an operator's program would. */
  async function put(path: string, body: unknown): Promise<void> {
    const { BOOTSWARM_URL = '', BOOTSWARM_TOKEN = '' } = site.env;
    const { code, stdout } = await lab.core.run([
      ...['curl', '-sS', '--fail-with-body', '-X', 'PUT', '-H', 'content-type: application/json'],
      ...['-H', `authorization: Bearer ${BOOTSWARM_TOKEN}`, '--data', JSON.stringify(body)],
      BOOTSWARM_URL + path,
    ]);
    assert.equal(code, 0, stdout);
  }

  /** Publishes a release with small files. */
  async function publish(name: string): Promise<Manifest> {
    const folder = `${lab.folder}/build-${name}`;
    mkdirSync(folder);
    const artefacts: Manifest['artefacts'] = [];
    for (const role of ['kernel', 'initramfs', 'root'] as const) {
      const bytes = Buffer.alloc(50_000, `${role} of ${name}. `);
      writeFileSync(`${folder}/${role}`, bytes);
      const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]));
      artefacts.push({ role, name: role, ...digest, pieces: [...pieces] });
    }
    const manifest: Manifest = {
      format: 1,
      name,
      version: '1',
      architecture: 'amd64',
      bootStyle: 'live-boot',
      kernelArguments: [],
      artefacts,
    };
    writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
    await site.publish(folder);
    return manifest;
  }
});

function bodyOf(segment: Segment | undefined, name: string): Record<string, unknown> {
  return {
    name,
    subnet: segment?.subnet.cidr,
    router: segment?.gateway,
    edges: ['edge1'],
    checkConflicts: false,
  };
}

function poolOf(segment: Segment | undefined, first: number, last: number): Record<string, unknown> {
  return { first: segment?.subnet.address(first), last: segment?.subnet.address(last) };
}

/** Leases an address as `options` say, and takes it. */
async function lease(host: Host, segment: Segment, options: readonly string[]): Promise<string> {
  const { stderr } = await host.run([...udhcpc(host), '-t', '5', ...options]);
  const address = /lease of (\S+) obtained/.exec(stderr)?.[1];
  assert.ok(address, stderr);
  await host.ip(
    `address replace ${address}/${segment.subnet.prefixLength} dev ${host.interface}`,
    `route replace default via ${segment.gateway}`,
  );
  return address;
}

/** Asks several times for an address that it does not get. */
async function asksInVain(host: Host | undefined, options: readonly string[]): Promise<string> {
  assert.ok(host);
  const { code, stderr } = await host.run([...udhcpc(host), '-t', '3', ...options]);
  assert.notEqual(code, 0, stderr);
  return host.mac;
}

function udhcpc(host: Host): readonly string[] {
  return ['udhcpc', '-f', '-q', '-n', '-i', host.interface, '-s', '/bin/true', '-T', '1'];
}
