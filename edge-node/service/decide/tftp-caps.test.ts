import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DhcpClass, Sighting, TftpCaps } from '@bootswarm/controller/contract';
import { capsFor } from './tftp-caps.ts';

const client = { mac: 'b8:27:eb:00:00:01', uuid: '11111111-2222-3333-4444-555555555555' };
const segment = (tftp: TftpCaps = {}) => ({ name: 'seg1', tftp });
type Class = Pick<DhcpClass, 'match' | 'tftp'>;
/** Each is called by its place in the list. */
const named = (classes: readonly Class[]) =>
  classes.map((each, index) => ({ ...each, name: `class${index}` }));

describe('caps of a transfer', () => {
  const cases: readonly (readonly [
    what: string,
    ofSegment: TftpCaps,
    classes: readonly Class[],
    client: Sighting | undefined,
    blockBytes: number,
    window: number,
    held?: readonly string[],
  ])[] = [
    ['the usual ones', {}, [], client, 1408, 16],
    ["its segment's", { blockBytesMost: 8000, windowMost: 4 }, [], client, 8000, 4],
    [
      'a class by OUI',
      {},
      [{ match: { ouis: ['b8:27:eb'] }, tftp: { blockBytesMost: 1024 } }],
      client,
      1024,
      16,
    ],
    ['a class by MAC', {}, [{ match: { macs: [client.mac] }, tftp: { windowMost: 1 } }], client, 1408, 1],
    ['a class by UUID', {}, [{ match: { uuids: [client.uuid] }, tftp: { windowMost: 2 } }], client, 1408, 2],
    [
      'a class by segment',
      {},
      [{ match: { segments: ['seg1'] }, tftp: { windowMost: 3 } }],
      undefined,
      1408,
      3,
    ],
    ['another segment', {}, [{ match: { segments: ['seg2'] }, tftp: { windowMost: 3 } }], client, 1408, 16],
    [
      'a class, which widens nothing',
      { windowMost: 4 },
      [{ match: { macs: [client.mac] }, tftp: { windowMost: 8 } }],
      client,
      1408,
      4,
    ],
    [
      'a class that also asks for what DHCP alone sees, and did not',
      {},
      [{ match: { macs: [client.mac], platforms: ['bios'] }, tftp: { windowMost: 1 } }],
      client,
      1408,
      16,
    ],
    [
      'a class by platform that held when DHCP was spoken',
      {},
      [{ match: { platforms: ['bios'] }, tftp: { blockBytesMost: 1024 } }],
      client,
      1024,
      16,
      ['class0'],
    ],
    [
      'a class by vendor class that did not hold then',
      {},
      [{ match: { vendorClass: 'PXEClient:Arch:00009' }, tftp: { blockBytesMost: 1024 } }],
      client,
      1408,
      16,
      ['another'],
    ],
    ['nobody we know', {}, [{ match: { macs: [client.mac] }, tftp: { windowMost: 1 } }], undefined, 1408, 16],
    [
      'the narrowest of two classes',
      {},
      [
        { match: { macs: [client.mac] }, tftp: { windowMost: 2 } },
        { match: { ouis: ['b8:27:eb'] }, tftp: { windowMost: 6, blockBytesMost: 600 } },
      ],
      client,
      600,
      2,
    ],
  ];
  for (const [what, ofSegment, classes, of, blockBytesMost, windowMost, held = []] of cases)
    test(`follow ${what}`, () =>
      assert.deepEqual(capsFor(segment(ofSegment), named(classes), { client: of, classes: held }), {
        blockBytesMost,
        windowMost,
      }));
});
