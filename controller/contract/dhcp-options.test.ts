import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DHCP_OPTIONS, DhcpOptionSettings, dhcpOptionOf } from './dhcp-options.ts';

describe('an option that an operator sets', () => {
  const good: readonly (readonly [name: string, value: unknown])[] = [
    ['ntp-servers', '10.0.0.1, 10.0.0.2'],
    ['interface-mtu', 9000],
    ['ip-forwarding', false],
    ['domain-search', 'example.com, lab.example'],
    ['classless-static-routes', '10.8.0.0/16 via 10.1.2.254, 0.0.0.0/0 via 10.1.2.1'],
    ['time-offset', '-3600'],
    ['224', '0a:01:ff'],
    ['42', '10.0.0.1'],
    ['host-name', ''],
    ['subnet-mask', '255.255.254.0'],
    ['subnet-mask', '0.0.0.0'],
    ['static-routes', '10.8.0.1, 10.1.2.254, 10.9.0.1, 10.1.2.254'],
    ['policy-filter', '0.0.0.0, 0.0.0.0'],
    ['netbios-node-type', 8],
    ['vendor-encapsulated-options', '01:04:0a:00:00:05'],
  ];
  for (const [name, value] of good)
    test(`${name} ${JSON.stringify(value)} is taken`, () => {
      assert.ok(DhcpOptionSettings.safeParse({ [name]: value }).success);
    });

  const bad: readonly (readonly [name: string, value: unknown, reason: RegExp])[] = [
    ['ntp-servers', '10.0.0.1 10.0.0.2', /commas/],
    ['interface-mtu', 70_000, /between 68 and 65535/],
    ['interface-mtu', 67, /between 68/],
    ['default-ip-ttl', 0, /between 1 and 255/],
    ['netbios-node-type', 3, /one of 1, 2, 4, 8/],
    ['subnet-mask', '255.0.255.0', /netmask/],
    ['static-routes', '10.8.0.1', /pairs/],
    ['static-routes', '0.0.0.0, 10.1.2.1', /default route/],
    ['policy-filter', '10.8.0.0, 255.255.0.0, 10.9.0.0', /pairs/],
    ['time-offset', 2 ** 31, /between/],
    ['interface-mtu', '1e3', /whole number/],
    ['ip-forwarding', 'yes', /true or false/],
    ['domain-search', 'a..b', /domain names/],
    ['classless-static-routes', '10.8.0.0/16 10.1.2.254', /via/],
    ['classless-static-routes', '10.8.0.0/99 via 10.1.2.254', /via/],
    ['224', 'xyz', /hexadecimal/],
    ['host-name', 'a\u0000b', /printable/],
    ['no-such-option', 'x', /no option/],
    ['54', '10.0.0.1', /no option/],
    ['82', '0102', /no option/],
    ['0', '00', /no option/],
    ['81', '00', /no option/],
    // Objects have it by birth.
    ['constructor', 'x', /no option/],
    ['toString', 'x', /no option/],
    ['255', '00', /no option/],
  ];
  for (const [name, value, reason] of bad)
    test(`${name} ${JSON.stringify(value)} is refused, by its name`, () => {
      const [issue] = DhcpOptionSettings.safeParse({ [name]: value }).error?.issues ?? [];
      assert.deepEqual(issue?.path, [name]);
      assert.match(issue?.message ?? '', reason);
    });

  test('a number that has a name has its type', () => {
    assert.deepEqual(dhcpOptionOf('26'), DHCP_OPTIONS['interface-mtu']);
    assert.deepEqual(dhcpOptionOf('224'), { code: 224, type: 'bytes' });
  });

  test('one option by its name and by its number is refused', () => {
    const { error } = DhcpOptionSettings.safeParse({ '3': '10.0.0.1', routers: '10.0.0.2' });
    assert.match(error?.issues[0]?.message ?? '', /same option as 3/);
  });

  test('no two names have one number', () => {
    const codes = Object.values(DHCP_OPTIONS).map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
  });
});
