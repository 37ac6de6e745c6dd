import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AnnounceAnswer,
  AnnounceUnreadable,
  announceQuery,
  compactPeers,
  decodeAnnounceAnswer,
  encodeAnnounceAnswer,
  encodeAnnounceRefusal,
  parseAnnounce,
  peerAddresses,
} from './announce.ts';

const INFOHASH = '8a27c388d674874c8d861d1242b99720f9a7482b';
const HASH = '%8a%27%c3%88%d6t%87L%8d%86%1d%12B%b9%97%20%f9%a7H%2B';

test('the announces of real clients are read', () => {
  const cases: Readonly<Record<string, readonly [string, object]>> = {
    'aria2 at its start': [
      `info_hash=%8A%27%C3%88%D6t%87L%8D%86%1D%12B%B9%97%20%F9%A7H%2B&peer_id=A2-1-36-0-%AB%00%01%02%03%04%05%06%07%08&uploaded=0&downloaded=0&left=40000&compact=1&key=A2-1-36&numwant=50&no_peer_id=1&port=6881&event=started&supportcrypto=1`,
      { port: 6881, left: 40_000, event: 'started', wantedPeers: 50 },
    ],
    'a plus that stands for itself': [`info_hash=${HASH.replace('%2B', '+')}&port=1&left=0`, { port: 1 }],
    'an address that somebody else has': [`info_hash=${HASH}&port=1&left=0&ip=10.0.0.1`, { left: 0 }],
    'an empty event': [`info_hash=${HASH}&port=1&left=0&event=`, { event: undefined }],
    'an event of a later BEP': [`info_hash=${HASH}&port=1&left=0&event=paused`, { event: undefined }],
    'as many peers as there are': [`info_hash=${HASH}&port=1&left=0&numwant=-1`, { wantedPeers: undefined }],
    'no peers': [`info_hash=${HASH}&port=1&left=0&numwant=0`, { wantedPeers: 0 }],
  };
  for (const [name, [query, expected]] of Object.entries(cases)) {
    const announce = parseAnnounce(query);
    assert.equal(announce.infohash, INFOHASH, name);
    assert.partialDeepStrictEqual(announce, expected, name);
    assert.ok(!('ip' in announce), name);
  }
});

test('an announce that is none is refused, and names why', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /port/],
    [`info_hash=${HASH}&left=0`, /port/],
    [`info_hash=${HASH}&port=0&left=0`, /port/],
    [`info_hash=${HASH}&port=65536&left=0`, /port must be a number of at most 65535/],
    [`info_hash=${HASH}&port=-1&left=0`, /port/],
    [`info_hash=${HASH}&port=1e3&left=0`, /port/],
    [`info_hash=${HASH}&port=1`, /left must be there/],
    [`info_hash=${HASH}&port=1&left=-5`, /left/],
    [`info_hash=${HASH}&port=1&left=99999999999999999999`, /left/],
    [`info_hash=${HASH}&port=1&left=0&numwant=many`, /numwant/],
    ['port=1&left=0', /info_hash/],
    ['info_hash=%8a%27&port=1&left=0', /info_hash must be 20 bytes/],
    [`info_hash=${HASH}%00&port=1&left=0`, /info_hash/],
    [`info_hash=${HASH.slice(0, -1)}&port=1&left=0`, /info_hash/],
    [`info_hash=${HASH.replace('%8a', '%zz')}&port=1&left=0`, /info_hash/],
    [`info_hash=${HASH.replace('%8a', '\u0141')}&port=1&left=0`, /info_hash/],
    [`info_hash=${HASH}&port=1&left=0&x=${'x'.repeat(2048)}`, /2048 characters/],
  ];
  for (const [query, message] of cases)
    assert.throws(() => parseAnnounce(query), { name: 'AnnounceUnreadable', message }, query);
});

test('an announce comes back as it went', () => {
  const announce = fc.record({
    infohash: fc
      .uint8Array({ minLength: 20, maxLength: 20 })
      .map((bytes) => Buffer.from(bytes).toString('hex')),
    port: fc.integer({ min: 1, max: 65_535 }),
    left: fc.maxSafeNat(),
    event: fc.constantFrom('started' as const, 'completed' as const, 'stopped' as const, undefined),
    wantedPeers: fc.option(fc.nat({ max: 200 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(announce, fc.uint8Array({ minLength: 20, maxLength: 20 }), (given, peerId) => {
      assert.deepEqual(parseAnnounce(announceQuery(given, peerId)), { ...given });
    }),
  );
});

test('whatever is asked is an announce or refused', () => {
  const parts = fc.constantFrom(
    'info_hash=',
    HASH,
    '&',
    'port=',
    '80',
    '&left=0',
    '%',
    '=',
    '&event=stopped',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(parts).map((each) => each.join('')),
      ),
      (query) => {
        try {
          assert.match(parseAnnounce(query).infohash, /^[0-9a-f]{40}$/);
        } catch (error) {
          assert.ok(error instanceof AnnounceUnreadable, String(error));
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

const peers = [
  { host: '10.1.2.3', port: 6881 },
  { host: '192.168.255.0', port: 65_535 },
];
const answer: AnnounceAnswer = {
  intervalSeconds: 30,
  minIntervalSeconds: 15,
  complete: 1,
  incomplete: 2,
  peers: compactPeers(peers),
};

test('an answer is as BEP 3 and 23 write it, and comes back as it went', () => {
  const bytes = encodeAnnounceAnswer(answer);
  const text = 'd8:completei1e10:incompletei2e8:intervali30e12:min intervali15e5:peers12:';
  assert.deepEqual(
    Buffer.from(bytes).toString('hex'),
    `${Buffer.from(text).toString('hex')}0a0102031ae1c0a8ff00ffff65`,
  );
  const decoded = decodeAnnounceAnswer(bytes);
  assert.deepEqual({ ...decoded, peers: peerAddresses(decoded.peers) }, { ...answer, peers });
});

test('an answer that is none is refused', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a refusal', Buffer.from(encodeAnnounceRefusal('no such swarm')).toString(), /no such swarm/],
    ['a web page', '<html>', /is not bencoded/],
    ['a number', 'i1e', /is no dictionary/],
    ['peers one by one', 'd8:intervali1e5:peerslee', /peers must be compact/],
    ['half a peer', 'd8:intervali1e5:peers3:abce', /peers must be compact/],
    ['no interval', 'd5:peers0:e', /interval must be there/],
    ['a negative interval', 'd8:intervali-1e5:peers0:e', /interval must be a number/],
  ];
  for (const [name, text, message] of cases)
    assert.throws(() => decodeAnnounceAnswer(Buffer.from(text)), { message }, name);
});
