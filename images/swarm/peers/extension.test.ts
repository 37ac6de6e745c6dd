import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decodeExtendedHandshake,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  UNSAID,
} from './extension.ts';

const OURS: ExtendedHandshake = {
  port: 6881,
  requests: 512,
  client: 'Bootswarm',
  blockBytes: 1024 * 1024,
  isEdge: true,
};

describe('an extended handshake', () => {
  test('says the same when it is read', () => {
    assert.deepEqual(decodeExtendedHandshake(encodeExtendedHandshake(OURS)), OURS);
    const other = { ...OURS, isEdge: false, port: undefined };
    assert.deepEqual(decodeExtendedHandshake(encodeExtendedHandshake(other)), other);
  });

  const cases: readonly (readonly [string, string, Partial<ExtendedHandshake>])[] = [
    ['of nothing', 'de', {}],
    ['that is no dictionary', 'le', {}],
    [
      'as aria2 says it',
      'd1:md11:ut_metadatai9ee1:pi6881e1:v12:aria2/1.36.0e',
      { port: 6881, client: 'aria2/1.36.0' },
    ],
    ['with the key of large blocks and not the extension', 'd8:bs_blocki1048576ee', {}],
    ['with more than a block may have', 'd8:bs_blocki1048577e1:md8:bs_blocki1eee', {}],
    [
      'with large blocks that are no multiple of 16 KiB',
      'd8:bs_blocki40000e1:md8:bs_blocki1eee',
      { blockBytes: 32_768 },
    ],
    ['with numbers that make no sense', 'd1:pi0e4:reqqi-1e8:bs_blocki-1ee', {}],
    ['with a port that is none', 'd1:pi65536ee', {}],
    ['with control characters in the name', 'd1:v7:a\x1b[2J\x07be', { client: 'a[2Jb' }],
    ['with texts where numbers belong', 'd1:m1:x1:p1:x4:reqq1:xe', {}],
  ];
  for (const [name, text, said] of cases)
    test(name, () =>
      assert.deepEqual(decodeExtendedHandshake(Buffer.from(text, 'latin1')), { ...UNSAID, ...said }),
    );
});
