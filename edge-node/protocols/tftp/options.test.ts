import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, negotiate } from './index.ts';

const FILE = { lengthBytes: 123456 };
const CAPS = { maxBlockBytes: 1428, maxWindow: 64 };

const CASES: { name: string; asked: Record<string, string>; acknowledged: Record<string, string> }[] = [
  { name: 'nothing', asked: {}, acknowledged: {} },
  { name: 'the length', asked: { tsize: '0' }, acknowledged: { tsize: '123456' } },
  { name: 'a block that fits', asked: { blksize: '1024' }, acknowledged: { blksize: '1024' } },
  { name: 'a block above the cap', asked: { blksize: '1468' }, acknowledged: { blksize: '1428' } },
  { name: 'the smallest block', asked: { blksize: '8' }, acknowledged: { blksize: '8' } },
  { name: 'too small a block', asked: { blksize: '7' }, acknowledged: {} },
  { name: 'too big a block', asked: { blksize: '65465' }, acknowledged: {} },
  { name: 'a block in words', asked: { blksize: 'big' }, acknowledged: {} },
  { name: 'a negative block', asked: { blksize: '-512' }, acknowledged: {} },
  { name: 'a block in hexadecimal', asked: { blksize: '0x200' }, acknowledged: {} },
  { name: 'an empty block', asked: { blksize: '' }, acknowledged: {} },
  { name: 'the window of OVMF', asked: { windowsize: '4' }, acknowledged: { windowsize: '4' } },
  { name: 'a window above 16 (quirk 12)', asked: { windowsize: '64' }, acknowledged: { windowsize: '16' } },
  { name: 'a window of 0', asked: { windowsize: '0' }, acknowledged: {} },
  { name: 'a timeout', asked: { timeout: '5' }, acknowledged: { timeout: '5' } },
  { name: 'a timeout of 0', asked: { timeout: '0' }, acknowledged: {} },
  { name: 'a timeout of 256', asked: { timeout: '256' }, acknowledged: {} },
  { name: 'options we do not know', asked: { utimeout: '500000', multicast: '' }, acknowledged: {} },
  { name: 'one good and one bad', asked: { blksize: '1', tsize: '0' }, acknowledged: { tsize: '123456' } },
];
for (const { name, asked, acknowledged } of CASES) {
  test(`asked for ${name}, it acknowledges ${JSON.stringify(acknowledged)}`, () => {
    const terms = negotiate(new Map(Object.entries(asked)), FILE, CAPS);
    assert.deepEqual(Object.fromEntries(terms.acknowledged), acknowledged);
    assert.equal(terms.blockBytes, Number(acknowledged['blksize'] ?? 512));
    assert.equal(terms.windowSize, Number(acknowledged['windowsize'] ?? 1));
    assert.equal(terms.timeoutSeconds, Number(acknowledged['timeout'] ?? 1));
  });
}

test('names count in any case, from the wire on', () => {
  const request = encode({ kind: 'rrq', file: 'a', mode: 'octet', options: new Map([['BLKSIZE', '1024']]) });
  const decoded = decode(request);
  assert.ok(decoded.ok && decoded.packet.kind === 'rrq');
  assert.equal(negotiate(decoded.packet.options, FILE, CAPS).blockBytes, 1024);
});
