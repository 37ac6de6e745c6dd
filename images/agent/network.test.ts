import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpNews, parseDhcpNews, udhcpcArguments } from './dhcp-lease.ts';
import type { Link } from './host.ts';
import { type AgentArguments, parseArguments } from './kernel-arguments.ts';
import { linkOrder } from './link-order.ts';

describe('the kernel command line', () => {
  const cases: readonly {
    name: string;
    line: string;
    args: Omit<AgentArguments, 'medium'> & Partial<AgentArguments>;
  }[] = [
    {
      name: 'as iPXE hands it over',
      line: 'initrd=initramfs BOOTIF=01-52-54-00-B0-08-01 console=tty0 bootswarm.edge=http://10.1.2.1:8480 bootswarm.mac=52:54:00:b0:08:01\n',
      args: { edgeUrl: 'http://10.1.2.1:8480', mac: '52:54:00:b0:08:01' },
    },
    {
      name: 'with BOOTIF alone',
      line: 'BOOTIF=01-52-54-00-b0-08-01',
      args: { edgeUrl: undefined, mac: '52:54:00:b0:08:01' },
    },
    {
      name: 'with a path behind the edge, which is no part of it',
      line: 'bootswarm.edge=http://10.1.2.1:8480/x?y',
      args: { edgeUrl: 'http://10.1.2.1:8480', mac: undefined },
    },
    {
      name: 'with an edge that is no address, a scheme of its own, and a MAC that is none',
      line: 'bootswarm.edge=file:///etc/passwd BOOTIF=01-zz bootswarm.mac=1',
      args: { edgeUrl: undefined, mac: undefined },
    },
    { name: 'empty', line: '', args: { edgeUrl: undefined, mac: undefined } },
    {
      name: 'of a medium',
      line: 'bootswarm.medium=0123456789abcdef bootswarm.wait=5',
      args: { edgeUrl: undefined, mac: undefined, medium: { id: '0123456789abcdef', waitSeconds: 5 } },
    },
    {
      name: 'of a medium whose wait is no number: then half a minute',
      line: 'bootswarm.medium=0123456789abcdef bootswarm.wait=-1',
      args: { edgeUrl: undefined, mac: undefined, medium: { id: '0123456789abcdef', waitSeconds: 30 } },
    },
    {
      name: 'of a medium whose identity is none',
      line: 'bootswarm.medium=../x',
      args: { edgeUrl: undefined, mac: undefined },
    },
  ];
  for (const { name, line, args } of cases)
    test(name, () => assert.deepEqual(parseArguments(line), { medium: undefined, ...args }));
});

test('the card that the machine booted by is tried first, then those with a link', () => {
  const link = (name: string, hasLink: boolean): Link => ({
    name,
    mac: `52:54:00:00:00:0${name.at(-1)}`,
    driver: undefined,
    hasLink,
  });
  const links = [link('eth3', false), link('eth2', true), link('eth1', true), link('eth0', false)];
  const order = (mac: string | undefined): string[] => linkOrder(links, mac).map(({ name }) => name);
  assert.deepEqual(order('52:54:00:00:00:03'), ['eth3', 'eth1', 'eth2', 'eth0']);
  assert.deepEqual(order(undefined), ['eth1', 'eth2', 'eth0', 'eth3']);
});

describe('what udhcpc says by its script', () => {
  const cases: readonly { name: string; line: string; news: DhcpNews | undefined }[] = [
    {
      name: 'an address, its server and where boot files are',
      line: 'bootswarm-dhcp bound interface=eth0 ip=10.1.2.3 serverid=10.1.2.1 siaddr=10.1.2.9',
      news: {
        event: 'bound',
        lease: { address: '10.1.2.3', server: '10.1.2.1', nextServer: '10.1.2.9' },
      },
    },
    {
      name: 'an address, and no boot server',
      line: 'bootswarm-dhcp bound interface=eth0 ip=10.1.2.3 serverid=10.1.2.1 siaddr=',
      news: {
        event: 'bound',
        lease: { address: '10.1.2.3', server: '10.1.2.1', nextServer: undefined },
      },
    },
    { name: 'that it has none', line: 'bootswarm-dhcp lost interface=eth0', news: { event: 'lost' } },
    { name: 'an address that is none', line: 'bootswarm-dhcp bound ip=evil', news: undefined },
    { name: "udhcpc's own words", line: 'udhcpc: sending discover', news: undefined },
  ];
  for (const { name, line, news } of cases) test(name, () => assert.deepEqual(parseDhcpNews(line), news));
});

test("udhcpc sends the UUID in the byte order of option 97, so that the lease stays the firmware's", () => {
  const args = udhcpcArguments('eth0', '/script', '00112233-4455-6677-8899-aabbccddeeff');
  assert.equal(args[args.indexOf('-x') + 1], '0x61:0033221100554477668899aabbccddeeff');
  assert.ok(!udhcpcArguments('eth0', '/script', undefined).includes('-x'));
});
