import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { InstallerProfile, type Machine, Profile, problem } from '@bootswarm/controller/contract';
import { desiredMachinesOf, desiredStateOf } from '../edges/desired-state.ts';
import { Machines } from '../machines/machines.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleRelease, sampleSegment } from '../testing/samples.ts';
import { Profiles } from './profiles.ts';

const MAC = '52:54:00:00:00:01';
const profile = InstallerProfile.parse({
  name: 'debian',
  release: 'minimal/1.0/amd64',
  kind: 'preseed',
  variables: { disk: '/dev/sda', password: null },
  answers: '{{ disk }} {{ password | line }}',
});
const intent = { kind: 'installer', profile: 'debian' } as const;

describe('profiles of installers', () => {
  let store: InterposedStore;
  let profiles: Profiles;
  let machines: Machines;

  beforeEach(async () => {
    store = new InterposedStore();
    const { manifest } = await sampleRelease();
    profiles = new Profiles({
      store,
      hold: async (release) => {
        if (release === profile.release) return { held: release };
        throw problem('machine_release_unknown', { facts: { release } });
      },
      manifestOf: async () => ({ ...manifest, bootStyle: 'installer' }),
    });
    machines = new Machines(
      store,
      async (each, reads) => ('profile' in each ? profiles.hold(each.profile, reads) : {}),
      async (machine, reads) => {
        if (machine.intent && 'profile' in machine.intent)
          await profiles.requireFit(machine.intent, machine, reads);
      },
    );
  });

  test('are kept, listed, replaced and removed, and hold the release that they name', async () => {
    await profiles.replace('debian', profile);
    assert.deepEqual(await profiles.list(), [profile]);
    assert.equal((await store.get('held'))?.value, profile.release);
    const revision = await store.revision();
    await profiles.replace('debian', profile);
    assert.equal(await store.revision(), revision, 'the same again changes nothing');
    await profiles.remove('debian');
    await assert.rejects(profiles.show('debian'), { code: 'not_found' });
    await assert.rejects(profiles.remove('debian'), { code: 'not_found' });
  });

  test('name a release that is there, and that their kind of installer can run', async () => {
    await assert.rejects(profiles.replace('debian', { ...profile, release: 'a/b/amd64' }), {
      code: 'machine_release_unknown',
    });
    const { manifest } = await sampleRelease();
    const others = new Profiles({ store, hold: async () => ({}), manifestOf: async () => manifest });
    await assert.rejects(others.replace('debian', profile), { code: 'profile_release_unfit' });
    await assert.rejects(profiles.replace('other', profile), { code: 'input_invalid', field: 'name' });
    assert.deepEqual(await profiles.list(), []);
  });

  test('are not removed while a machine is to be installed by them', async () => {
    await profiles.replace('debian', profile);
    await machines.setVariables(MAC, { password: 'x' });
    await machines.setIntent(MAC, intent);
    await assert.rejects(profiles.remove('debian'), { code: 'profile_in_use' });
  });

  test('of one removed and named at the same time, one loses', async () => {
    await profiles.replace('debian', profile);
    await machines.setVariables(MAC, { password: 'x' });
    const outcomes = await Promise.allSettled([machines.setIntent(MAC, intent), profiles.remove('debian')]);
    const reasons = outcomes
      .map((each) => (each.status === 'rejected' ? each.reason.code : 'done'))
      .toSorted();
    assert.ok(
      reasons.join() === 'done,profile_in_use' || reasons.join() === 'done,profile_unknown',
      reasons.join(),
    );
  });

  test('are armed for a machine only where there is one, and the machine has what it lacks', async () => {
    await assert.rejects(machines.setIntent(MAC, intent), { code: 'profile_unknown' });
    await profiles.replace('debian', profile);
    await assert.rejects(machines.setIntent(MAC, intent), {
      code: 'profile_unfit',
      message: /the machine has no value for password/,
    });
    const { id } = await machines.setVariables(MAC, { password: 'x', other: 'y' });
    assert.equal((await machines.setIntent(MAC, intent)).epoch, 1);
    assert.equal((await machines.setIntent(id, intent)).epoch, 2, 'armed again is another epoch');
    assert.deepEqual((await machines.setVariables(id, { other: null })).variables, { password: 'x' });
    await assert.rejects(machines.setVariables('nobody', { a: 'b' }), { code: 'not_found' });
  });

  test('reach the edges whose machines name them, with release, epoch and variables', async () => {
    const { manifest } = await sampleRelease();
    await profiles.replace('debian', profile);
    await machines.setVariables(MAC, { password: 'x' });
    const machine = await machines.setIntent(MAC, intent);
    const fleet = {
      policy: { options: {}, classes: [] },
      edges: [],
      segments: [sampleSegment(1, 'edge1')],
      machines: [
        { ...machine, spent: { epoch: 1, at: '2026-01-01T00:00:00.000Z', edge: 'edge1', detail: '' } },
      ],
      manifests: [manifest],
      channels: [],
      trustRoot: undefined,
      profiles: [profile, { ...profile, name: 'nobodys' }],
    };
    const state = desiredStateOf('edge1', fleet);
    assert.deepEqual(state.profiles, [profile]);
    assert.deepEqual(state.releases, [manifest]);
    assert.deepEqual(state.machines, [
      { id: machine.id, macs: [MAC], intent, epoch: 1, spentEpoch: 1, variables: { password: 'x' } },
    ]);
    assert.equal(desiredStateOf('edge2', fleet).profiles, undefined);
  });

  test('reach the edges with what an assignment says beside, where it gave the intent and no later one', async () => {
    await profiles.replace('debian', profile);
    await machines.setVariables(MAC, { password: 'x' });
    const machine = await machines.setIntent(MAC, intent);
    const assignment = {
      ...{ name: 'all', epoch: 1, kernelArguments: ['quiet'] },
      variables: { password: 'y', disk: '/dev/vda' },
    };
    const [given] = desiredMachinesOf([{ ...machine, assignment }]);
    assert.deepEqual(given?.kernelArguments, ['quiet']);
    assert.deepEqual(
      given?.variables,
      { password: 'x', disk: '/dev/vda' },
      "the machine's own take their place",
    );
    const [later] = desiredMachinesOf([{ ...machine, epoch: 2, assignment }]);
    assert.deepEqual([later?.kernelArguments, later?.variables], [undefined, { password: 'x' }]);
  });

  test('of images are armed by install alone, and their release is one that can be installed', async () => {
    await profiles.replace('debian', profile);
    const image = await replaceImage();
    const install = { kind: 'install', profile: 'web' } as const;
    assert.equal((await machines.setIntent(MAC, install)).epoch, 1);
    await assert.rejects(machines.setIntent(MAC, { kind: 'installer', profile: 'web' }), {
      code: 'profile_unfit',
      message: /the intent for it is 'install web'/,
    });
    await assert.rejects(machines.setIntent(MAC, { kind: 'install', profile: 'debian' }), {
      code: 'profile_unfit',
      message: /the intent for it is 'installer debian'/,
    });
    await assert.rejects(machines.setIntent(MAC, { ...install, release: 'mini/1/amd64' }), {
      code: 'profile_release_unfit',
      message: /it holds no system/,
    });
    await assert.rejects(profiles.replace('web', { ...image, release: 'mini/1/amd64' }), {
      code: 'profile_release_unfit',
    });
    await assert.rejects(profiles.remove('web'), { code: 'profile_in_use' });
  });

  test('of images reach the edges, with the release that is to be installed alone', async () => {
    const { manifest } = await sampleRelease();
    const image = await replaceImage();
    const machine = await machines.setIntent(MAC, { kind: 'install', profile: 'web' });
    const newer = { ...manifest, version: '2.0' };
    const at = '2026-01-01T00:00:00.000Z';
    const fleet = {
      policy: { options: {}, classes: [] },
      edges: [],
      segments: [sampleSegment(1, 'edge1')],
      machines: [machine],
      manifests: [manifest, newer],
      channels: [],
      trustRoot: undefined,
      profiles: [image],
    };
    const state = desiredStateOf('edge1', fleet);
    assert.deepEqual([state.profiles, state.releases], [[image], [manifest]]);
    const release = 'minimal/2.0/amd64';
    const spent = { epoch: 1, at, edge: 'edge1', cause: 'install_failed', detail: 'no disk' } as const;
    const other: Machine = { ...machine, spent, intent: { kind: 'install', profile: 'web', release } };
    const changed = desiredStateOf('edge1', { ...fleet, machines: [other] });
    assert.deepEqual([changed.profiles, changed.releases], [[image], [newer]]);
    const [shown] = changed.machines;
    assert.deepEqual([shown?.epoch, shown?.spentEpoch, shown?.spentFailure], [1, 1, 'no disk']);
  });

  async function replaceImage(): Promise<Profile> {
    const { manifest } = await sampleRelease();
    profiles = new Profiles({
      store,
      hold: async (release) => ({ held: release }),
      manifestOf: async (release) => ({
        ...manifest,
        bootStyle: release.startsWith('mini/') ? 'mini' : 'live-boot',
      }),
    });
    const image = Profile.parse({
      name: 'web',
      kind: 'image',
      release: 'minimal/1.0/amd64',
      layout: { disks: [{ serial: 'S-1' }] },
    });
    return profiles.replace('web', image);
  }
});
