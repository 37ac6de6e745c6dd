import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DesiredState, Segment } from '@bootswarm/controller/contract';
import { type ChannelPointer, channelId, type Manifest, releaseId } from '@bootswarm/images/format';
import { segmentWith } from '../decide/testing/world.ts';
import { releaseOf } from '../testing/releases.ts';
import { followSigned, type Vouching } from './trust-follow.ts';

const one = (await releaseOf('1')).manifest;
const two: Manifest = { ...(await releaseOf('2')).manifest, name: one.name, version: '2' };

const pointer = ({ name, version }: Manifest, more: Partial<ChannelPointer> = {}): ChannelPointer => ({
  format: 1,
  name,
  channel: 'stable',
  architecture: 'amd64',
  version,
  movedAt: '2026-03-02T08:00:00.000Z',
  ...more,
});
const stable = channelId(pointer(one));

/** Vouches for these releases and pointers, and nothing else. */
function vouching(releases: readonly Manifest[], pointers: readonly ChannelPointer[] = []): Vouching {
  return {
    channelOf: (id) => pointers.find((each) => channelId(each) === id),
    objectionTo: (manifest) =>
      releases.some((each) => JSON.stringify(each) === JSON.stringify(manifest)) ? undefined : 'not signed',
  };
}

function stateWith(more: Partial<DesiredState>): DesiredState {
  return {
    format: 1,
    edge: 'edge1',
    revision: 5,
    segments: [segmentWith()],
    policy: { options: {}, classes: [] },
    fellows: [],
    machines: [],
    releases: [],
    channels: [],
    ...more,
  };
}

const idsOf = (state: DesiredState) => state.releases.map(releaseId);

describe('what an edge follows of a desired state', () => {
  test('is all of it where all of it was signed', () => {
    const offered = stateWith({ releases: [one, two], channels: [pointer(one)] });
    const { state, refusals } = followSigned(offered, [], vouching([one, two], [pointer(one)]));
    assert.deepEqual([state, refusals], [offered, []]);
  });

  test('leaves out a release that was not signed, whatever was followed before', () => {
    const changed = { ...one, kernelArguments: ['init=/bin/sh'] };
    const { state, refusals } = followSigned(
      stateWith({ releases: [changed, two] }),
      [],
      vouching([one, two]),
    );
    assert.deepEqual(idsOf(state), [releaseId(two)]);
    assert.deepEqual(refusals, [
      {
        reference: releaseId(one),
        reason: 'not signed',
        artefacts: one.artefacts.map(({ sha256 }) => sha256),
      },
    ]);
  });

  test('holds on to the manifest that was signed where another is offered under its name', () => {
    const changed = { ...one, kernelArguments: ['init=/bin/sh'] };
    const { state, refusals } = followSigned(stateWith({ releases: [changed] }), [one], vouching([one]));
    assert.deepEqual(state.releases, [one]);
    assert.equal(refusals.length, 1);
  });

  test('forgets a release that nobody asks for any more, and one that is vouched for no longer', () => {
    assert.deepEqual(idsOf(followSigned(stateWith({}), [one], vouching([one])).state), []);
    assert.deepEqual(idsOf(followSigned(stateWith({ releases: [one] }), [one], vouching([])).state), []);
  });

  test('takes a channel to where it was signed to point, with what it held of that release', () => {
    const offered = stateWith({ releases: [two], channels: [pointer(two)] });
    const { state, refusals } = followSigned(offered, [one], vouching([one, two], [pointer(one)]));
    assert.deepEqual(idsOf(state).toSorted(), [releaseId(one), releaseId(two)].toSorted());
    assert.deepEqual(state.channels, [pointer(one)]);
    assert.match(refusals[0]?.reason ?? '', /said to point to .*, and was signed for/);
  });

  test('names the release in the place of the channel, wherever one is named', () => {
    const live = { kind: 'live' as const, release: stable };
    const menu: Segment['menu'] = {
      title: 'Boot',
      timeoutSeconds: 10,
      entries: [
        { ...live, label: 'Follow', locked: false },
        { kind: 'rescue', release: stable, label: 'Rescue', locked: false },
        { kind: 'live', release: releaseId(two), label: 'Stay', locked: false },
      ],
    } as NonNullable<Segment['menu']>;
    const offered = stateWith({
      releases: [one, two],
      channels: [pointer(one)],
      segments: [{ ...segmentWith(), defaultIntent: live, menu }],
      machines: [
        { id: 'm-1', macs: ['52:54:00:00:00:01'], intent: live },
        { id: 'm-2', macs: ['52:54:00:00:00:02'], intent: { kind: 'live', release: releaseId(two) } },
      ],
      mini: { amd64: stable },
    });
    const { state } = followSigned(offered, [], vouching([one, two], [pointer(one)]));
    assert.deepEqual(state.mini, { amd64: releaseId(one) });
    const namedIn = (what: object): unknown => ('release' in what ? what.release : undefined);
    assert.deepEqual(
      state.machines.map(({ intent }) => namedIn(intent)),
      [releaseId(one), releaseId(two)],
    );
    assert.equal(namedIn(state.segments[0]?.defaultIntent ?? {}), releaseId(one));
    assert.deepEqual(state.segments[0]?.menu?.entries.map(namedIn), [
      releaseId(one),
      releaseId(one),
      releaseId(two),
    ]);
  });

  test('keeps the name of a channel that nobody signed, which no release has', () => {
    const intent = { kind: 'live' as const, release: stable };
    const offered = stateWith({
      channels: [pointer(one)],
      releases: [one],
      machines: [{ id: 'm-1', macs: ['52:54:00:00:00:01'], intent }],
    });
    const { state, refusals } = followSigned(offered, [], vouching([one]));
    assert.deepEqual(state.machines[0]?.intent, intent);
    assert.deepEqual(
      refusals.map(({ reference }) => reference),
      [stable],
    );
  });
});
