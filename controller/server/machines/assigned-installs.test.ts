import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Assignment, assignmentOf, ImageProfile, InstallerProfile } from '@bootswarm/controller/contract';
import { Profiles } from '../profiles/profiles.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { AssignedInstalls } from './assigned-installs.ts';
import { Assignments } from './assignments.ts';
import { give } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { Machines } from './machines.ts';

const MAC = '52:54:00:00:00:01';
const now = new Date('2026-03-02T08:00:00.000Z');
const release = 'minimal/1.0/amd64';
const layout = { disks: [{ serial: 'S-1' }] };
const image = ImageProfile.parse({ name: 'web', kind: 'image', release, layout });
const debian = InstallerProfile.parse({
  name: 'debian',
  kind: 'preseed',
  release,
  variables: { disk: '/dev/sda', password: null },
  answers: '{{ disk }} {{ password | line }}',
});
const assignmentFrom = (changes: object): Assignment =>
  Assignment.parse({ name: 'all', match: '', profile: 'debian', ...changes });

describe('a machine that is to be installed by what is assigned to it', () => {
  let store: InterposedStore;
  let profiles: Profiles;
  let machines: Machines;
  let assignments: Assignments;
  let installs: AssignedInstalls;

  beforeEach(async () => {
    store = new InterposedStore();
    profiles = new Profiles({ store, hold: async () => ({}), manifestOf: async () => undefined });
    const checkIntent = async () => ({});
    const checkFit: ConstructorParameters<typeof Machines>[2] = async (machine, reads) => {
      if (machine.intent && 'profile' in machine.intent)
        await profiles.requireFit(machine.intent, machine, reads);
    };
    machines = new Machines(store, checkIntent, checkFit);
    assignments = new Assignments({
      store,
      machines: () => machines.list(),
      requireFit: (assignment, reads) => profiles.requireAssignable(assignment, reads),
      hold: async () => ({}),
    });
    installs = new AssignedInstalls({
      ...{ store, checkIntent, checkFit },
      intentBy: (choice, reads) => profiles.intentBy(choice, reads),
    });
    await profiles.replace('web', image);
    await profiles.replace('debian', debian);
    await machines.setIntent(MAC, { kind: 'local' });
  });

  test('is refused where nothing or more than one is, with what to do', async () => {
    await assert.rejects(installs.install('nobody', now), { code: 'not_found' });
    await assert.rejects(installs.install(MAC, now), { code: 'assignment_none', remedy: /install PROFILE/ });
    const twins = ['a', 'b'].map((name) => assignmentFrom({ name, profile: 'web' }));
    await store.commit({ put: { assignments: twins } });
    await assert.rejects(installs.install(MAC, now), {
      code: 'assignment_open',
      message: /assignments a and b match/,
    });
    const many = [...'abcdefgh'].map((name) => assignmentFrom({ name, profile: 'web' }));
    await store.commit({ put: { assignments: many } });
    await assert.rejects(installs.install(MAC, now), {
      message: /^assignments a, b, c, d, e and 3 more match/,
    });
    assert.equal((await machines.show(MAC)).intent?.kind, 'local');
  });

  test('remembers which assignment it was, and what that said then', async () => {
    const said = { release: 'minimal/2/amd64', kernelArguments: ['quiet'] };
    await assignments.replace('all', assignmentFrom({ profile: 'web', ...said }));
    const armed = await installs.install(MAC, now);
    assert.deepEqual(armed.intent, { kind: 'install', profile: 'web', release: said.release });
    assert.deepEqual(assignmentOf(armed), {
      ...{ name: 'all', epoch: 2, kernelArguments: ['quiet'], variables: {} },
    });
    await assignments.remove('all');
    const { journal: _, ...still } = await machines.show(MAC);
    assert.deepEqual(still, armed);
    assert.equal(assignmentOf(await machines.setIntent(MAC, { kind: 'install', profile: 'web' })), undefined);
  });

  test('is installed by its own variables first, and lacks none', async () => {
    await assignments.replace('all', assignmentFrom({ variables: { disk: '/dev/vda' } }));
    await assert.rejects(installs.install(MAC, now), {
      code: 'profile_unfit',
      message: /the machine has no value for password/,
    });
    await assignments.replace('all', assignmentFrom({ variables: { password: 'x' } }));
    assert.deepEqual((await installs.install(MAC, now)).intent, { kind: 'installer', profile: 'debian' });
  });

  test('keeps what was said beside the release when a rollout brings another, and loses it with another profile', async () => {
    await assignments.replace('all', assignmentFrom({ profile: 'web', kernelArguments: ['quiet'] }));
    const armed = await installs.install(MAC, now);
    const motion = { at: now, by: 'rollout', reason: 'rollout r' } as const;
    const draft = new MachineDraft(store);
    const next = await give(
      draft,
      armed,
      { kind: 'install', profile: 'web', release: 'minimal/3/amd64' },
      motion,
    );
    assert.deepEqual(assignmentOf(next)?.kernelArguments, ['quiet']);
    const other = await give(draft, next, { kind: 'install', profile: 'db' }, motion);
    assert.equal(assignmentOf(other), undefined);
  });

  test('and an assignment are told where they do not fit, whichever of the two is set', async () => {
    const unfit = { code: 'assignment_unfit', field: 'profile' };
    const mistyped = assignmentFrom({ variables: { dsik: '/dev/vda' } });
    await assert.rejects(assignments.replace('all', mistyped), {
      ...unfit,
      message: /the profile has no variable 'dsik'/,
    });
    await assert.rejects(assignments.replace('all', assignmentFrom({ release })), {
      ...unfit,
      message: /of kind preseed runs its own release/,
    });
    await assert.rejects(assignments.replace('all', assignmentFrom({ profile: 'nowhere' })), {
      code: 'profile_unknown',
    });
    await assignments.replace('all', assignmentFrom({ variables: { disk: '/dev/vda' } }));
    const { disk: _, ...fewer } = debian.variables;
    const without = { ...debian, variables: fewer, answers: '{{ password | line }}' };
    await assert.rejects(profiles.replace('debian', without), unfit);
    // As a controller of an earlier version may have kept it.
    await store.commit({ put: { assignments: [mistyped] } });
    await assert.rejects(installs.install(MAC, now), unfit);
  });

  test('loses against an assignment that changes meanwhile, and looks again', async () => {
    await assignments.replace('all', assignmentFrom({ profile: 'web' }));
    store.beforeNextCommit(() =>
      assignments.replace('all', assignmentFrom({ variables: { password: 'x' } })),
    );
    assert.deepEqual((await installs.install(MAC, now)).intent, { kind: 'installer', profile: 'debian' });
  });
});
