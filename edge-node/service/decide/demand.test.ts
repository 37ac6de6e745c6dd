import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState, Intent } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import { byDemand } from './demand.ts';

const release = (name: string): Manifest =>
  ({ name, version: '1', architecture: 'amd64' }) as Partial<Manifest> as Manifest;
const live = (name: string): Intent => ({ kind: 'live', release: `${name}/1/amd64` });

test('what most machines wait for is fetched first, and the mini image before all', () => {
  const state = {
    releases: ['menu', 'one', 'two', 'debian', 'default', 'mini'].map(release),
    mini: { amd64: 'mini/1/amd64' },
    segments: [{ defaultIntent: live('default') }, { defaultIntent: { kind: 'local' } }],
    profiles: [{ name: 'installer', release: 'debian/1/amd64' }],
    machines: [
      live('two'),
      live('one'),
      live('two'),
      ...Array.from({ length: 3 }, (): Intent => ({ kind: 'installer', profile: 'installer' })),
    ].map((intent) => ({ intent })),
  } as unknown as DesiredState;
  assert.deepEqual(
    byDemand(state).map(({ name }) => name),
    ['mini', 'default', 'debian', 'two', 'one', 'menu'],
  );
});
