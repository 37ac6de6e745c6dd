import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { file, link, remove } from './system/view.ts';
import { SystemRoot } from './system-root.ts';

const top = mkdtempSync(join(tmpdir(), 'bootswarm-root-'));
after(() => rmSync(top, { recursive: true }));
let made = 0;

function root(): SystemRoot {
  made += 1;
  const folder = join(top, `root${made}`);
  mkdirSync(join(folder, 'etc'), { recursive: true });
  return new SystemRoot(folder);
}

test('links are followed as the new system will, and lead nowhere else', () => {
  const system = root();
  const { folder } = system;
  writeFileSync(join(top, 'outside'), 'of the agent');
  writeFileSync(join(folder, 'etc/own'), 'of the image');
  symlinkSync('/etc/own', join(folder, 'absolute'));
  symlinkSync('../../../../../outside', join(folder, 'etc/up'));
  symlinkSync('/etc', join(folder, 'config'));
  symlinkSync('/etc/own', join(folder, 'etc/below'));
  assert.equal(system.read('/absolute'), 'of the image');
  assert.equal(system.read('/config/own'), 'of the image');
  assert.equal(system.read('/etc/below'), 'of the image');
  assert.equal(system.read('/etc/up'), undefined);
  assert.equal(system.read('/../../outside'), undefined);
  assert.deepEqual(system.list('/config'), ['below', 'own', 'up']);
  assert.equal(system.has('/config/own'), true);
  assert.equal(system.has('/config/other'), false);
});

test('links that go round in circles are an error, and not a hang', () => {
  const system = root();
  symlinkSync('/b', join(system.folder, 'a'));
  symlinkSync('/a', join(system.folder, 'b'));
  assert.throws(() => system.at('/a/x'), { code: 'path_escapes' });
  assert.equal(system.read('/a'), undefined);
});

test('a file takes the place of a link, and is not written through it', async () => {
  const system = root();
  writeFileSync(join(top, 'victim'), 'untouched');
  symlinkSync(join(top, 'victim'), join(system.folder, 'etc/resolv.conf'));
  symlinkSync('/run/state', join(system.folder, 'var'));
  await system.apply([file('/etc/resolv.conf', 'nameserver 10.0.0.1\n'), file('/var/lib/x', 'y')]);
  assert.equal(readFileSync(join(top, 'victim'), 'utf8'), 'untouched');
  assert.equal(lstatSync(join(system.folder, 'etc/resolv.conf')).isFile(), true);
  assert.equal(readFileSync(join(system.folder, 'run/state/lib/x'), 'utf8'), 'y');
});

test('a mode that is not said is that of the file before; closed files get closed folders', async () => {
  const system = root();
  writeFileSync(join(system.folder, 'etc/shadow'), 'root:x', { mode: 0o640 });
  await system.apply([
    file('/etc/shadow', 'root:y'),
    file('/etc/hostname', 'node1\n'),
    file('/root/.ssh/authorized_keys', 'ssh-ed25519 AAAA\n', 0o600),
  ]);
  const mode = (path: string): number => statSync(join(system.folder, path)).mode & 0o777;
  assert.equal(mode('etc/shadow'), 0o640);
  assert.equal(mode('etc/hostname'), 0o644);
  assert.equal(mode('root/.ssh/authorized_keys'), 0o600);
  assert.equal(mode('root/.ssh'), 0o700);
});

test('links are made, folders go with what is in them, and what is not there may be removed', async () => {
  const system = root();
  mkdirSync(join(system.folder, 'etc/pki/minion'), { recursive: true });
  await system.apply([
    remove('/etc/pki'),
    remove('/etc/none'),
    link('/etc/a/b', '../c'),
    link('/etc/a/b', '../d'),
  ]);
  assert.equal(system.has('/etc/pki'), false);
  assert.equal(readlinkSync(join(system.folder, 'etc/a/b')), '../d');
});
