import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '@bootswarm/images/format';
import type { Edge } from './edge.ts';
import { readinessOf } from './edge-readiness.ts';

const NOW = new Date('2026-03-02T08:00:00.000Z');
const artefact = (role: 'kernel' | 'initramfs' | 'root' | 'contents', digit: string) => ({
  role,
  name: `${role}.bin`,
  length: 1,
  sha256: digit.repeat(64),
  pieceBytes: 16384,
  pieces: [digit.repeat(64)],
});
const manifest: Manifest = {
  format: 1,
  name: 'tiny',
  version: '1',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: [],
  artefacts: [
    artefact('kernel', 'a'),
    artefact('initramfs', 'b'),
    artefact('root', 'c'),
    artefact('contents', 'd'),
  ],
};

function edge(ready: string, more: Partial<Edge> = {}, reason?: string): Edge {
  const waiting = reason === undefined ? [] : [{ sha256: 'c'.repeat(64), reason }];
  const hashes = [...ready].map((digit) => digit.repeat(64));
  return {
    ...{ name: 'edge1', journalSeq: 0, joinedAt: '2026-03-01T08:00:00.000Z' },
    lastSeenAt: '2026-03-02T07:59:30.000Z',
    status: { revision: 1, addresses: [], ready: hashes, waiting },
    ...more,
  };
}

test('whether an edge is ready for a release, and why not', () => {
  const cases: readonly (readonly [string, Edge, boolean, number, RegExp])[] = [
    ['it attested all that edges hold; what is for operators does not count', edge('abc'), true, 3, /^$/],
    ['it attested more than that', edge('abce'), true, 3, /^$/],
    [
      'one is missing, with the reason that it tells',
      edge('ab', {}, 'disk full'),
      false,
      2,
      /^root.bin: disk full$/,
    ],
    ['nothing names the release there', edge('ab'), false, 2, /^root.bin: nothing of this edge names/],
    [
      'it was heard of long ago',
      edge('abc', { lastSeenAt: '2026-03-02T07:58:29.000Z' }),
      false,
      3,
      /not heard of since 2026-03-02T07:58/,
    ],
    ['it never joined', { name: 'edge1', journalSeq: 0 }, false, 0, /not joined/],
  ];
  for (const [name, given, ready, held, reason] of cases) {
    const found = readinessOf(manifest, given, NOW);
    assert.deepEqual([found.ready, found.held, found.all], [ready, held, 3], name);
    assert.match(found.reason ?? '', reason, name);
  }
});

test('it tells the site', () => {
  assert.equal(readinessOf(manifest, edge('abc', { site: 'berlin' }), NOW).site, 'berlin');
});
