import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bmcFrom } from './bmc.ts';

/** As ipmitool 1.8.19 prints it. */
const PRINTED = `Set in Progress         : Set Complete
Auth Type Support       : MD5
Auth Type Enable        : Callback : MD5
                        : User     : MD5
IP Address Source       : DHCP Address
IP Address              : 10.1.9.17
Subnet Mask             : 255.255.255.0
MAC Address             : 0C:C4:7A:01:02:03
Default Gateway IP      : 10.1.9.1
`;

test("a baseboard controller's address, MAC and where it has them from", () => {
  assert.deepEqual(bmcFrom(PRINTED), { address: '10.1.9.17', mac: '0c:c4:7a:01:02:03', isDhcp: true });
});

test('one that has no address yet is told with its MAC', () => {
  const printed = PRINTED.replace('10.1.9.17', '0.0.0.0').replace('DHCP Address', 'Static Address');
  assert.deepEqual(bmcFrom(printed), { mac: '0c:c4:7a:01:02:03', isDhcp: false });
});

for (const [what, printed] of [
  ['nothing', ''],
  ['an error', 'Could not open device at /dev/ipmi0 or /dev/ipmi/0: No such file or directory'],
] as const)
  test(`${what} is no baseboard controller`, () => {
    assert.equal(bmcFrom(printed), undefined);
  });
