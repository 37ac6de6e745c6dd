import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Segment } from '@bootswarm/controller/contract';
import type { Finding } from './finding.ts';
import {
  judgeClock,
  judgeFirmware,
  judgeInterface,
  judgeMtu,
  judgePathMtu,
  judgePort,
  judgeRelay,
  judgeServers,
  judgeStp,
} from './judge.ts';

const eth1 = { name: 'eth1', address: '10.1.2.2', hasCarrier: true, mtuBytes: 1500 };
const relay = { address: '10.1.2.1', source: '10.1.2.2', answersPing: true, answersFullPing: true };
const bridge = { interfaceName: 'br0', bridge: 'br0', hasStp: true, forwardDelaySeconds: 15 };
const port = { protocol: 'UDP', port: 67, purpose: 'DHCP' } as const;
const firmware = { name: 'snponly.efi', path: '/f/snponly.efi', package: 'ipxe', isRequired: true };
const dnsmasq = { pid: 7, commandLine: '/usr/sbin/dnsmasq -C /etc/dnsmasq.conf' };
const edge = { pid: 8, commandLine: 'node /srv/edge-node/service/main.ts --interface eth1' };

const segment = { name: 'seg', mode: 'dhcp' as Segment['mode'], otherServers: [] as string[] };
const servers = (heard: readonly string[], facts: Partial<typeof segment> = {}) =>
  judgeServers({
    interfaceName: 'eth1',
    served: { fellows: new Set(['10.1.2.3']), segment: { ...segment, ...facts } },
    heard,
    listenSeconds: 3,
  });

const cases: readonly (readonly [name: string, finding: Finding, result: Finding['result'], seen: RegExp])[] =
  [
    ['an interface that is up', judgeInterface(eth1), 'ok', /up, 10\.1\.2\.2/],
    ['one without a carrier', judgeInterface({ ...eth1, hasCarrier: false }), 'failed', /no carrier/],
    ['an MTU of Ethernet', judgeMtu(eth1), 'ok', /1500/],
    ['an MTU of a tunnel', judgeMtu({ ...eth1, mtuBytes: 1420 }), 'warn', /1420/],
    ['a relay that answers', judgeRelay(relay), 'ok', /answers ping from 10\.1\.2\.2/],
    ['a relay that does not', judgeRelay({ ...relay, answersPing: false }), 'failed', /answers no ping/],
    ['a relay without a route', judgeRelay({ ...relay, source: undefined }), 'failed', /no route/],
    ['a path that carries Ethernet', judgePathMtu(relay), 'ok', /1500 bytes pass/],
    [
      'a path with a tunnel',
      judgePathMtu({ ...relay, answersFullPing: false }),
      'warn',
      /1500 bytes do not pass/,
    ],
    [
      'a path that nothing passes',
      judgePathMtu({ ...relay, answersPing: false, answersFullPing: false }),
      'skipped',
      /no ping/,
    ],
    ['no other server', servers([]), 'ok', /within 3 s/],
    ['another server', servers(['10.1.2.9']), 'failed', /10\.1\.2\.9/],
    ['a server that is welcome', servers(['10.1.2.9'], { otherServers: ['10.1.2.9'] }), 'ok', /10\.1\.2\.9/],
    ['another edge', servers(['10.1.2.3']), 'ok', /10\.1\.2\.3/],
    ['the server that leases instead', servers(['10.1.2.9'], { mode: 'proxy' }), 'ok', /10\.1\.2\.9/],
    ['two of them', servers(['10.1.2.9', '10.1.2.10'], { mode: 'proxy' }), 'failed', /10\.1\.2\.9, 10/],
    ['none of them', servers([], { mode: 'proxy' }), 'warn', /leaves the addresses to one/],
    ['a real card', judgeStp('eth1', undefined), 'skipped', /cannot see it/],
    ['a bridge with spanning tree', judgeStp('br0', bridge), 'failed', /forwards 30 s after/],
    [
      'a bridge with a quick spanning tree',
      judgeStp('br0', { ...bridge, forwardDelaySeconds: 2 }),
      'warn',
      /forwards 4 s after/,
    ],
    ['a bridge without', judgeStp('br0', { ...bridge, hasStp: false }), 'ok', /as soon as/],
    ['a clock that agrees', judgeClock('http://c', { aheadSeconds: -1.2 }), 'ok', /agrees/],
    ['a clock that is a little late', judgeClock('http://c', { aheadSeconds: -30 }), 'ok', /30 s behind/],
    ['a clock that is late', judgeClock('http://c', { aheadSeconds: -31 }), 'failed', /31 s behind/],
    ['a clock that is early', judgeClock('http://c', { aheadSeconds: 90 }), 'failed', /90 s ahead of/],
    [
      'a controller that is silent',
      judgeClock('http://c', { reason: 'refused' }),
      'failed',
      /does not answer: refused/,
    ],
    ['a free port', judgePort({ ...port, holders: [] }), 'ok', /free/],
    ['a port of this edge', judgePort({ ...port, holders: [edge] }), 'ok', /this edge, .*pid 8/],
    [
      'a port of another',
      judgePort({ ...port, holders: [edge, dnsmasq] }),
      'failed',
      /^held by \/usr\/sbin\/dnsmasq/,
    ],
    [
      'a port of nobody that can be seen',
      judgePort({ ...port, holders: [{ pid: undefined, commandLine: '' }] }),
      'failed',
      /another user/,
    ],
    ['a boot file', judgeFirmware({ ...firmware, found: { bytes: 9 } }), 'ok', /9 bytes/],
    ['a boot file that is empty', judgeFirmware({ ...firmware, found: { bytes: 0 } }), 'failed', /empty/],
    [
      'a boot file that is missing',
      judgeFirmware({ ...firmware, found: { reason: 'ENOENT' } }),
      'failed',
      /ENOENT/,
    ],
    [
      'a boot file that few need',
      judgeFirmware({ ...firmware, isRequired: false, found: { reason: 'ENOENT' } }),
      'warn',
      /ENOENT/,
    ],
  ];

describe('the doctor judges', () => {
  for (const [name, finding, result, seen] of cases)
    test(`${name}: ${result}`, () => {
      assert.equal(finding.result, result);
      assert.match(finding.seen, seen);
      assert.equal(finding.remedy === undefined, result === 'ok', 'a remedy for all but what is well');
    });
});

test('what to do about a stranger names where it can be made welcome', () => {
  const remedyOf = (served: Parameters<typeof judgeServers>[0]['served']) =>
    judgeServers({ interfaceName: 'eth1', served, heard: ['10.1.2.9'], listenSeconds: 3 }).remedy ?? '';
  assert.match(remedyOf({ fellows: new Set(), segment }), /otherServers of segment seg/);
  assert.match(remedyOf({ fellows: new Set(), segment: undefined }), /the segment of this interface/);
  assert.match(remedyOf(undefined), /--data/);
});
