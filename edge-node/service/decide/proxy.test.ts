import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  clientArchitectures,
  ipxe,
  messageType,
  OPTION,
  pxeVendor,
  serverId,
  userClasses,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { decideBootServer, decideProxy } from './proxy.ts';
import type { Decision, Reply } from './situation.ts';
import { packetOf, SERVER, type Sent, segmentWith, situationOf } from './testing/world.ts';

const PXE = vendorClass.write('PXEClient:Arch:00000:UNDI:002001');
/** Option 175 of an iPXE that has HTTP. */
const IPXE = [PXE, userClasses.write(['iPXE']), [OPTION.ipxe, Uint8Array.of(19, 1, 1)]] as const;
const HTTP = [vendorClass.write('HTTPClient:Arch:00016'), clientArchitectures.write([16])];
const ODD = [vendorClass.write('PXEClient'), clientArchitectures.write([99])];
const segment = segmentWith({ mode: 'proxy', options: { 'ntp-servers': '10.0.0.1' } });

function isReply(decision: Decision): asserts decision is Reply {
  assert.equal(decision.kind, 'reply', decision.reason);
}

describe('beside another server', () => {
  const offered = (sent: Sent) => decideProxy(situationOf(packetOf('DISCOVER', sent), { segment }));

  test('an offer says what to boot, and nothing of addresses, leases or the network', () => {
    const decision = offered({ options: [PXE] });
    isReply(decision);
    const { yiaddr, siaddr, file, options } = decision.packet;
    assert.deepEqual([yiaddr, siaddr, file], ['0.0.0.0', SERVER, 'undionly.kpxe']);
    assert.equal(decision.lease, undefined);
    assert.equal(messageType.read(options), 'OFFER');
    assert.equal(serverId.read(options), SERVER);
    assert.equal(vendorClass.read(options), 'PXEClient');
    assert.equal(pxeVendor.read(options)?.discoveryControl, 8);
    assert.deepEqual(
      [...options.keys()],
      [
        OPTION.messageType,
        OPTION.serverId,
        OPTION.vendorClass,
        OPTION.vendorOptions,
        OPTION.tftpServerName,
        OPTION.bootFile,
      ],
    );
  });

  test('iPXE is told its script under the class of a proxyDHCP server, without which it passes an offer over', () => {
    const decision = offered({ options: IPXE });
    isReply(decision);
    assert.equal(decision.bootFile?.kind, 'script');
    assert.equal(vendorClass.read(decision.packet.options), 'PXEClient');
    assert.equal(pxeVendor.read(decision.packet.options)?.discoveryControl, 8);
  });

  test('UEFI HTTP boot gets its URL under its own class', () => {
    const decision = offered({ options: HTTP });
    isReply(decision);
    assert.equal(vendorClass.read(decision.packet.options), 'HTTPClient');
    assert.equal(decision.packet.options.has(OPTION.vendorOptions), false);
  });

  test('a REQUEST tells which server was chosen, but where that is this edge by the name that its relay gave it', () => {
    const chosen = (server: string, serverId = SERVER) => {
      const decision = decideProxy(situationOf(packetOf('REQUEST', { server }), { segment, serverId }));
      return decision.kind === 'silent' && decision.otherServer;
    };
    assert.equal(chosen('10.99.0.66'), '10.99.0.66');
    assert.equal(chosen('10.99.0.254', '10.99.0.254'), undefined);
  });

  for (const [name, decision, cause] of [
    [
      'a REQUEST is for the other server',
      decideProxy(situationOf(packetOf('REQUEST', { options: [PXE] }), { segment })),
      undefined,
    ],
    ['an installed system hears nothing', offered({}), undefined],
    ['firmware without a boot file hears nothing', offered({ options: ODD }), 'architecture_unknown'],
  ] as const)
    test(name, () => {
      assert.equal(decision.kind, 'silent');
      assert.equal(decision.cause, cause);
    });
});

describe('on port 4011', () => {
  const from = { address: '10.99.0.55', port: 4011 };
  const picked = pxeVendor.write({ bootItem: { type: 7, layer: 0x8001 } });
  const told = (sent: Sent, mode: 'dhcp' | 'proxy' = 'dhcp') =>
    decideBootServer(
      situationOf(packetOf('REQUEST', { fields: { ciaddr: from.address }, ...sent }), {
        segment: segmentWith({ mode }),
        from,
      }),
    );

  for (const mode of ['dhcp', 'proxy'] as const)
    test(`the answer goes where the question came from, and leases nothing: ${mode}`, () => {
      const decision = told({ options: [PXE] }, mode);
      isReply(decision);
      assert.deepEqual(decision.to, from);
      assert.equal(decision.lease, undefined);
      const { yiaddr, ciaddr, file, siaddr, options } = decision.packet;
      assert.deepEqual([yiaddr, ciaddr], ['0.0.0.0', from.address]);
      assert.deepEqual([file, siaddr], ['undionly.kpxe', SERVER]);
      assert.equal(messageType.read(options), 'ACK');
      assert.equal(vendorClass.read(options), 'PXEClient');
      for (const code of [OPTION.leaseSeconds, OPTION.subnetMask, OPTION.routers])
        assert.equal(options.has(code), false, `option ${code}`);
    });

  test('the item that was picked from a menu is named again', () => {
    const decision = told({ options: [PXE, picked] });
    isReply(decision);
    assert.deepEqual(pxeVendor.read(decision.packet.options)?.bootItem, { type: 7, layer: 0x8001 });
  });

  test('who sends option 43 that makes no sense is answered all the same', () => {
    isReply(told({ options: [PXE, [OPTION.vendorOptions, Uint8Array.of(71, 9, 1)]] }));
  });

  test('iPXE gets its script', () => {
    const decision = told({ options: IPXE });
    isReply(decision);
    assert.equal(decision.bootFile?.kind, 'script');
    assert.equal(ipxe.code in Object.fromEntries(decision.packet.options), true);
  });

  test('an installed system, a RELEASE and firmware without a boot file hear nothing', () => {
    assert.equal(told({}).kind, 'silent');
    assert.equal(told({ options: ODD }).cause, 'architecture_unknown');
    const release = situationOf(packetOf('RELEASE', { options: [PXE] }), { from });
    assert.equal(decideBootServer(release).kind, 'silent');
  });
});
