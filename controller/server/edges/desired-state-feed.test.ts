import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { DesiredState, endpoints } from '@bootswarm/controller/contract';
import { makeSigningKey, type Signed, verifySigned } from '@bootswarm/images/format';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleRelease, sampleSegment } from '../testing/samples.ts';
import { desiredStateOf, type Fleet } from './desired-state.ts';
import { DesiredStateFeed } from './desired-state-feed.ts';

const never = new AbortController().signal;
const LONG_MS = 60_000;

function stateOf(signed: Signed | null): DesiredState {
  assert.ok(signed, 'there is a desired state');
  return DesiredState.parse(JSON.parse(signed.payload));
}

const policy = { options: { 'ntp-servers': '10.0.0.1' }, classes: [] };

describe('what an edge is told', () => {
  const machine = { id: 'm-1', macs: ['52:54:00:00:00:01'] };

  test('its own segments, every machine with an intent, and the releases that they name', async () => {
    const [one, two, three] = await Promise.all(['1', '2', '3'].map((version) => sampleRelease(version)));
    const fleet: Fleet = {
      policy,
      edges: [
        {
          name: 'edge1',
          journalSeq: 0,
          status: { revision: 0, addresses: ['10.0.0.1'], ready: [], waiting: [] },
        },
        {
          name: 'edge2',
          journalSeq: 0,
          status: { revision: 0, addresses: ['10.0.0.2'], ready: [], waiting: [] },
        },
        {
          name: 'edge3',
          journalSeq: 0,
          status: { revision: 0, addresses: ['10.0.0.3'], ready: [], waiting: [] },
        },
      ],
      segments: [
        sampleSegment(1, 'edge1', {
          edges: ['edge1', 'edge3'],
          defaultIntent: { kind: 'live', release: 'minimal/1/amd64' },
        }),
        sampleSegment(2, 'edge2', { defaultIntent: { kind: 'live', release: 'minimal/3/amd64' } }),
      ],
      machines: [
        {
          ...machine,
          intent: { kind: 'live', release: 'minimal/2/amd64' },
          lastSeenAt: '2026-03-02T08:00:00.000Z',
        },
        { id: 'm-2', macs: ['52:54:00:00:00:02'] },
      ],
      manifests: [one, two, three].flatMap((sample) => (sample ? [sample.manifest] : [])),
      channels: [],
      trustRoot: undefined,
    };
    assert.deepEqual(desiredStateOf('edge1', fleet), {
      format: 1,
      edge: 'edge1',
      segments: [fleet.segments[0]],
      policy,
      fellows: ['10.0.0.3'],
      machines: [{ ...machine, intent: { kind: 'live', release: 'minimal/2/amd64' } }],
      releases: [one?.manifest, two?.manifest],
      channels: [],
    });
  });

  test('the channels that they name, the releases behind those, and no others', async () => {
    const [one, two] = await Promise.all(['1', '2'].map((version) => sampleRelease(version)));
    const pointer = (channel: string, version: string) => ({
      format: 1 as const,
      name: 'minimal',
      channel,
      architecture: 'amd64' as const,
      version,
      movedAt: '2026-03-02T08:00:00.000Z',
    });
    const [stable, beta] = [pointer('stable', '1'), pointer('beta', '2')];
    const told = desiredStateOf('edge1', {
      segments: [
        sampleSegment(1, 'edge1', { defaultIntent: { kind: 'live', release: 'minimal/@stable/amd64' } }),
      ],
      policy,
      edges: [],
      machines: [],
      manifests: [one, two].flatMap((sample) => (sample ? [sample.manifest] : [])),
      channels: [stable, beta],
      trustRoot: '{}',
    });
    assert.deepEqual([told.channels, told.releases, told.trustRoot], [[stable], [one?.manifest], '{}']);
  });

  test('nothing where it serves no segment', () => {
    const machines = [{ ...machine, intent: { kind: 'local' as const } }];
    const {
      segments,
      machines: told,
      releases,
    } = desiredStateOf('edge1', {
      segments: [],
      policy,
      edges: [],
      machines,
      manifests: [],
      channels: [],
      trustRoot: undefined,
    });
    assert.deepEqual([segments, told, releases], [[], [], []]);
  });
});

describe('the feed of desired states', () => {
  const key = makeSigningKey();
  let store: InterposedStore;
  let fleet: Fleet;
  let reads: number;
  let feed: DesiredStateFeed;

  beforeEach(async () => {
    store = new InterposedStore();
    fleet = {
      segments: [sampleSegment(1, 'edge1')],
      policy,
      edges: [],
      machines: [],
      manifests: [],
      channels: [],
      trustRoot: undefined,
    };
    reads = 0;
    feed = restarted();
    await commit();
  });

  afterEach(() => {
    assert.equal(store.watchers, 0, 'nobody is left waiting');
  });

  function restarted(): DesiredStateFeed {
    const readFleet = async (): Promise<Fleet> => {
      reads += 1;
      return fleet;
    };
    return new DesiredStateFeed(store, readFleet, key.privateKey);
  }

  async function commit(): Promise<void> {
    await store.commit({ put: { something: await store.revision() } });
  }

  /** Waits for what comes after `after`, and tells when the wait has begun. */
  async function waiting(after: number, signal = never): Promise<{ readonly ends: Promise<Signed | null> }> {
    const ends = feed.next('edge1', after, LONG_MS, signal);
    assert.equal(store.watchers, 1, 'all that wait look once');
    // Long enough that it has looked once and waits for a change.
    await new Promise((resolve) => setImmediate(resolve));
    return { ends };
  }

  test('what it hands out is signed by its key and no other', async () => {
    const signed = await feed.next('edge1', -1, 0, never);
    assert.ok(signed);
    assert.equal(verifySigned(signed, key.publicKey), true);
    assert.equal(verifySigned(signed, makeSigningKey().publicKey), false);
    assert.equal(verifySigned({ ...signed, payload: `${signed.payload} ` }, key.publicKey), false);
    assert.equal(stateOf(signed).edge, 'edge1');
  });

  test('the revision rises when the content changes, and only then', async () => {
    const first = stateOf(await feed.next('edge1', -1, 0, never));
    await commit();
    assert.deepEqual(stateOf(await feed.next('edge1', -1, 0, never)), first);
    assert.equal(await feed.next('edge1', first.revision, 0, never), null);
    fleet = { ...fleet, segments: [sampleSegment(1, 'edge1', { leaseSeconds: 600 })] };
    await commit();
    const second = stateOf(await feed.next('edge1', first.revision, 0, never));
    assert.ok(second.revision > first.revision);
    assert.equal(second.segments[0]?.leaseSeconds, 600);
  });

  test('after a restart no edge is handed a lower revision', async () => {
    const before = stateOf(await feed.next('edge1', -1, 0, never));
    feed = restarted();
    assert.ok(stateOf(await feed.next('edge1', -1, 0, never)).revision >= before.revision);
  });

  test('a wait ends with the change that it waited for, and sleeps through others', async () => {
    const { revision } = stateOf(await feed.next('edge1', -1, 0, never));
    const wait = await waiting(revision);
    const told = reads;
    await commit();
    while (reads === told) await new Promise((resolve) => setImmediate(resolve));
    fleet = { ...fleet, segments: [] };
    await commit();
    assert.deepEqual(stateOf(await wait.ends).segments, []);
  });

  test('a change between looking and waiting is not missed', async () => {
    const { revision } = stateOf(await feed.next('edge1', -1, 0, never));
    const next = feed.next('edge1', revision, LONG_MS, never);
    fleet = { ...fleet, segments: [] };
    await commit();
    assert.deepEqual(stateOf(await next).segments, []);
  });

  test('a wait that brings nothing ends with null after its time', async () => {
    const { revision } = stateOf(await feed.next('edge1', -1, 0, never));
    assert.equal(await feed.next('edge1', revision, 5, never), null);
  });

  test('a caller who goes away frees the wait', async () => {
    const { revision } = stateOf(await feed.next('edge1', -1, 0, never));
    const gone = new AbortController();
    const wait = await waiting(revision, gone.signal);
    gone.abort();
    assert.equal(await wait.ends, null);
    assert.equal(await feed.next('edge1', revision, LONG_MS, gone.signal), null);
  });

  test('stopping ends every wait and lets nobody wait any more', async () => {
    const { revision } = stateOf(await feed.next('edge1', -1, 0, never));
    const waits = [await waiting(revision), await waiting(revision)];
    feed.stop();
    assert.deepEqual(await Promise.all(waits.map(({ ends }) => ends)), [null, null]);
    assert.equal(await feed.next('edge1', revision, LONG_MS, never), null);
  });

  test('edges that ask at one revision share one reading of the fleet', async () => {
    await Promise.all(['edge1', 'edge2', 'edge3'].map((edge) => feed.next(edge, -1, 0, never)));
    assert.equal(reads, 1);
    await commit();
    await feed.next('edge1', -1, 0, never);
    assert.equal(reads, 2);
  });

  test('a fleet that could not be read is read again', async () => {
    let broken = true;
    const readFleet = async (): Promise<Fleet> => {
      if (broken) throw new Error('disk trouble');
      return fleet;
    };
    feed = new DesiredStateFeed(store, readFleet, key.privateKey);
    await assert.rejects(feed.next('edge1', -1, 0, never), /disk trouble/);
    broken = false;
    assert.equal(stateOf(await feed.next('edge1', -1, 0, never)).edge, 'edge1');
  });
});

test('over HTTP a client that goes away frees its wait', async () => {
  const store = new InterposedStore();
  await using controller = await ControllerUnderTest.start(store);
  const edge = controller.client(await controller.joinEdge('edge1'));
  const { revision } = stateOf(await edge.call(endpoints.desiredState, { query: {} }));
  const gone = new AbortController();
  const query = { after: revision, waitSeconds: 60 };
  const call = edge.call(endpoints.desiredState, { query }, { signal: gone.signal });
  while (store.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
  gone.abort();
  await assert.rejects(call);
  while (store.watchers > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('over HTTP a wait ends when an operator changes something', async () => {
  const store = new InterposedStore();
  await using controller = await ControllerUnderTest.start(store);
  const edge = controller.client(await controller.joinEdge('edge1'));
  const { revision } = stateOf(await edge.call(endpoints.desiredState, { query: {} }));
  const call = edge.call(endpoints.desiredState, { query: { after: revision, waitSeconds: 60 } });
  while (store.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
  await controller.operator.call(endpoints.addSegment, { body: sampleSegment(1, 'edge1') });
  assert.deepEqual(
    stateOf(await call).segments.map(({ name }) => name),
    ['seg1'],
  );
});
