import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bmc, isBmcAddress } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { BmcNetworks } from './networks.ts';

/** Ways to write or to name what no BMC is: each must end before anybody is connected to. */
const FORBIDDEN: readonly string[] = [
  // Loopback, unspecified, link-local, metadata.
  ...['127.0.0.1', '127.0.0.2', '127.255.255.255', '0.0.0.0', '0.1.2.3', '169.254.169.254', '169.254.0.1'],
  ...['169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', '255.255.255.255', '224.0.0.1'],
  ...['239.255.255.250', '240.0.0.1'],
  // Everybody else's.
  ...['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '192.167.255.255', '192.169.0.1', '11.0.0.1'],
  ...['9.255.255.255', '100.64.0.1', '198.18.0.1', '203.0.113.7'],
  // IPv4 as only resolvers read it.
  ...['2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '127.1', '127.0.1', '0', '0x0'],
  ...[
    '127.0.0.01',
    '127.00.0.1',
    '0x7f.1',
    '10.0x1.1',
    '010.0.0.1',
    '10.1',
    '167772161',
    '127.0.0.1.',
    '0xA9FEA9FE',
  ],
  ...['2852039166', '0251.0376.0251.0376', '169.254.43518', '127。0。0。1', '①②⑦.0.0.1', '127.0.0.0x1'],
  // IPv6, and IPv4 inside it.
  ...['::1', '::', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '::ffff:127.0.0.1'],
  ...[
    '::ffff:7f00:1',
    '::ffff:169.254.169.254',
    '::FFFF:A9FE:A9FE',
    '::127.0.0.1',
    '::7f00:1',
    '0:0:0:0:0:ffff:127.0.0.1',
  ],
  ...[
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '2001:0:1::1',
  ],
  ...[
    'fe80::1',
    'fe80::1%eth0',
    'fe80::1%lo',
    '::1%lo',
    'fec0::1',
    'ff02::1',
    'fd00:ec2::254',
    'FD00:0EC2::0254',
  ],
  ...['2606:4700::1111', '::ffff:8.8.8.8'],
  // What is no address at all.
  ...[
    '[::1]',
    '127.0.0.1:80',
    '127.0.0.1/8',
    'http://127.0.0.1',
    'user@127.0.0.1',
    '127.0.0.1#',
    '127.0.0.1?',
  ],
  ...[
    ' 127.0.0.1',
    '127.0.0.1 ',
    '127.0.0.1\n',
    '127.0.0.1\0.example',
    '',
    '.',
    '..',
    '-',
    '-oProxyCommand',
    'a..b',
  ],
  ...['bmc_7', 'bmc 7', 'bmc;reboot', '$(reboot)', '`id`', '../etc', '%31%32%37.0.0.1', 'a'.repeat(254)],
  // Names of the host itself.
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.localdomain',
    'ip6-localhost',
    'metadata.google.internal',
    'mixed.example',
  ],
];

/** A resolver whose names stand for what an attacker wants. */
async function hostile(name: string) {
  const v6 = name.startsWith('ip6');
  if (name === 'mixed.example') return [{ address: '10.0.0.7' }, { address: '127.0.0.1' }];
  return [{ address: v6 ? '::1' : name.startsWith('metadata') ? '169.254.169.254' : '127.0.0.1' }];
}

describe('addresses of BMCs', () => {
  test(`none of ${FORBIDDEN.length} forms reaches anything but a BMC network`, async () => {
    const networks = new BmcNetworks(undefined, hostile);
    const reached: string[] = [];
    for (const address of FORBIDDEN) {
      const bmc = Bmc.safeParse({ kind: 'ipmi', address, user: 'u', secret: 's' });
      if (!bmc.success) continue;
      await networks.pin(address).then(
        (ip) => reached.push(`${address} as ${ip}`),
        (error) => assert.equal(error.code, 'bmc_address_forbidden', address),
      );
    }
    assert.deepEqual(reached, []);
    assert.ok(new Set(FORBIDDEN).size >= 60);
  });

  test('nor does one of them where every address is a BMC network', async () => {
    const wide = new BmcNetworks(['0.0.0.0/0', '::/0'], hostile);
    for (const address of [
      '127.0.0.1',
      '169.254.169.254',
      '::1',
      '::ffff:127.0.0.1',
      'fe80::1',
      'fd00:ec2::254',
      'localhost',
      '0.0.0.0',
    ])
      await assert.rejects(wide.pin(address), { code: 'bmc_address_forbidden', field: 'address' });
    assert.equal(await wide.pin('8.8.8.8'), '8.8.8.8');
  });

  test('private addresses are BMC networks by default, however they are written', async () => {
    const networks = new BmcNetworks(undefined, async () => [{ address: '192.168.7.7' }]);
    for (const [address, ip] of [
      ['10.9.0.7', '10.9.0.7'],
      ['172.31.255.254', '172.31.255.254'],
      ['fd00::7', 'fd00::7'],
      ['FD00:0:0::0007', 'fd00::7'],
      ['::ffff:10.0.0.7', '10.0.0.7'],
      ['bmc7.example', '192.168.7.7'],
    ] as const) {
      assert.equal(isBmcAddress(address), true, address);
      assert.equal(await networks.pin(address), ip);
    }
  });

  test('a special address is open to a network of its own', () => {
    assert.equal(new BmcNetworks(['127.0.0.0/8']).allows('127.0.0.1'), true);
    assert.equal(new BmcNetworks(['126.0.0.0/7']).allows('127.0.0.1'), false);
    assert.equal(new BmcNetworks(['169.254.0.0/16']).allows('169.254.3.1'), true);
    assert.equal(
      new BmcNetworks(['169.254.0.0/16']).allows('169.254.169.254'),
      false,
      'metadata takes its own',
    );
    assert.equal(new BmcNetworks(['169.254.169.254/32']).allows('169.254.169.254'), true);
    assert.equal(new BmcNetworks(['10.9.0.0/16']).allows('10.8.0.1'), false);
    assert.equal(new BmcNetworks([]).allows('10.8.0.1'), false, 'none named is none, and not all');
  });

  test('a name is looked up once, and what it stood for then is what is spoken to', async () => {
    let times = 0;
    const networks = new BmcNetworks(undefined, async () => [
      { address: times++ === 0 ? '10.0.0.7' : '127.0.0.1' },
    ]);
    assert.equal(await networks.pin('bmc7.example'), '10.0.0.7');
    await assert.rejects(networks.pin('bmc7.example'), { code: 'bmc_address_forbidden' });
    const nobody = new BmcNetworks(undefined, () =>
      Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    );
    await assert.rejects(nobody.pin('bmc7.example'), { code: 'bmc_address_unknown', message: /ENOTFOUND/ });
    await assert.rejects(new BmcNetworks(undefined, async () => []).pin('bmc7.example'), {
      code: 'bmc_address_unknown',
    });
  });

  test('an IPv4 address is allowed in whatever dress just as it is without', () => {
    const networks = new BmcNetworks();
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
        const mapped = `::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        return networks.allows(mapped) === networks.allows(ip);
      }),
    );
  });

  for (const cidr of [
    '10.0.0.0',
    '10.0.0.0/33',
    '::/129',
    'localhost/8',
    '10.0.0/8',
    '',
    '::ffff:10.0.0.0/104',
    '10.0.0.0/-1',
  ])
    test(`'${cidr}' is no network`, () => {
      assert.throws(() => new BmcNetworks([cidr]), RangeError);
    });
});
