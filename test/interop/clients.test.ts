import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  type DhcpPacket,
  decode,
  domainName,
  encode,
  formatMac,
  messageType,
  relayAgent,
} from '@bootswarm/edge-node/dhcp4';
import { readPcap, requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { digestOf, type Manifest } from '@bootswarm/images/format';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';

const FIRMWARE = '/usr/lib/ipxe/undionly.kpxe';
const WAIT_MS = 10_000;
/** Renewed at half of it. */
const LEASE_SECONDS = 60;
const HTTP_PORT = 8480;

describe('clients that we did not write', { timeout: 180_000 }, () => {
  let lab: Lab;
  let site: Site;
  let edge: Process;
  let relayed: Segment;
  let direct: Segment;
  let segments: Readonly<Record<'relayed' | 'direct', Segment>>;

  before(async () => {
    // What the edge decided is read in its log.
    process.env['BOOTSWARM_LOG_LEVEL'] = 'debug';
    lab = await Lab.create('clients');
    relayed = await lab.addSegment({ relay: 'dhcrelay' });
    direct = await lab.addSegment({ relay: 'none' });
    segments = { relayed, direct };
    site = await Site.start(lab);
    edge = await site.addEdge('edge1', lab.core.bridge, direct.coreInterface ?? '');
    for (const { number, subnet, gateway } of [relayed, direct])
      await site.bootswarm(
        ...['segment', 'add', `seg${number}`, '--subnet', subnet.cidr, '--router', gateway],
        ...['--pool', `${subnet.address(100)}-${subnet.address(199)}`, '--edge', 'edge1'],
        ...['--lease-seconds', String(LEASE_SECONDS), '--domain', 'lab.example', '--dns', '10.66.0.53'],
      );
    await edge.waitForLine(/"segments":2,.*following a new desired state/, WAIT_MS);
  });

  after(() => lab[Symbol.asyncDispose]());

  /** Resolves when the edge has decided so about a machine. */
  const decided = (host: Host, reason: string): Promise<string> =>
    edge.waitForLine(new RegExp(`"mac":"${host.mac}".*"reason":"${reason}`), WAIT_MS);

  for (const kind of ['relayed', 'direct'] as const) {
    test(`udhcpc gets a lease, renews and releases it, ${kind}`, async () => {
      const segment = segments[kind];
      const host = await segment.addHost('udhcpc');
      const wanted = segment.subnet.address(150);
      const client = await host.start(
        ['udhcpc', '-f', '-i', host.interface, '-s', '/bin/true', '-r', wanted, '-t', '5', '-T', '1'],
        { name: 'udhcpc' },
      );
      await client.waitForLine(
        new RegExp(`lease of ${wanted} obtained.*, lease time ${LEASE_SECONDS}`),
        WAIT_MS,
      );
      await configure(host, segment, wanted);
      // A renewal goes past the relay, from address to address.
      await signal(client, 'SIGUSR1');
      await client.waitForLine(/sending renew to server/, WAIT_MS);
      await waitForTimes(client, /lease of .* obtained/g, 2);
      await signal(client, 'SIGUSR2');
      await decided(host, `released ${wanted}`);
      await client.stop();
    });

    test(`dhclient gets a lease, keeps it over INIT-REBOOT, and is told no for a wrong one, ${kind}`, async () => {
      const segment = segments[kind];
      const host = await segment.addHost('dhclient');
      const first = await dhclientOnce(host, undefined);
      const address = /DHCPACK of (\S+)/.exec(first)?.[1] ?? '';
      assert.notEqual(address, '', first);
      assert.match(first, /DHCPDISCOVER[\s\S]*DHCPOFFER of/);

      const again = await dhclientOnce(host, address);
      assert.match(again, new RegExp(`DHCPREQUEST for ${address}[\\s\\S]*DHCPACK of ${address}`));
      assert.doesNotMatch(again, /DHCPDISCOVER/);

      for (const wrong of [segment.subnet.address(77), '192.0.2.77']) {
        const corrected = await dhclientOnce(host, wrong);
        assert.match(
          corrected,
          new RegExp(`DHCPREQUEST for ${wrong.replaceAll('.', '\\.')}[\\s\\S]*DHCPNAK from`),
        );
        assert.match(corrected, new RegExp(`DHCPNAK from[\\s\\S]*DHCPACK of ${address}`));
      }

      await configure(host, segment, address);
      const released = await host.run(['dhclient', ...flags(host), '-r', host.interface]);
      assert.match(released.stderr, /DHCPRELEASE of/);
      await decided(host, `released ${address}`);
    });
  }

  test('dhclient renews when half of the lease is over, and keeps its address', async () => {
    const host = await relayed.addHost('renewer');
    const client = await host.start(['dhclient', '-d', ...flags(host), host.interface], { name: 'renewer' });
    const bound = await client.waitForLine(/bound to \S+ -- renewal in/, WAIT_MS);
    const address = /bound to (\S+)/.exec(bound)?.[1] ?? '';
    await configure(host, relayed, address);
    await client.waitForLine(
      new RegExp(`DHCPREQUEST for ${address} on ${host.interface} to 10\\.66\\.0\\.`),
      45_000,
    );
    await waitForTimes(client, new RegExp(`bound to ${address.replaceAll('.', '\\.')}`, 'g'), 2);
    await client.stop();
  });

  test('a relay that adds option 82 gets it back, and the client gets none', async () => {
    const tagged = await lab.addSegment({ relay: 'dhcrelay', relayFlags: ['-a', '-m', 'append'] });
    await site.addSegment(tagged, 'edge1');
    await edge.waitForLine(/"segments":3,.*following a new desired state/, WAIT_MS);
    const [upstream, downstream] = [
      await lab.core.capture(lab.core.bridge, 'upstream.pcap', 'udp port 67'),
      await tagged.capture(tagged.bridge, 'downstream.pcap', 'udp port 68'),
    ];
    const host = await tagged.addHost('tagged');
    const lease = await host.run([
      ...['udhcpc', '-f', '-q', '-n', '-i', host.interface, '-s', '/bin/true', '-t', '5', '-T', '1'],
    ]);
    assert.match(lease.stderr, /lease of 10\.66\.3\.\d+ obtained/);
    await Promise.all([upstream.stop('SIGINT'), downstream.stop('SIGINT')]);

    const above = packetsIn(`${lab.folder}/upstream.pcap`, host.mac);
    const circuits = above.map(({ op, options }) => {
      const circuit = relayAgent.read(options)?.circuitId;
      return `${op} ${circuit && Buffer.from(circuit).toString()}`;
    });
    assert.deepEqual(new Set(circuits), new Set(['request segment', 'reply segment']));
    const below = packetsIn(`${lab.folder}/downstream.pcap`, host.mac).filter(({ op }) => op === 'reply');
    assert.ok(below.length >= 2);
    for (const { options } of below) assert.equal(relayAgent.read(options), undefined);
  });

  test('an INFORM is answered at the address of who asks, through a relay and without', async () => {
    for (const segment of [relayed, direct]) {
      const address = segment.subnet.address(20);
      const host = await segment.addHost(`informed-${segment.number}`, { address });
      const answer = await inform(host, address);
      assert.equal(messageType.read(answer.options), 'ACK');
      assert.equal(answer.yiaddr, '0.0.0.0');
      assert.equal(domainName.read(answer.options), 'lab.example');
    }
  });

  test('TFTP: tftp-hpa reads octet and netascii, curl with blksize and tsize', async () => {
    const expected = readFileSync(FIRMWARE);
    for (const segment of [relayed, direct]) {
      const host = await segment.addHost('tftp', { address: segment.subnet.address(30) });
      const into = `${lab.folder}/${segment.label}`;
      const at = segment.edgeAddress;
      const fetches: readonly (readonly [file: string, argv: readonly string[], expected: Buffer])[] = [
        ['octet', ['tftp', '-4', '-m', 'octet', at, '-c', 'get', 'undionly.kpxe', `${into}-octet`], expected],
        ['curl', ['curl', '-sS', '-m', '20', '-o', `${into}-curl`, `tftp://${at}/undionly.kpxe`], expected],
        [
          'blksize',
          [
            ...'curl -sS -m 20 --tftp-blksize 1400 -o'.split(' '),
            `${into}-blksize`,
            `tftp://${at}/undionly.kpxe`,
          ],
          expected,
        ],
        [
          'plain',
          [
            ...'curl -sS -m 20 --tftp-no-options -o'.split(' '),
            `${into}-plain`,
            `tftp://${at}/undionly.kpxe`,
          ],
          expected,
        ],
      ];
      for (const [file, argv, bytes] of fetches) {
        const { code, stderr } = await host.run(argv);
        assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`);
        assert.ok(readFileSync(`${into}-${file}`).equals(bytes), `${file}: other bytes`);
      }
      const text = await host.run([
        'curl',
        '-sS',
        '-m',
        '20',
        '-o',
        `${into}-ascii`,
        `tftp://${at}/undionly.kpxe;mode=netascii`,
      ]);
      assert.equal(text.code, 0, text.stderr);
      assert.ok(readFileSync(`${into}-ascii`).equals(netasciiOf(expected)), 'netascii: other bytes');
      // tftp-hpa turns the line ends back, so that what it writes is the file again.
      const back = await host.run([
        'tftp',
        '-4',
        '-m',
        'ascii',
        at,
        '-c',
        'get',
        'undionly.kpxe',
        `${into}-back`,
      ]);
      assert.equal(back.code, 0, back.stderr);
      assert.ok(readFileSync(`${into}-back`).equals(expected), 'ascii: other bytes');
      const refused = await host.run([
        'tftp',
        '-4',
        '-m',
        'octet',
        at,
        '-c',
        'put',
        FIRMWARE,
        'undionly.kpxe',
      ]);
      assert.match(refused.stdout + refused.stderr, /read only|Access violation/i);
    }
  });

  test('TFTP: every byte arrives although 20 of 100 frames are lost', async () => {
    const host = await direct.addHost('lossy', { address: direct.subnet.address(31) });
    await using _ = await direct.impair({ lossPercent: 20, match: 'ip protocol udp' });
    const into = `${lab.folder}/lossy`;
    const { code, stderr } = await host.run(
      ['busybox', 'tftp', '-g', '-b', '1408', '-l', into, '-r', 'undionly.kpxe', direct.edgeAddress],
      { timeoutMs: 120_000 },
    );
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(into).equals(readFileSync(FIRMWARE)));
  });

  test('HTTP: curl reads the firmware whole, by HEAD, and scripts by the machine that asks', async () => {
    const host = await relayed.addHost('curl', { address: relayed.subnet.address(32) });
    const base = `http://${relayed.edgeAddress}:${HTTP_PORT}`;
    const into = `${lab.folder}/http`;
    const whole = await host.run(['curl', '-fsS', '-o', into, `${base}/firmware/undionly.kpxe`]);
    assert.equal(whole.code, 0, whole.stderr);
    assert.ok(readFileSync(into).equals(readFileSync(FIRMWARE)));
    const head = await host.run(['curl', '-fsSI', `${base}/firmware/undionly.kpxe`]);
    assert.match(head.stdout, new RegExp(`content-length: ${readFileSync(FIRMWARE).length}\r\n`, 'i'));
    const script = await host.run(['curl', '-fsS', `${base}/boot.ipxe?mac=${host.mac}`]);
    assert.match(script.stdout, /^#!ipxe\necho Bootswarm: booting from the local disk\n/);
    const lost = await host.run([
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `${base}/artefacts/x/y`,
    ]);
    assert.equal(lost.stdout, '404');
  });

  test('HTTP: curl reads a published artefact by ranges, and goes on where it broke off', async () => {
    const root = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 31 + (at >> 8)) % 256);
    const build = await writeBuild(`${lab.folder}/build`, root);
    const release = await site.publish(`${lab.folder}/build`);
    const host = await relayed.addHost('ranges', { address: relayed.subnet.address(33) });
    await site.bootswarm('machine', 'boot', host.mac, 'live', release);
    await site.releaseReady(release);
    const sha256 = build.artefacts.find(({ role }) => role === 'root')?.sha256;
    const url = `http://${relayed.edgeAddress}:${HTTP_PORT}/artefacts/${sha256}/root.squashfs`;

    for (const [range, from, to] of [
      ['0-0', 0, 1],
      ['1000-1999999', 1000, 2_000_000],
      ['2999990-', 2_999_990, 3_000_000],
      ['-5', 2_999_995, 3_000_000],
    ] as const) {
      const into = `${lab.folder}/range`;
      const { stdout } = await host.run(['curl', '-fsS', '-r', range, '-o', into, '-w', '%{http_code}', url]);
      assert.equal(stdout, '206', range);
      assert.ok(readFileSync(into).equals(root.subarray(from, to)), range);
    }
    const partial = `${lab.folder}/partial`;
    writeFileSync(partial, root.subarray(0, 1_234_567));
    const resumed = await host.run(['curl', '-fsS', '-C', '-', '-o', partial, url]);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.ok(readFileSync(partial).equals(root));
    const script = await host.run([
      ...['curl', '-fsS', `http://${relayed.edgeAddress}:${HTTP_PORT}/boot.ipxe?mac=${host.mac}`],
    ]);
    assert.ok(script.stdout.includes(url), script.stdout);
  });

  test('malformed datagrams are counted and dropped, and the edge serves on', async () => {
    const host = await relayed.addHost('attacker', { address: relayed.subnet.address(40) });
    const junk = `${lab.folder}/junk.js`;
    writeFileSync(
      junk,
      `const socket = require('node:dgram').createSocket('udp4');
       const { randomBytes, randomInt } = require('node:crypto');
       const cookie = Buffer.from('63825363', 'hex');
       socket.bind(0, async () => {
         for (let n = 0; n < 4000; n++) {
           const bytes = randomBytes(randomInt(700));
           if (n % 2 && bytes.length > 240) { bytes[0] = 1; bytes[1] = 1; bytes[2] = 6; cookie.copy(bytes, 236); }
           socket.send(bytes, n % 4 < 3 ? 67 : 69, '${relayed.edgeAddress}');
           if (n % 20 === 0) await new Promise((r) => setTimeout(r, 2));
         }
         socket.close();
       });`,
    );
    assert.equal((await host.run([process.execPath, junk])).code, 0);
    const health = await host.run(['curl', '-fsS', `http://${relayed.edgeAddress}:${HTTP_PORT}/healthz`]);
    const { counters } = JSON.parse(health.stdout) as { counters: Record<string, number> };
    const malformed = Object.entries(counters).filter(([name]) => / malformed: /.test(name));
    assert.ok(malformed.reduce((sum, [, count]) => sum + count, 0) > 1500, health.stdout);
    for (const kind of ['dhcp', 'tftp'])
      assert.ok(
        malformed.some(([name]) => name.startsWith(kind)),
        health.stdout,
      );

    const client = await relayed.addHost('afterwards');
    const lease = await client.run([
      ...['udhcpc', '-f', '-q', '-n', '-i', client.interface, '-s', '/bin/true', '-t', '5', '-T', '1'],
    ]);
    assert.match(lease.stderr, /lease of \S+ obtained/);
  });

  test('a second edge on the same interface is refused, and says why', async () => {
    const argv = [
      '--controller',
      'http://127.0.0.1:1',
      '--data',
      `${lab.folder}/second`,
      '--http-port',
      '8481',
    ];
    const second = await lab.core.run(
      program('edge-node/service/main.ts', ...argv, '--interface', lab.core.bridge),
    );
    assert.equal(second.code, 1);
    assert.match(second.stdout, /UDP port (67|69) is in use on/);
  });

  test('the controller killed, clients are served as before', async () => {
    await site.controller.kill9();
    for (const segment of [relayed, direct]) {
      const host = await segment.addHost('orphan');
      const lease = await host.run([
        ...['udhcpc', '-f', '-q', '-n', '-i', host.interface, '-s', '/bin/true', '-t', '5', '-T', '1'],
      ]);
      assert.match(lease.stderr, /lease of \S+ obtained/);
    }
  });

  /** dhclient's flags: nothing on this host is rewritten, and nothing of another client is read. */
  function flags(host: Host): readonly string[] {
    const files = `${lab.folder}/${host.label}`;
    return ['-4', '-v', '-sf', '/bin/true', '-lf', `${files}.leases`, '-pf', `${files}.pid`];
  }

  /** Broadcasts an INFORM, as no client at hand does, and gives back what comes to port 68. */
  async function inform(host: Host, address: string): Promise<DhcpPacket> {
    const request = encode(
      requestWith({
        ciaddr: address,
        chaddr: Uint8Array.from(host.mac.split(':'), (byte) => Number.parseInt(byte, 16)),
        options: new Map([messageType.write('INFORM')]),
      }),
    );
    const script = `const socket = require('node:dgram').createSocket('udp4');
      socket.on('message', (bytes) => { console.log(bytes.toString('hex')); process.exit(); });
      setTimeout(() => process.exit(1), 5000);
      socket.bind(68, '${address}', () => {
        socket.setBroadcast(true);
        socket.send(Buffer.from('${Buffer.from(request).toString('hex')}', 'hex'), 67, '255.255.255.255');
      });`;
    const { stdout } = await host.run([process.execPath, '-e', script]);
    const decoded = decode(Buffer.from(stdout.trim(), 'hex'));
    assert.ok(decoded.ok, 'no answer came');
    return decoded.packet;
  }

  /** Runs dhclient until it is bound. With `address` it believes to hold that already: INIT-REBOOT. */
  async function dhclientOnce(host: Host, address: string | undefined): Promise<string> {
    const lease = [
      `interface "${host.interface}"`,
      `fixed-address ${address}`,
      'option subnet-mask 255.255.255.0',
      'option dhcp-lease-time 86400',
      'renew never',
      'rebind never',
      'expire never',
    ];
    const text = address === undefined ? '' : `lease {\n${lease.map((line) => `  ${line};\n`).join('')}}\n`;
    writeFileSync(`${lab.folder}/${host.label}.leases`, text);
    const client = await host.start(['dhclient', '-d', '-1', ...flags(host), host.interface], {
      name: 'dhclient',
    });
    await client.waitForLine(/^bound to/, 20_000);
    await client.stop();
    return client.output.text;
  }
});

/** A build folder as `bootswarm image publish` takes it, with small files. */
async function writeBuild(folder: string, root: Uint8Array): Promise<Manifest> {
  mkdirSync(folder);
  const files = [
    ['kernel', 'vmlinuz', new Uint8Array(Buffer.from('a kernel'))],
    ['initramfs', 'initrd.img', new Uint8Array(Buffer.from('an initramfs'))],
    ['root', 'root.squashfs', root],
  ] as const;
  const artefacts: Manifest['artefacts'] = [];
  for (const [role, name, bytes] of files) {
    writeFileSync(`${folder}/${name}`, bytes);
    const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]));
    artefacts.push({ role, name, ...digest, pieces: [...pieces] });
  }
  const manifest: Manifest = {
    format: 1,
    name: 'interop',
    version: '1',
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: ['boot=live'],
    artefacts,
  };
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  return manifest;
}

async function configure(host: Host, segment: Segment, address: string): Promise<void> {
  await host.ip(
    `address add ${address}/${segment.subnet.prefixLength} dev ${host.interface}`,
    `route add default via ${segment.gateway}`,
  );
}

async function signal(client: Process, name: NodeJS.Signals): Promise<void> {
  // `ip netns exec` becomes the program itself, so that this is its pid.
  process.kill(client.pid, name);
}

async function waitForTimes(client: Process, pattern: RegExp, times: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while ([...client.output.text.matchAll(pattern)].length < times) {
    if (Date.now() > deadline) throw new Error(`${pattern} came not ${times} times:\n${client.output.text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function packetsIn(pcap: string, mac: string): readonly DhcpPacket[] {
  return readPcap(readFileSync(pcap)).flatMap(({ payload }) => {
    const decoded = decode(payload);
    return decoded.ok && formatMac(decoded.packet.chaddr) === mac ? [decoded.packet] : [];
  });
}

function netasciiOf(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes.toString('latin1').replace(/[\r\n]/g, (end) => (end === '\n' ? '\r\n' : '\r\0')),
    'latin1',
  );
}
