import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeDhcpSink } from './fake-dhcp-sink.ts';
import { type Host, Lab, type Namespace } from './index.ts';

function discover(host: Host): Promise<unknown> {
  return host.run(['udhcpc', '-i', host.interface, '-s', '/bin/true', '-n', '-q', '-t', '1', '-T', '1']);
}

const ping = (host: Namespace, address: string) =>
  host.run(['busybox', 'ping', '-c', '1', '-W', '2', address]);

test('a lab of three relayed segments and a direct one', async (t) => {
  await using lab = await Lab.create('topology');
  const relayed = await lab.addSegment({ relay: 'dhcrelay' });
  const other = await lab.addSegment({ relay: 'dhcrelay', relayFlags: ['-a', '-m', 'append'] });
  const dnsmasq = await lab.addSegment({ relay: 'dnsmasq' });
  const direct = await lab.addSegment({ relay: 'none', number: 9, subnet: '10.66.16.0/20' });
  const sink = await startFakeDhcpSink(lab.core);

  await t.test('hosts reach the edge, and each other through the core', async () => {
    const host = await relayed.addHost('pinger', { address: '10.66.1.50' });
    const far = await other.addHost('far', { address: '10.66.2.50' });
    const near = await direct.addHost('near', { address: '10.66.17.50' });
    const second = await lab.core.addHost('edge2', { address: '10.66.0.3' });
    for (const address of [lab.core.address, '10.66.2.50', '10.66.17.50', '10.66.0.3']) {
      assert.equal((await ping(host, address)).code, 0, address);
    }
    assert.equal((await ping(near, direct.edgeAddress)).code, 0);
    assert.equal((await ping(second, '10.66.2.50')).code, 0);
    assert.equal((await ping(far, '10.66.1.50')).code, 0);
  });

  const clients = [
    { segment: relayed, giaddr: '10.66.1.1', option82: false },
    { segment: other, giaddr: '10.66.2.1', option82: true },
    { segment: dnsmasq, giaddr: '10.66.3.1', option82: false },
    { segment: direct, giaddr: '0.0.0.0', option82: false },
  ];
  for (const { segment, giaddr, option82 } of clients) {
    await t.test(`a DISCOVER in ${segment.label} arrives with giaddr ${giaddr}`, async () => {
      const client = await segment.addHost('client');
      await discover(client);
      const packet = await sink.packetFrom(client.mac, 5000);
      assert.equal(packet.giaddr, giaddr);
      // Option 82 begins with sub-option 1, the circuit id, here the name of the router's interface.
      const circuit = Buffer.from('segment').toString('hex');
      assert.equal(packet.hex.includes(`0107${circuit}`), option82);
    });
  }

  await t.test('a restarted relay takes other flags', async () => {
    await relayed.restartRelay(['-a', '-m', 'append']);
    const client = await relayed.addHost('client2');
    await discover(client);
    assert.match((await sink.packetFrom(client.mac, 5000)).hex, /52090107/);
  });

  await t.test('a capture holds what passed', async () => {
    const capture = await direct.capture(direct.bridge, 'discover.pcap', 'udp port 67');
    const client = await direct.addHost('captured');
    await discover(client);
    await sink.packetFrom(client.mac, 5000);
    await capture.stop('SIGINT');
    const { stdout } = await direct.run(['tcpdump', '-r', `${lab.folder}/discover.pcap`, '-n', '-e']);
    assert.match(stdout, new RegExp(`${client.mac}.*BOOTP/DHCP, Request`));
  });

  await t.test('with every frame lost nothing arrives; with the impairment removed it does', async () => {
    const host = await relayed.addHost('unlucky', { address: '10.66.1.60' });
    {
      await using loss = await relayed.impair({ lossPercent: 100 });
      assert.notEqual((await ping(host, lab.core.address)).code, 0);
      await discover(host);
      await assert.rejects(sink.packetFrom(host.mac, 300), /did not print/);
      await loss.remove();
      assert.equal((await ping(host, lab.core.address)).code, 0);
    }
    await discover(host);
    await sink.packetFrom(host.mac, 5000);
  });

  await t.test('a loss may touch only some frames', async () => {
    const host = await direct.addHost('half', { address: '10.66.17.60' });
    await using _ = await direct.impair({ lossPercent: 100, match: 'udp dport 67' });
    assert.equal((await ping(host, direct.edgeAddress)).code, 0);
    await discover(host);
    await assert.rejects(sink.packetFrom(host.mac, 300), /did not print/);
  });
});
