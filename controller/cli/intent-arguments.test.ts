import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type IntentOptions, intentOf, isAssignedInstall } from './intent-arguments.ts';

const good: readonly (readonly [string, string | undefined, IntentOptions, unknown])[] = [
  ['local', undefined, {}, { kind: 'local' }],
  ['inspect', undefined, {}, { kind: 'inspect' }],
  ['live', 'minimal/1.0', {}, { kind: 'live', release: 'minimal/1.0/amd64' }],
  ['live', 'minimal/1.0', { byAgent: true }, { kind: 'live', release: 'minimal/1.0/amd64', by: 'agent' }],
  ['installer', 'debian', {}, { kind: 'installer', profile: 'debian' }],
  ['install', 'web', {}, { kind: 'install', profile: 'web' }],
  [
    'install',
    'web',
    { release: 'minimal/@stable' },
    { kind: 'install', profile: 'web', release: 'minimal/@stable/amd64' },
  ],
  ['wipe', undefined, { all: true }, { kind: 'wipe', method: 'auto', disks: 'all' }],
  [
    'wipe',
    undefined,
    { disk: ['S-1', 'S-2'], method: 'discard' },
    { kind: 'wipe', method: 'discard', disks: ['S-1', 'S-2'] },
  ],
];

const bad: readonly (readonly [string, string | undefined, IntentOptions, RegExp])[] = [
  ['reboot', undefined, {}, /is none of 'local'/],
  ['local', 'now', {}, /is none of 'local'/],
  ['live', undefined, {}, /is none of 'local'/],
  ['install', undefined, { release: 'minimal/1.0' }, /needs a profile beside --release/],
  ['install', 'Web!', {}, /is no profile/],
  ['install', 'web', { all: true }, /takes no --all/],
  ['live', 'minimal/1.0', { sshKey: ['x'] }, /takes no --ssh-key/],
  ['wipe', undefined, {}, /needs either --disk SERIAL or --all/],
  ['wipe', undefined, { all: true, disk: ['S-1'] }, /needs either --disk SERIAL or --all/],
  ['wipe', 'S-1', {}, /is none of 'local'/],
  ['wipe', undefined, { all: true, method: 'hammer' }, /has a method that/],
  ['rescue', undefined, {}, /needs --ssh-key FILE/],
];

describe('what a machine is to do', () => {
  for (const [kind, what, options, intent] of good)
    test(`${kind} ${what ?? ''} ${JSON.stringify(options)} is taken`, async () => {
      assert.deepEqual(await intentOf(kind, what, options), intent);
    });
  for (const [kind, what, options, message] of bad)
    test(`${kind} ${what ?? ''} ${JSON.stringify(options)} is not`, async () => {
      await assert.rejects(intentOf(kind, what, options), { code: 'argument_invalid', message });
    });

  test('install alone is left to assignments, and nothing else is', () => {
    assert.equal(isAssignedInstall('install', undefined, {}), true);
    assert.equal(isAssignedInstall('install', undefined, { release: 'minimal/1.0' }), false);
    assert.equal(isAssignedInstall('install', 'web', {}), false);
    assert.equal(isAssignedInstall('installer', undefined, {}), false);
  });

  test('rescue takes the keys of its files, and no private one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-keys-'));
    try {
      const [file, secret] = [join(folder, 'id.pub'), join(folder, 'id')];
      await writeFile(file, '# mine\nssh-ed25519 AAAAC3Nz me@here\n\n');
      await writeFile(secret, '-----BEGIN OPENSSH PRIVATE KEY-----\n');
      assert.deepEqual(await intentOf('rescue', undefined, { sshKey: [file] }), {
        kind: 'rescue',
        sshKeys: ['ssh-ed25519 AAAAC3Nz me@here'],
      });
      await assert.rejects(intentOf('rescue', undefined, { sshKey: [secret] }), { code: 'argument_invalid' });
      await assert.rejects(intentOf('rescue', undefined, { sshKey: [`${file}x`] }), { code: 'ENOENT' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
