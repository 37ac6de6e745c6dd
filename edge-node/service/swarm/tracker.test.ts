import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AnnounceAnswer,
  type AnnounceEvent,
  announceQuery,
  decodeAnnounceAnswer,
  type Manifest,
  peerAddresses,
} from '@bootswarm/images/format';
import { releaseOf } from '../testing/releases.ts';
import { Tracker } from './tracker.ts';

const INFOHASHES = ['a'.repeat(40), 'b'.repeat(40)] as const;
const PEER_ID = new Uint8Array(20);

/** A release whose root has a swarm. */
async function swarmedRelease(name: string, infohash: string): Promise<Manifest> {
  const { manifest } = await releaseOf(name);
  const artefacts = manifest.artefacts.map((each) => (each.role === 'root' ? { ...each, infohash } : each));
  return { ...manifest, artefacts };
}

const releases = await Promise.all(
  INFOHASHES.map((infohash, at) => swarmedRelease(`release${at}`, infohash)),
);
const [rootOfFirst = ''] = releases.map(
  ({ artefacts }) => artefacts.find(({ role }) => role === 'root')?.sha256,
);

interface Asking {
  readonly infohash?: string;
  readonly port?: number;
  readonly left?: number;
  readonly event?: AnnounceEvent;
  readonly wants?: number;
  readonly more?: string;
}

/** A tracker of segments 10.1.0.0/16 and 10.2.0.0/16, whose edge seeds the first release. */
function site(mostPeers = 65_536) {
  let nowMs = 0;
  const tracker = new Tracker({
    segmentOf: (address) => /^10\.([12])\./.exec(address)?.[1],
    seedPortOf: (sha256) => (sha256 === rootOfFirst ? 8481 : undefined),
    mostPeers,
    clock: () => nowMs,
  });
  tracker.follow(releases);
  const announce = (address: string, asking: Asking = {}): AnnounceAnswer => {
    const { infohash = INFOHASHES[0], port = 6881, left = 1, event, wants, more = '' } = asking;
    const query = announceQuery({ infohash, port, left, event, wantedPeers: wants }, PEER_ID) + more;
    const segment = address.split('.')[1];
    return decodeAnnounceAnswer(tracker.announce(query, { address, edgeAddress: `10.${segment}.0.1` }));
  };
  const peers = (address: string, asking?: Asking): readonly string[] =>
    peerAddresses(announce(address, asking).peers)
      .map((each) => `${each.host}:${each.port}`)
      .toSorted();
  return {
    tracker,
    announce,
    peers,
    wait: (seconds: number) => {
      nowMs += seconds * 1000;
    },
  };
}

describe('the tracker', () => {
  test('tells machines of a segment of each other and of the edge, by the address at which they reach it', () => {
    const { peers } = site();
    assert.deepEqual(peers('10.1.0.5', { event: 'started' }), ['10.1.0.1:8481']);
    assert.deepEqual(peers('10.1.0.6', { port: 7000 }), ['10.1.0.1:8481', '10.1.0.5:6881']);
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481', '10.1.0.6:7000']);
  });

  test('tells nobody of another segment or another artefact', () => {
    const { peers } = site();
    peers('10.1.0.5');
    assert.deepEqual(peers('10.2.0.5'), ['10.2.0.1:8481']);
    assert.deepEqual(peers('10.1.0.6', { infohash: INFOHASHES[1] }), []);
  });

  test('takes the address of the connection, whatever else the query names', () => {
    const { peers } = site();
    peers('10.1.0.5', { more: '&ip=10.1.0.77&ipv4=10.1.0.78' });
    assert.deepEqual(peers('10.1.0.6'), ['10.1.0.1:8481', '10.1.0.5:6881']);
  });

  test('refuses strangers, what no release has, and what is no announce', () => {
    const { announce, tracker } = site();
    const cases: readonly (readonly [string, () => unknown, object])[] = [
      ['a foreign address', () => announce('192.0.2.1'), { code: 'announce_from_outside', status: 403 }],
      [
        'an unknown infohash',
        () => announce('10.1.0.5', { infohash: 'c'.repeat(40) }),
        { code: 'swarm_unknown' },
      ],
      [
        'no announce',
        () => tracker.announce('port=1', { address: '10.1.0.5', edgeAddress: '10.1.0.1' }),
        { code: 'announce_unreadable', message: /left must be there/ },
      ],
    ];
    for (const [name, ask, error] of cases) assert.throws(ask, error, name);
    assert.equal(tracker.peers, 0);
  });

  test('forgets who stops, and who is silent for two intervals', () => {
    const { announce, peers, tracker, wait } = site();
    announce('10.1.0.5');
    announce('10.1.0.6');
    announce('10.1.0.7');
    assert.deepEqual(peers('10.1.0.7', { event: 'stopped' }), []);
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481', '10.1.0.6:6881']);
    wait(60);
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481', '10.1.0.6:6881']);
    wait(20);
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481']);
    assert.equal(tracker.peers, 1);
  });

  test('counts who is finished, the edge among them, and tells them of who is not', () => {
    const { announce, peers } = site();
    announce('10.1.0.5', { left: 0, event: 'completed' });
    announce('10.1.0.6');
    const { complete, incomplete, intervalSeconds, minIntervalSeconds } = announce('10.1.0.7');
    assert.deepEqual({ complete, incomplete }, { complete: 2, incomplete: 2 });
    assert.deepEqual(
      { intervalSeconds, minIntervalSeconds },
      { intervalSeconds: 30, minIntervalSeconds: 15 },
    );
    assert.deepEqual(peers('10.1.0.5', { left: 0 }), ['10.1.0.6:6881', '10.1.0.7:6881']);
  });

  test('forgets the swarms of a release that is gone', () => {
    const { announce, tracker } = site();
    announce('10.1.0.5');
    announce('10.1.0.5', { infohash: INFOHASHES[1] });
    assert.equal(tracker.peers, 2);
    tracker.follow(releases.slice(1));
    assert.equal(tracker.peers, 1);
    assert.throws(() => announce('10.1.0.5'), { code: 'swarm_unknown' });
    assert.doesNotThrow(() => announce('10.1.0.5', { infohash: INFOHASHES[1] }));
  });

  test('holds so many peers of all swarms and no more; one more is told of them all the same', () => {
    const { announce, peers, tracker } = site(3);
    for (const last of [5, 6]) announce(`10.1.0.${last}`);
    announce('10.2.0.5', { infohash: INFOHASHES[1] });
    assert.deepEqual(peers('10.1.0.7'), ['10.1.0.1:8481', '10.1.0.5:6881', '10.1.0.6:6881']);
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481', '10.1.0.6:6881']);
    assert.equal(tracker.peers, 3);
    announce('10.1.0.6', { event: 'stopped' });
    announce('10.1.0.7');
    assert.deepEqual(peers('10.1.0.5'), ['10.1.0.1:8481', '10.1.0.7:6881']);
  });

  test('ten thousand machines get fifty peers each, and announce less often', () => {
    const { announce, peers, tracker } = site();
    for (let at = 0; at < 10_000; at++) announce(`10.1.${at >> 8}.${at & 255}`, { wants: 0 });
    assert.equal(tracker.peers, 10_000);
    assert.equal(new Set(peers('10.1.0.5')).size, 50);
    assert.equal(announce('10.1.0.5').intervalSeconds, 200);
  });
});
