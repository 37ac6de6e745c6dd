import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  bootFile,
  type DhcpPacket,
  decode,
  encode,
  formatMac,
  leaseSeconds,
  messageType,
  OPTION,
  pxeVendor,
  requestedAddress,
  serverId,
  subnetMask,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { Site } from '../boot/index.ts';
import { type Host, Lab, type Namespace, type Process, type Segment } from '../lab/index.ts';

const WAIT_MS = 60_000;
/** faults.md, 9. */
const ALARM_MS = 10_000;
/** OVMF in emulation, from power-on to iPXE's script. */
const FIRMWARE_MS = 180_000;
const FILE = 'undionly.kpxe';
const PXE = vendorClass.write('PXEClient:Arch:00000:UNDI:002001');
const REFUSED_MAC = '02:00:00:00:00:01';

/** What a server sent back, and from where. */
interface Heard {
  readonly packet: DhcpPacket;
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

interface Sending {
  /** The client's port; 68 unless said. */
  readonly from?: number;
  /** Broadcast to port 67 unless said. */
  readonly to?: { readonly address: string; readonly port: number };
}

describe('an edge with a policy', { timeout: 600_000 }, () => {
  let lab: Lab;
  let edge: Process;
  /** Behind a relay that adds option 82. */
  let tagged: Segment;
  /** With machines on the edge's own interface. */
  let direct: Segment;
  /** Where dnsmasq gives the addresses. */
  let shared: Segment;

  before(async () => {
    lab = await Lab.create('policy');
    tagged = await lab.addSegment({ relay: 'dhcrelay', relayFlags: ['-a', '-m', 'append'] });
    direct = await lab.addSegment({ relay: 'none' });
    shared = await lab.addSegment({ relay: 'none' });
    const site = await Site.start(lab);
    edge = await site.addEdge(
      'edge1',
      ...[lab.core.bridge, direct.coreInterface ?? '', shared.coreInterface ?? ''],
    );
    const classes = [
      // dhcrelay names a switch port by the interface that heard the client.
      { name: 'rack', match: { circuitId: 'seg*' } },
      {
        name: 'shut',
        match: { circuitId: 'hex:7365676d656e74', ouis: ['02:00:00'] },
        refuse: 'its port is shut',
      },
      { name: 'elsewhere', match: { circuitId: 'eth*' } },
      { name: 'narrow', match: { platforms: ['bios'], segments: ['seg2'] }, tftp: { blockBytesMost: 1024 } },
    ];
    const segments = [
      {
        ...described(tagged),
        pools: [
          poolOf(tagged, 100, 119),
          { ...poolOf(tagged, 120, 129), classes: ['elsewhere'] },
          { ...poolOf(tagged, 150, 159), classes: ['rack'] },
        ],
      },
      { ...described(direct), bootp: 'pool', firmware: { bios: FILE } },
      { ...described(shared), mode: 'proxy', pools: [], otherServers: [shared.subnet.address(2)] },
    ];
    writeFileSync(`${lab.folder}/policy.json`, JSON.stringify({ segments, policy: { classes } }));
    await site.bootswarm('segment', 'apply', `${lab.folder}/policy.json`);
    await edge.waitForLine(/"segments":3,.*following a new desired state/, WAIT_MS);
  });

  after(() => lab[Symbol.asyncDispose]());

  const journaled = (mac: string, what: string): Promise<string> =>
    edge.waitForLine(new RegExp(`"mac":"${mac}".*${what}`), WAIT_MS);

  test('option 82 chooses the pool: a machine on a port of the rack gets one of its addresses', async () => {
    const host = await tagged.addHost('racked');
    assert.match(await udhcpc(host), /lease of 10\.66\.1\.15\d obtained/);
  });

  test('option 82 refuses: a machine on a port that is shut gets nothing, and the journal says why', async () => {
    const host = await tagged.addHost('shut', { mac: REFUSED_MAC });
    assert.match(await udhcpc(host, '-t', '2'), /no lease, failing/);
    await journaled(REFUSED_MAC, '"cause":"policy_refused".*class shut is refused: its port is shut');
  });

  test('an address that somebody uses already goes to nobody: the machine gets another', async () => {
    const taken = direct.subnet.address(130);
    await direct.addHost('static', { address: taken });
    const host = await direct.addHost('newcomer');
    const told = await udhcpc(host, '-r', taken);
    const [, address] = /lease of (\S+) obtained/.exec(told) ?? assert.fail(told);
    assert.notEqual(address, taken);
    await journaled(host.mac, `"address":"${taken}","cause":"address_conflict"`);
  });

  test('a BOOTP client gets an address for good, a file, and no word of DHCP', async () => {
    const host = await direct.addHost('bootp', { address: direct.subnet.address(20) });
    const asked = requestWith({ chaddr: chaddrOf(host), broadcast: true });
    const [first] = await exchange(host, asked);
    const [again] = await exchange(host, asked);
    assert.ok(first && again, 'no answer came');
    assert.equal(first.bytes.length, 300);
    const { yiaddr, siaddr, file, options } = first.packet;
    assert.match(yiaddr, /^10\.66\.2\.1\d\d$/);
    assert.equal(again.packet.yiaddr, yiaddr);
    assert.deepEqual([siaddr, file], [direct.edgeAddress, FILE]);
    assert.equal(subnetMask.read(options), '255.255.255.0');
    for (const code of [OPTION.messageType, OPTION.leaseSeconds])
      assert.equal(options.has(code), false, `option ${code}`);
  });

  test('a class by platform caps the TFTP blocks of a machine that said so by DHCP', async () => {
    const host = await direct.addHost('rom', { address: direct.subnet.address(22) });
    const [offer] = await exchange(host, pxe('DISCOVER', host));
    const address = offer?.packet.yiaddr ?? assert.fail('no offer came');
    const chosen = [requestedAddress.write(address), serverId.write(direct.edgeAddress)];
    const [ack] = await exchange(host, pxe('REQUEST', host, {}, chosen));
    assert.equal(ack?.packet.yiaddr, address);
    await host.ip(`address add ${address}/24 dev ${host.interface}`);
    assert.equal(await oackFor(host, address, direct.edgeAddress), '\0\x06blksize\x001024\0');
  });

  test('on port 4011 firmware is told its file at the port that it asked from', async () => {
    const address = direct.subnet.address(21);
    const host = await direct.addHost('pxe4011', { address });
    const asked = pxe('REQUEST', host, { ciaddr: address }, [
      pxeVendor.write({ bootItem: { type: 0, layer: 0 } }),
    ]);
    const [heard] = await exchange(host, asked, {
      from: 4011,
      to: { address: direct.edgeAddress, port: 4011 },
    });
    assert.ok(heard, 'no answer came');
    assert.deepEqual([heard.address, heard.port], [direct.edgeAddress, 4011]);
    const { yiaddr, file, options } = heard.packet;
    assert.deepEqual([yiaddr, file, messageType.read(options)], ['0.0.0.0', FILE, 'ACK']);
    assert.deepEqual(pxeVendor.read(options)?.bootItem, { type: 0, layer: 0 });
  });

  test('beside dnsmasq: that gives the address, the edge says what to boot, and nobody is a rogue', async () => {
    const [server, client] = [shared.subnet.address(2), shared.subnet.address(50)];
    const other = await shared.addHost('dnsmasq', { address: server });
    const dnsmasq = await startDnsmasq(other, shared, 200, 209);
    const host = await shared.addHost('pxe', { address: client });

    const offers = await exchange(host, pxe('DISCOVER', host));
    assert.deepEqual(offers.map(({ address }) => address).toSorted(), [shared.edgeAddress, server]);
    const ours = offers.find(({ address }) => address === shared.edgeAddress)?.packet ?? assert.fail();
    const theirs = offers.find(({ address }) => address === server)?.packet ?? assert.fail();
    assert.match(theirs.yiaddr, /^10\.66\.3\.20\d$/);
    assert.deepEqual([ours.yiaddr, ours.siaddr, ours.file], ['0.0.0.0', shared.edgeAddress, FILE]);
    assert.equal(vendorClass.read(ours.options), 'PXEClient');
    assert.equal(pxeVendor.read(ours.options)?.discoveryControl, 8);
    assert.equal(bootFile.read(ours.options), FILE);
    assert.equal(leaseSeconds.read(ours.options), undefined);

    const chosen = [requestedAddress.write(theirs.yiaddr), serverId.write(server)];
    const acks = await exchange(host, pxe('REQUEST', host, {}, chosen));
    assert.deepEqual(
      acks.map(({ address, packet }) => [address, messageType.read(packet.options)]),
      [[server, 'ACK']],
    );
    // An installed system is none of the edge's business.
    const system = await shared.addHost('system');
    assert.match(await udhcpc(system), /lease of 10\.66\.3\.20\d obtained from 10\.66\.3\.2/);
    // Firmware that we did not write: iPXE looks at port 4011 or at offers alike, OVMF chainloads iPXE first.
    const machines = await Promise.all(
      (['bios', 'uefi'] as const).map((firmware) =>
        shared.startMachine({ name: firmware, firmware, memoryMiB: 256 }),
      ),
    );
    await Promise.all(
      machines.map(({ mac }) => edge.waitForLine(new RegExp(`"stage":"script","mac":"${mac}"`), FIRMWARE_MS)),
    );
    // What it fetches is journaled as its own, although the address is another server's.
    const [, uefi] = machines;
    await edge.waitForLine(new RegExp(`"stage":"firmware","mac":"${uefi?.mac}"`), WAIT_MS);
    assert.doesNotMatch(edge.output.text, /"cause":"rogue_server"/);
    await dnsmasq.stop();
  });

  test('a rogue DHCP server raises an alarm within ten seconds, before any machine asks', async () => {
    // Also where the addresses are another server's, beside that one.
    for (const [segment, name] of [
      [direct, 'seg2'],
      [shared, 'seg3'],
    ] as const) {
      const address = segment.subnet.address(3);
      const rogue = await startDnsmasq(await segment.addHost('rogue', { address }), segment, 240, 249);
      const told = new RegExp(`"stage":"alarm".*"segment":"${name}".*"cause":"rogue_server"`);
      assert.match(await edge.waitForLine(told, ALARM_MS), new RegExp(`"address":"${address}"`));
      await rogue.stop();
    }
  });
});

function described({ number, subnet, gateway }: Segment) {
  const pools = [{ first: subnet.address(100), last: subnet.address(199) }];
  return { name: `seg${number}`, subnet: subnet.cidr, router: gateway, pools, edges: ['edge1'] };
}

function poolOf({ subnet }: Segment, first: number, last: number) {
  return { first: subnet.address(first), last: subnet.address(last) };
}

/** What udhcpc tells of its way to a lease. */
async function udhcpc(host: Host, ...flags: readonly string[]): Promise<string> {
  const { stderr } = await host.run([
    ...['udhcpc', '-f', '-q', '-n', '-i', host.interface, '-s', '/bin/true', '-t', '5', '-T', '1', ...flags],
  ]);
  return stderr;
}

async function startDnsmasq(
  host: Namespace,
  { subnet }: Segment,
  first: number,
  last: number,
): Promise<Process> {
  const range = `--dhcp-range=${subnet.address(first)},${subnet.address(last)},10m`;
  const process = await host.start([
    ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file'],
    ...['--log-facility=-', '--log-dhcp', '--leasefile-ro', '--no-ping', '--dhcp-authoritative', range],
  ]);
  await process.waitForLine(/DHCP, IP range/, WAIT_MS);
  return process;
}

function chaddrOf({ mac }: Host): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

/** What the edge answers who asks for a file in blocks of 1468 bytes. */
async function oackFor(host: Host, address: string, edge: string): Promise<string> {
  const script = `const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (bytes) => { process.stdout.write(bytes.toString('latin1')); process.exit(); });
    setTimeout(() => process.exit(1), 5000);
    socket.bind(0, '${address}', () => socket.send('\\0\\x01${FILE}\\0octet\\0blksize\\x001468\\0', 69, '${edge}'));`;
  const { stdout } = await host.run([process.execPath, '-e', script]);
  return stdout;
}

/** A packet of PXE firmware. */
function pxe(
  type: 'DISCOVER' | 'REQUEST',
  host: Host,
  fields: Partial<DhcpPacket> = {},
  options: readonly (readonly [number, Uint8Array])[] = [],
): DhcpPacket {
  return requestWith({
    chaddr: chaddrOf(host),
    broadcast: true,
    ...fields,
    options: new Map([messageType.write(type), PXE, ...options]),
  });
}

/** Sends a packet from a host, and gathers what comes back within a second and a half. */
async function exchange(host: Host, packet: DhcpPacket, sending: Sending = {}): Promise<readonly Heard[]> {
  const { from = 68, to = { address: '255.255.255.255', port: 67 } } = sending;
  const hex = Buffer.from(encode(packet)).toString('hex');
  const script = `const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (bytes, { address, port }) =>
      console.log(JSON.stringify({ hex: bytes.toString('hex'), address, port })));
    setTimeout(() => process.exit(), 1500);
    socket.bind(${from}, () => {
      socket.setBroadcast(true);
      socket.send(Buffer.from('${hex}', 'hex'), ${to.port}, '${to.address}');
    });`;
  const { stdout } = await host.run([process.execPath, '-e', script]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const heard = JSON.parse(line) as { hex: string; address: string; port: number };
      const bytes = Buffer.from(heard.hex, 'hex');
      const decoded = decode(bytes);
      assert.ok(decoded.ok);
      return { ...heard, bytes, packet: decoded.packet };
    })
    .filter(({ packet: { chaddr } }) => formatMac(chaddr) === formatMac(packet.chaddr));
}
