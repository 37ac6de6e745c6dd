import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
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
import { program, type Site } from '../boot/index.ts';
import type { Host, Lab, Process, Segment } from '../lab/index.ts';
import { LEASE_SECONDS, layClientSite, WAIT_MS } from './client-site.ts';

describe('DHCP clients that we did not write', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  let edge: Process;
  let relayed: Segment;
  let direct: Segment;
  let segments: Readonly<Record<'relayed' | 'direct', Segment>>;

  before(async () => {
    ({ lab, site, edge, relayed, direct } = await layClientSite('dhcp-clients'));
    segments = { relayed, direct };
  });

  after(() => lab[Symbol.asyncDispose]());

  /** Resolves when the edge has decided so about a machine. */
  const decided = (host: Host, reason: string): Promise<string> =>
    edge.waitForLine(new RegExp(`"mac":"${host.mac}".*"reason":"${reason}`), WAIT_MS);

  let laid = 2;
  /** Resolves when the edge serves the segment that was added. */
  const oneMoreSegment = (): Promise<string> => {
    laid += 1;
    return edge.waitForLine(new RegExp(`"segments":${laid},.*following a new desired state`), WAIT_MS);
  };

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

  test('dhclient reads a compressed search list, classless routes beside the router, and TFTP servers', async () => {
    const segment = await lab.addSegment({ relay: 'dhcrelay' });
    const { number, subnet, gateway } = segment;
    const options = {
      'domain-search': 'lab.example, rack7.lab.example, example.com',
      'classless-static-routes': `10.9.0.0/16 via ${subnet.address(2)}, 0.0.0.0/0 via ${gateway}`,
      'tftp-server-address': '10.66.0.7, 10.66.0.8',
    };
    const pools = [{ first: subnet.address(100), last: subnet.address(199) }];
    const named = {
      name: `seg${number}`,
      subnet: subnet.cidr,
      router: gateway,
      pools,
      edges: ['edge1'],
      options,
    };
    writeFileSync(`${lab.folder}/optioned.json`, JSON.stringify({ segments: [named] }));
    await site.bootswarm('segment', 'apply', `${lab.folder}/optioned.json`);
    await oneMoreSegment();

    const host = await segment.addHost('optioned');
    const asks = [
      'option routes code 121 = array of integer 8',
      'option tftp-servers code 150 = array of ip-address',
      'request subnet-mask, routers, domain-search, routes, tftp-servers',
    ];
    writeFileSync(`${lab.folder}/dhclient.conf`, asks.map((line) => `${line};\n`).join(''));
    const config = ['-cf', `${lab.folder}/dhclient.conf`];
    const client = await host.start(['dhclient', '-d', '-1', ...config, ...flags(host), host.interface], {
      name: 'dhclient',
    });
    await client.waitForLine(/^bound to/, WAIT_MS);
    await client.stop();
    const lease = readFileSync(`${lab.folder}/${host.label}.leases`, 'utf8');
    const last = (address: string): string => address.replaceAll('.', ',');
    assert.match(lease, /option domain-search "lab\.example\.", "rack7\.lab\.example\.", "example\.com\."/);
    assert.ok(lease.includes(`option routes 16,10,9,${last(subnet.address(2))},0,${last(gateway)};`), lease);
    assert.match(lease, /option tftp-servers 10\.66\.0\.7,10\.66\.0\.8;/);
    assert.match(lease, new RegExp(`option routers ${gateway.replaceAll('.', '\\.')};`));
  });

  test('a relay that adds option 82 gets it back, and the client gets none', async () => {
    const tagged = await lab.addSegment({ relay: 'dhcrelay', relayFlags: ['-a', '-m', 'append'] });
    await site.addSegment(tagged, 'edge1');
    await oneMoreSegment();
    const [upstream, downstream] = [
      await lab.core.capture(lab.core.bridge, 'upstream.pcap', 'udp port 67'),
      await tagged.capture(tagged.bridge, 'downstream.pcap', 'udp port 68'),
    ];
    const host = await tagged.addHost('tagged');
    const lease = await host.run([
      ...['udhcpc', '-f', '-q', '-n', '-i', host.interface, '-s', '/bin/true', '-t', '5', '-T', '1'],
    ]);
    assert.match(lease.stderr, new RegExp(`lease of 10\\.66\\.${tagged.number}\\.\\d+ obtained`));
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
    const health = await host.run(['curl', '-fsS', `http://${relayed.edgeAddress}:8480/healthz`]);
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
      ...['--http-port', '8490', '--swarm-port', '8491', '--edges-port', '8493'],
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
