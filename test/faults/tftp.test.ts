import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Answer, Order } from './tftp-client.ts';
import { escapesTo } from './tftp-escapes.ts';

const SUBNET = '10.101.0.0/16';
/** Addresses of machines that are none: all of them lead to one host. */
const SPOOFED = { subnet: '10.101.16.0/20', prefixes: ['10.101.16', '10.101.17', '10.101.18', '10.101.19'] };
const REQUESTS = 10_000;
const TRANSFERS_MOST = 2000;
/** Silence earns nothing again where an address has more transfers than that. */
const UNHEARD_MOST = 32;
/** Nor where all have more. A flood that takes half a minute is too slow to have so many. */
const UNHEARD_OF_ALL_MOST = 256;
/** Of what else the edge sends meanwhile: ARP, and the file to who is real. */
const OTHER_BYTES = 100_000;
/** Of the Ethernet, IPv4 and UDP headers. */
const HEADER_BYTES = 42;
const FIRST_BLOCK_BYTES = 516 + HEADER_BYTES;
/** An unheard client's transfer is given up 7 s after its request. */
const GIVEN_UP_MS = 9000;

describe('faults of TFTP', { timeout: 600_000 }, () => {
  let lab: Lab;
  let segment: Segment;
  let edge: Process;
  let attacker: Host;
  let server: string;
  let firmware: string;
  let secret: string;
  const small = randomBytes(12_345);

  before(async () => {
    lab = await Lab.create('faults-tftp');
    segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
    server = segment.edgeAddress;
    firmware = join(lab.folder, 'firmware');
    mkdirSync(firmware);
    writeFileSync(join(firmware, 'small.bin'), small);
    secret = join(lab.folder, 'secret');
    writeFileSync(secret, 'SECRET-OF-THE-HOST');
    const site = await Site.start(lab);
    // Options of the edge may follow the names of its interfaces.
    edge = await site.addEdge('edge1', segment.coreInterface ?? '', '--firmware', firmware);
    await site.bootswarm(
      ...['segment', 'add', 'seg1', '--subnet', SUBNET, '--router', segment.gateway, '--edge', 'edge1'],
      ...['--pool', '10.101.1.1-10.101.1.99'],
    );
    await edge.waitForLine(/"segments":1,.*following a new desired state/, 20_000);
    attacker = await segment.addHost('attacker', { address: segment.subnet.address(2) });
    await attacker.ip(`route add local ${SPOOFED.subnet} dev lo`);
    await lab.core.ip(`route add ${SPOOFED.subnet} via ${segment.subnet.address(2)}`);
  });

  after(() => lab[Symbol.asyncDispose]());

  const client = async (order: Order): Promise<string> => {
    const { code, stdout, stderr } = await attacker.run(program('test/faults/tftp-client.ts'), {
      input: JSON.stringify(order),
      timeoutMs: 120_000,
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const answers = async (opcode: 'rrq' | 'wrq', files: readonly string[]): Promise<readonly Answer[]> => {
    const lines = (await client({ kind: 'answers', server, opcode, files })).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Answer);
  };
  const descriptors = (): number => readdirSync(`/proc/${edge.pid}/fd`).length;
  const sentBytes = async (): Promise<number> => {
    const argv = ['ip', '-s', '-j', 'link', 'show', 'dev', segment.coreInterface ?? ''];
    const { stdout } = await lab.core.run(argv);
    return (JSON.parse(stdout) as [{ stats64: { tx: { bytes: number } } }])[0].stats64.tx.bytes;
  };
  const fetchSmall = async (host: Host, from: string): Promise<void> => {
    const into = join(lab.folder, `fetched-${host.label}`);
    const argv = ['tftp', '-4', '-m', 'octet', from, '-c', 'get', 'small.bin', into];
    const { code, stderr } = await host.run(argv);
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(into).equals(small));
  };

  test('10: no name leaves the tree, by TFTP', async () => {
    // A link that appears after the start leads nowhere either: the tree was read once.
    symlinkSync(secret, join(firmware, 'link.efi'));
    const escapes = [
      ...escapesTo([secret, join(lab.folder, 'edge1/state/data.mdb')]),
      'link.efi',
      `${firmware}/small.bin`,
    ];
    assert.ok(new Set(escapes).size >= 500);
    const came = await answers('rrq', escapes);
    assert.equal(came.length, escapes.length);
    for (const { file, answer } of came) assert.equal(answer, 'error 1', JSON.stringify(file));
    // The corpus is not refused for want of a server.
    assert.deepEqual(await answers('rrq', ['small.bin']), [{ file: 'small.bin', answer: 'data' }]);
  });

  test('10: no path leaves the tree, by HTTP', async () => {
    const paths = escapesTo([secret]).filter((path) => /^[\x21-\x7e]+$/.test(path));
    const config = join(lab.folder, 'paths');
    writeFileSync(
      config,
      paths
        .map((path) => {
          const url = `http://${server}:8480/${path.replace(/^\//, '')}`.replaceAll('\\', '\\\\');
          return `url = "${url}"\noutput = "${lab.folder}/came"\nwrite-out = "%{http_code}\\n"\n`;
        })
        .join('next\n'),
    );
    const { stdout } = await attacker.run(['curl', '-sS', '--path-as-is', '--globoff', '--config', config], {
      timeoutMs: 120_000,
    });
    const codes = stdout.trim().split('\n');
    assert.ok(codes.length >= 500, `${codes.length} answers`);
    for (const [index, code] of codes.entries()) assert.match(code, /^40[04]$/, paths[index]);
  });

  test('11: every request to write is refused', async () => {
    const files = ['small.bin', 'snponly.efi', 'new.efi', '../etc/passwd', 'pxelinux.cfg/default', secret];
    for (const { file, answer } of await answers('wrq', files)) assert.equal(answer, 'error 2', file);
    assert.deepEqual(readdirSync(firmware).toSorted(), ['link.efi', 'small.bin']);
    await fetchSmall(attacker, server);
  });

  const floods = [
    {
      what: 'without options, from a thousand addresses',
      options: {},
      sources: SPOOFED.prefixes,
      // The first block is owed to whoever asks (RFC 1350); silence earns it twice more, where few are silent.
      mostBytes: (REQUESTS + 2 * UNHEARD_OF_ALL_MOST) * FIRST_BLOCK_BYTES,
    },
    {
      what: 'without options, in the name of 250',
      options: {},
      sources: SPOOFED.prefixes.slice(0, 1),
      mostBytes: (REQUESTS + 2 * UNHEARD_OF_ALL_MOST) * FIRST_BLOCK_BYTES,
    },
    {
      what: 'with options',
      options: { blksize: '1468', windowsize: '16', tsize: '0' },
      sources: SPOOFED.prefixes,
      // No amplification: an OACK holds what was asked, and is shorter than the request.
      mostBytes: (REQUESTS + 2 * UNHEARD_OF_ALL_MOST) * (60 + HEADER_BYTES),
    },
  ] as const;
  for (const { what, options, sources, mostBytes } of floods)
    test(`12: ${REQUESTS} spoofed requests ${what} cost bounded descriptors and bytes`, async () => {
      const [descriptorsBefore, bytesBefore] = [descriptors(), await sentBytes()];
      const order = {
        kind: 'flood',
        server,
        file: 'small.bin',
        options,
        sources,
        requests: REQUESTS,
      } as const;
      let most = 0;
      const watching = new AbortController();
      const watch = (async () => {
        for (; !watching.signal.aborted; await sleep(50)) most = Math.max(most, descriptors());
      })();
      const flood = client(order);
      await sleep(1000);
      // Amid it, who is real gets its file.
      await fetchSmall(attacker, server);
      const { bytes } = JSON.parse(await flood) as { bytes: number };
      await sleep(GIVEN_UP_MS);
      watching.abort();
      await watch;
      const sent = (await sentBytes()) - bytesBefore;
      assert.ok(most - descriptorsBefore <= TRANSFERS_MOST + 50, `${most - descriptorsBefore} descriptors`);
      assert.ok(most - descriptorsBefore > 100, 'the flood never came');
      assert.ok(sent <= mostBytes + OTHER_BYTES, `${sent} bytes for ${bytes}, at most ${mostBytes}`);
      assert.ok(Math.abs(descriptors() - descriptorsBefore) < 20, 'descriptors were left behind');
    });

  test('12: one address in whose name thousands ask gets hardly a packet twice', async () => {
    const [victim] = SPOOFED.prefixes;
    const before = await sentBytes();
    const requests = TRANSFERS_MOST / 2;
    const script = `const { createSocket } = require('node:dgram');
      const packet = Buffer.from('\\0\\x01small.bin\\0octet\\0', 'latin1');
      (async () => { for (let n = 0; n < ${requests}; n++) await new Promise((done) => {
        const socket = createSocket('udp4');
        socket.bind(0, '${victim}.1', () => socket.send(packet, 69, '${server}', () => { socket.close(); done(); }));
      }); })();`;
    const { code, stderr } = await attacker.run([process.execPath, '-e', script]);
    assert.equal(code, 0, stderr);
    await sleep(GIVEN_UP_MS);
    const sent = (await sentBytes()) - before;
    const mostBytes = (requests + 3 * UNHEARD_MOST) * FIRST_BLOCK_BYTES + OTHER_BYTES / 10;
    assert.ok(sent <= mostBytes, `${sent} bytes for ${requests} requests`);
    assert.ok(sent >= requests * 0.9 * FIRST_BLOCK_BYTES, 'the requests never came');
  });

  test('13: through loss, doubles and disorder every client gets every byte', async () => {
    const weatherAddress = segment.subnet.address(3);
    const weather = await segment.addHost('weather', { address: weatherAddress });
    const proxy = await weather.start(program('test/faults/tftp-weather.ts', server, '20260101'), {
      name: 'weather',
    });
    await proxy.waitForLine(/weather is up/, 10_000);
    const into = (name: string): string => join(lab.folder, `weather-${name}`);
    const clients: Readonly<Record<string, readonly string[]>> = {
      'tftp-hpa': ['tftp', '-4', '-m', 'octet', weatherAddress, '-c', 'get', 'small.bin', into('tftp-hpa')],
      // Left to its own timeout: it gives up after a few of them, and the server's come first.
      atftp: ['atftp', '--get', '-r', 'small.bin', '-l', into('atftp'), weatherAddress],
      busybox: [
        ...['busybox', 'tftp', '-g', '-b', '1024', '-l', into('busybox'), '-r', 'small.bin', weatherAddress],
      ],
      curl: [
        ...['curl', '-sS', '-m', '170', '--tftp-no-options', '-o', into('curl')],
        `tftp://${weatherAddress}/small.bin`,
      ],
    };
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    await Promise.all(
      Object.entries(clients).map(async ([name, argv]) => {
        const { code, stderr, stdout } = await attacker.run(argv, { timeoutMs: 180_000 });
        assert.equal(code, 0, `${name}: ${stderr}${stdout}`);
        assert.equal(hash(readFileSync(into(name))), hash(small), name);
      }),
    );
  });
});
