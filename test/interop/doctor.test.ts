import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { program, Site } from '../boot/index.ts';
import { Lab, type Segment } from '../lab/index.ts';

const WAIT_MS = 60_000;

interface Finding {
  readonly check: string;
  readonly about: string;
  readonly result: string;
  readonly seen: string;
  readonly remedy?: string;
}

describe('bootswarm doctor', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  let [relayed, narrow, direct]: Segment[] = [];
  let coreInterface = '';

  before(async () => {
    lab = await Lab.create('doctor');
    [relayed, narrow, direct] = [
      await lab.addSegment({ relay: 'dhcrelay' }),
      await lab.addSegment({ relay: 'dhcrelay' }),
      await lab.addSegment({ relay: 'none' }),
    ];
    coreInterface = direct.coreInterface ?? '';
    site = await Site.start(lab);
  });

  after(() => lab[Symbol.asyncDispose]());

  /** What it finds, by `check about`. */
  async function findings(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly of: (name: string) => Finding | undefined }> {
    const { BOOTSWARM_URL = '' } = site.env;
    const where = ['--json', '--controller', BOOTSWARM_URL, 'doctor', '--interface', coreInterface];
    const done = await lab.core.run(program('controller/cli/main.ts', ...where, ...args));
    assert.equal(done.stderr, '');
    const { findings: found } = JSON.parse(done.stdout) as { findings: Finding[] };
    return { code: done.code, of: (name) => found.find(({ check, about }) => `${check} ${about}` === name) };
  }

  test('finds an edge that is well, while it serves, and its edge hears nothing of the probe', async () => {
    const edge = await site.addEdge('edge1', coreInterface);
    await site.addSegment(direct as Segment, 'edge1');
    await edge.waitForLine(/"segments":1,.*following a new desired state/, WAIT_MS);
    // For the next test; it has come to the edge when the doctor is done.
    await site.changeSegment(direct as Segment, { otherServers: [direct?.subnet.address(66)] });
    const { code, of } = await findings('--relay', relayed?.gateway ?? '');
    for (const [name, seen] of [
      [`interface ${coreInterface}`, /^up, /],
      [`mtu ${coreInterface}`, /^MTU 1500$/],
      [`servers ${coreInterface}`, /^no other DHCP server/],
      [`relay ${relayed?.gateway}`, /^answers ping from 10\.66\.0\./],
      [`mtu path to ${relayed?.gateway}`, /^1500 bytes pass/],
      [`clock ${site.env['BOOTSWARM_URL']}`, /agrees/],
      ['ports UDP 67 (DHCP)', /held by this edge/],
      ['ports TCP 8480 (HTTP)', /held by this edge/],
      ['firmware snponly.efi', /bytes$/],
    ] as const) {
      assert.equal(of(name)?.result, 'ok', `${name}: ${JSON.stringify(of(name))}`);
      assert.match(of(name)?.seen ?? '', seen);
    }
    assert.equal(code, 0);
    assert.deepEqual(await site.bootswarm('machine', 'list'), [], 'no machine was made of the probe');
    await edge.stop();
  });

  test('finds a rogue server, a blocked relay, a narrow path, one without a route, and a port that is taken', async () => {
    const rogue = await direct?.addHost('rogue', { address: direct.subnet.address(66) });
    const range = `${direct?.subnet.address(200)},${direct?.subnet.address(220)}`;
    const server = await rogue?.start(
      [
        ...['dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--port=0', '--no-ping', '--leasefile-ro'],
        ...['--log-dhcp', `--dhcp-range=${range}`],
      ],
      { name: 'dnsmasq' },
    );
    await server?.waitForLine(/DHCP, IP range/, WAIT_MS);
    const holder = await lab.core.start(
      [process.execPath, '-e', "require('dgram').createSocket('udp4').bind(69, () => console.log('bound'))"],
      { name: 'holder' },
    );
    await holder.waitForLine(/bound/, WAIT_MS);
    await narrow?.router?.ip('link set core mtu 1400');
    await relayed?.router?.run([
      'nft',
      'table ip firewall { chain in { type filter hook input priority 0; drop; }; }',
    ]);
    await lab.core.ip('route add unreachable 192.0.2.0/24');

    const relays = [relayed?.gateway ?? '', narrow?.gateway ?? '', '192.0.2.1'];
    const { code, of } = await findings('--relay', ...relays);
    for (const [name, result, seen] of [
      [`servers ${coreInterface}`, 'failed', new RegExp(`: ${rogue ? direct?.subnet.address(66) : ''}$`)],
      [`relay ${relays[0]}`, 'failed', /answers no ping/],
      [`relay ${relays[1]}`, 'ok', /answers ping/],
      [`mtu path to ${relays[1]}`, 'warn', /1500 bytes do not pass/],
      [`relay ${relays[2]}`, 'failed', /no route/],
      ['ports UDP 67 (DHCP)', 'ok', /^free$/],
      ['ports UDP 69 (TFTP)', 'failed', /^held by .*node.* \(pid \d+\)$/],
    ] as const) {
      assert.equal(of(name)?.result, result, `${name}: ${JSON.stringify(of(name))}`);
      assert.match(of(name)?.seen ?? '', seen);
    }
    assert.equal(code, 3);
    const { of: beside } = await findings('--data', `${lab.folder}/edge1`);
    assert.equal(beside(`servers ${coreInterface}`)?.result, 'ok', "by what the edge's segments say");
  });

  test('finds a bridge with spanning tree, without a carrier and with a small MTU, and an interface that is none', async () => {
    await lab.core.ip(
      'link add br9 type bridge stp_state 1 forward_delay 1500',
      'link set br9 mtu 1400 up',
      'address add 10.77.0.1/24 dev br9',
    );
    const { code, of } = await findings('br9', 'eth77');
    for (const [name, result, seen] of [
      ['interface br9', 'failed', /no carrier/],
      ['mtu br9', 'warn', /^MTU 1400$/],
      ['stp br9', 'failed', /forwards 30 s after link-up/],
      ['interface eth77', 'failed', /no interface 'eth77'/],
    ] as const) {
      assert.equal(of(name)?.result, result, `${name}: ${JSON.stringify(of(name))}`);
      assert.match(of(name)?.seen ?? '', seen);
    }
    assert.equal(code, 3);
  });
});
