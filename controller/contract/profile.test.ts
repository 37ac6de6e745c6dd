import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ArtefactRole, Manifest } from '@bootswarm/images/format';
import { type ImageProfile, MediumProfile } from './image-profile.ts';
import { Profile, profileFitProblem, profileReleaseProblem } from './profile.ts';

const image = Profile.parse({
  name: 'web',
  kind: 'image',
  release: 'minimal/1.0/amd64',
  layout: { disks: [{ serial: 'S-1' }] },
});
const preseed = Profile.parse({
  name: 'debian',
  kind: 'preseed',
  release: 'debian/12/amd64',
  variables: { password: null },
  answers: '{{ password | line }}',
});

function releaseWith(roles: readonly ArtefactRole[], facts: Partial<Manifest> = {}): Manifest {
  const artefacts = roles.map((role) => ({
    role,
    name: `${role}.bin`,
    length: 1,
    sha256: '0'.repeat(64),
    pieceBytes: 65536,
    pieces: ['0'.repeat(64)],
  }));
  return {
    format: 1,
    name: 'minimal',
    version: '1.0',
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: [],
    artefacts,
    ...facts,
  };
}

describe('a release for a profile', () => {
  const live = ['kernel', 'initramfs', 'root'] as const;
  const cases: readonly {
    readonly name: string;
    readonly profile?: Profile;
    readonly release: Manifest;
    readonly problem: RegExp | undefined;
  }[] = [
    { name: 'a live release', release: releaseWith(live), problem: undefined },
    {
      name: 'one with a nested root',
      release: releaseWith(live, { bootStyle: 'dracut-live', rootFormat: 'nested' }),
      problem: undefined,
    },
    {
      name: 'one that is a disk image',
      release: releaseWith(['kernel', 'initramfs', 'disk'], { bootStyle: 'classic' }),
      problem: undefined,
    },
    {
      name: 'one whose initramfs holds all',
      release: releaseWith(['kernel', 'initramfs'], { bootStyle: 'classic' }),
      problem: /neither a root file system nor a disk image/,
    },
    {
      name: 'one whose root is an ISO',
      release: releaseWith(live, { bootStyle: 'casper', rootFormat: 'iso' }),
      problem: /whole ISO/,
    },
    {
      name: 'a mini image',
      release: releaseWith(['kernel', 'initramfs'], { bootStyle: 'mini' }),
      problem: /holds no system/,
    },
    {
      name: 'a live release',
      profile: preseed,
      release: releaseWith(live),
      problem: /preseed needs installer/,
    },
    {
      name: 'a network installer',
      profile: preseed,
      release: releaseWith(['kernel', 'initramfs'], { bootStyle: 'installer' }),
      problem: undefined,
    },
  ];
  for (const { name, profile = image, release, problem } of cases)
    test(`${name} ${problem ? 'does not suit' : 'suits'} one of kind ${profile.kind}`, () => {
      const found = profileReleaseProblem(profile, release);
      if (problem) assert.match(found ?? '', problem);
      else assert.equal(found, undefined);
    });
});

test('a profile suits the intent of its kind, and a machine that has what it lacks', () => {
  assert.equal(profileFitProblem(image, 'install', {}), undefined);
  assert.match(profileFitProblem(image, 'installer', {}) ?? '', /the intent for it is 'install web'/);
  assert.match(profileFitProblem(preseed, 'install', {}) ?? '', /the intent for it is 'installer debian'/);
  assert.match(profileFitProblem(preseed, 'installer', {}) ?? '', /no value for password/);
  assert.equal(profileFitProblem(preseed, 'installer', { password: 'x' }), undefined);
});

test('a profile of an unknown kind is none', () => {
  assert.ok(!Profile.safeParse({ ...image, kind: 'cloud' }).success);
});

describe('the profile of a medium', () => {
  const { release: _, ...unnamed } = image as ImageProfile;
  const refusals = (profile: unknown): string =>
    (MediumProfile.safeParse(profile).error?.issues ?? []).map(({ path }) => path.join('.')).join(' ');

  test('may leave its release to the medium, and name it', () => {
    assert.equal(refusals(unnamed), '');
    assert.equal(refusals(image), '');
  });
  test('cannot give addresses', () =>
    assert.equal(refusals({ ...unnamed, firstBoot: { network: 'static' } }), 'firstBoot.network'));
  test('is of an image', () => assert.match(refusals({ ...unnamed, kind: 'preseed' }), /kind/));
});
