import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type BaseInputs, baseKey, initramfsInputs, layerKey } from './cache-keys.ts';
import { parseRecipe } from './recipe.ts';

const HEAD = 'name: tiny\nversion: "1"\n';

function inputs(lines: string, more: Partial<BaseInputs> = {}): BaseInputs {
  return {
    recipe: parseRecipe(HEAD + lines, 'tiny.yaml'),
    source: { kind: 'file', path: '/anywhere' },
    sourceText: 'URIs: http://m/debian',
    releases: ['aa', 'bb'],
    lock: undefined,
    tools: 'mmdebstrap 1',
    ...more,
  };
}

suite('the installed packages are the same', () => {
  const same = baseKey(inputs('suite: bookworm\npackages: [vim]'));
  const EQUAL: readonly (readonly [what: string, other: BaseInputs])[] = [
    ['whatever the name and version', inputs('suite: bookworm\npackages: [vim]')],
    ['for other files', inputs('suite: bookworm\npackages: [vim]\nfiles: [{ path: /a, content: b }]')],
    ['for other users', inputs('suite: bookworm\npackages: [vim]\nusers: [{ name: a }]')],
    ['for other hooks', inputs('suite: bookworm\npackages: [vim]\nhooks: [{ name: a, script: b }]')],
    ['for other services', inputs('suite: bookworm\npackages: [vim]\nservices: { mask: [a.timer] }')],
    ['for other arguments', inputs('suite: bookworm\npackages: [vim]\nkernelArguments: [quiet]')],
    ['for a package named twice', inputs('suite: bookworm\npackages: [vim, vim]')],
  ];
  for (const [what, other] of EQUAL) test(what, () => assert.equal(baseKey(other), same));

  const UNEQUAL: readonly (readonly [what: string, other: BaseInputs])[] = [
    ['another package', inputs('suite: bookworm\npackages: [nano]')],
    ['another suite', inputs('suite: trixie\npackages: [vim]')],
    ['another architecture', inputs('suite: bookworm\npackages: [vim]\narchitecture: arm64')],
    ['another component', inputs('suite: bookworm\npackages: [vim]\ncomponents: [main, contrib]')],
    ['another kernel', inputs('suite: bookworm\npackages: [vim]\nkernel: linux-image-cloud-amd64')],
    ['another pattern to leave out', inputs('suite: bookworm\npackages: [vim]\nexclude: [/usr/share/doc/*]')],
    ['a newer Release file', inputs('suite: bookworm\npackages: [vim]', { releases: ['aa', 'cc'] })],
    ['other sources', inputs('suite: bookworm\npackages: [vim]', { sourceText: 'URIs: http://o/debian' })],
    [
      'a mirror',
      inputs('suite: bookworm\npackages: [vim]', { source: { kind: 'mirror', url: 'http://m/debian' } }),
    ],
    ['a lock', inputs('suite: bookworm\npackages: [vim]', { lock: 'vim=1' })],
    ['another version of a tool', inputs('suite: bookworm\npackages: [vim]', { tools: 'mmdebstrap 2' })],
  ];
  for (const [what, other] of UNEQUAL)
    test(`but not for ${what}`, () => assert.notEqual(baseKey(other), same));
});

test('a layer is of its base, its time and its changes', () => {
  const keys = [layerKey('a', 1, 'x'), layerKey('b', 1, 'x'), layerKey('a', 2, 'x'), layerKey('a', 1, 'y')];
  assert.equal(new Set([...keys, layerKey('a', 1, 'x', ['-b', '1M'])]).size, 5);
});

suite('an initramfs is made anew', () => {
  const HOOKS =
    'cp /etc/crypttab "$DESTDIR"\n# /etc/motd is not read, nor /srv/x\nls /opt/raid/bin /home/keys\n';
  const READ = [
    'etc/initramfs-tools/modules',
    'etc/modprobe.d/minimal.conf',
    'etc/ld.so.conf.d/x.conf',
    'usr/lib/modules/6.1/extra.ko',
    'usr/bin/busybox',
    'etc/crypttab',
    'opt/raid/bin/tool',
    'home/keys/a',
  ];
  for (const path of READ)
    test(`for ${path}`, () => assert.deepEqual(initramfsInputs([path], HOOKS), [path]));
  const NOT_READ = [
    'etc/motd',
    'etc/passwd',
    'etc/systemd/system/a.service',
    'etc/systemd/network/80-dhcp.network',
    'usr/local/bin/tool',
    'home/ops/.ssh/authorized_keys',
    'srv/x',
    'root/.bashrc',
    'var/lib/app/data',
    'etc',
  ];
  for (const path of NOT_READ)
    test(`but not for ${path}`, () => assert.deepEqual(initramfsInputs([path], HOOKS), []));
});
