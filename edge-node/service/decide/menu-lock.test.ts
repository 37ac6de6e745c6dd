import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Menu } from '@bootswarm/controller/contract';
import { lockOf } from './menu-lock.ts';
import { MAC, segmentWith } from './testing/world.ts';

const password = 'scrypt:AA==:AA==';
const menu = Menu.parse({
  title: 'Rack 12',
  password,
  entries: [
    { kind: 'memtest', label: 'Memory', locked: true },
    { kind: 'local', label: 'Disk' },
  ],
});

describe('a password is asked for', () => {
  const cases = [
    ['a locked entry of the menu', { kind: 'menu' }, 0, password],
    ['no other entry', { kind: 'menu' }, 1, undefined],
    ['no entry that there is not', { kind: 'menu' }, 7, undefined],
    ['no machine that is shown no menu', { kind: 'local' }, 0, undefined],
  ] as const;
  for (const [name, defaultIntent, entry, lock] of cases)
    test(name, () =>
      assert.equal(lockOf({ mac: MAC }, segmentWith({ defaultIntent, menu }), [], entry), lock),
    );

  test('of nobody whose own intent is another', () => {
    const machine = { id: 'm1', macs: [MAC], intent: { kind: 'local' } } as const;
    const segment = segmentWith({ defaultIntent: { kind: 'menu' }, menu });
    assert.equal(lockOf({ mac: MAC }, segment, [{ ...machine, macs: [...machine.macs] }], 0), undefined);
  });
});
