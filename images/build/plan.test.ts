import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configureSteps,
  mksquashfsArguments,
  mksquashfsRestArguments,
  mksquashfsUsrArguments,
  mmdebstrapArguments,
} from './plan.ts';
import { parseRecipe } from './recipe.ts';

const recipe = parseRecipe(
  `
name: tiny
version: "1"
suite: trixie
architecture: arm64
components: [main, non-free-firmware]
packages: [iproute2, zstd]
exclude: [/usr/share/man/*]
users:
  - { name: ops, groups: [adm, sudo], sshKeys: [ssh-ed25519 AAAA a@b], passwordHash: "*" }
files:
  - { path: "/etc/a; reboot", content: hello, owner: ops }
  - { path: /etc/b, source: files/b, mode: "0600", owner: "ops:adm" }
services: { enable: [a.service], disable: [b.timer], mask: [c.socket] }
hooks:
  - { name: greet, script: echo $HOME }
`,
  'tiny.yaml',
);

test('mmdebstrap gets the packages once each, and what a live system needs', () => {
  const list = mmdebstrapArguments(recipe, { kind: 'default' }, '/w/root');
  assert.ok(list.includes('--include=linux-image-arm64,systemd-sysv,live-boot,zstd,iproute2'));
  assert.ok(list.includes('--architectures=arm64'));
  assert.ok(list.includes('--components=main,non-free-firmware'));
  assert.ok(list.includes('--dpkgopt=path-exclude=/usr/share/man/*'));
  assert.deepEqual(list.slice(-2), ['trixie', '/w/root']);
});

test('a mirror or the sources of the host come last', () => {
  assert.equal(
    mmdebstrapArguments(recipe, { kind: 'mirror', url: 'http://m/debian' }, '/r').at(-1),
    'http://m/debian',
  );
  assert.equal(mmdebstrapArguments(recipe, { kind: 'file', path: '/s.sources' }, '/r').at(-1), '/s.sources');
});

test('nothing of files, users and hooks is on a command line', () => {
  const all = [
    ...mmdebstrapArguments(recipe, { kind: 'default' }, '/r'),
    ...mksquashfsArguments('/r', '/o'),
  ].join(' ');
  for (const word of ['reboot', 'ops', 'AAAA', 'greet', 'HOME', 'hello'])
    assert.ok(!all.includes(word), word);
});

test('steps are words and files: users, files, services, hooks', () => {
  assert.deepEqual(configureSteps(recipe), [
    {
      verb: 'user',
      name: 'ops',
      words: ['/bin/bash', 'adm,sudo'],
      files: { passwordHash: { content: '*\n' }, sshKeys: { content: 'ssh-ed25519 AAAA a@b\n' } },
    },
    {
      verb: 'file',
      name: '/etc/a; reboot',
      words: ['0644', 'ops', 'ops'],
      files: { content: { content: 'hello' } },
    },
    {
      verb: 'file',
      name: '/etc/b',
      words: ['0600', 'ops', 'adm'],
      files: { content: { source: 'files/b' } },
    },
    { verb: 'service', name: 'b.timer', words: ['disable'], files: {} },
    { verb: 'service', name: 'a.service', words: ['enable'], files: {} },
    { verb: 'service', name: 'c.socket', words: ['mask'], files: {} },
    { verb: 'hook', name: 'greet', words: [], files: { script: { content: 'echo $HOME' } } },
  ]);
});

test('a squashfs is made of /usr, and the rest goes behind it', () => {
  const usr = mksquashfsUsrArguments('/s/usr', '/o');
  const rest = mksquashfsRestArguments('/r', '/o');
  assert.ok(usr.includes('-noappend') && usr.indexOf('-keep-as-directory') < usr.indexOf('-e'));
  assert.ok(!rest.includes('-noappend') && rest.indexOf('-no-recovery') < rest.indexOf('-e'));
});
