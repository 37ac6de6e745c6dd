import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Menu } from './menu.ts';
import { hashMenuPassword, isMenuPassword } from './menu-password.ts';

test('a menu takes the hash of a password, and the hash takes that password alone', async () => {
  const kept = await hashMenuPassword('open sesame');
  const entries = [{ kind: 'local', label: 'Disk' }];
  assert.ok(Menu.safeParse({ password: kept, entries }).success);
  assert.equal(await isMenuPassword('open sesame', kept), true);
  assert.equal(await isMenuPassword('open sesame ', kept), false);
  assert.equal(await isMenuPassword('', kept), false);
});

test('two hashes of one password differ', async () => {
  assert.notEqual(await hashMenuPassword('x'), await hashMenuPassword('x'));
});

for (const kept of ['', 'plain', 'scrypt:', 'scrypt:AA==:AA==', 'md5:AA==:AA=='])
  test(`what is no hash ('${kept}') opens nothing`, async () => {
    assert.equal(await isMenuPassword('', kept), false);
  });

test('a locked entry needs a password in its menu', () => {
  const entries = [{ kind: 'memtest', label: 'Memory', locked: true }];
  const [issue] = Menu.safeParse({ entries }).error?.issues ?? [];
  assert.deepEqual(issue?.path, ['entries', 0, 'locked']);
});

for (const label of ['a || b', '${net0/ip}', 'x && y', '"q"', 'line\nbreak', ''])
  test(`a label that iPXE would read otherwise is refused: ${JSON.stringify(label)}`, () => {
    assert.equal(Menu.safeParse({ entries: [{ kind: 'local', label }] }).success, false);
  });
