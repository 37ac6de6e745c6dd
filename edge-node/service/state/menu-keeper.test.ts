import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MenuKeeper } from './menu-keeper.ts';

test('one password is compared at a time, and one of each address waits', async () => {
  const compared: { readonly password: string; readonly end: (isRight: boolean) => void }[] = [];
  const keeper = new MenuKeeper((password) => new Promise((end) => compared.push({ password, end })));
  const [first, second] = [keeper.opens('10.0.0.1', 'a', ''), keeper.opens('10.0.0.2', 'b', '')];
  assert.equal(await keeper.opens('10.0.0.1', 'c', ''), 'busy');
  await turn();
  assert.deepEqual(
    compared.map(({ password }) => password),
    ['a'],
  );
  compared[0]?.end(true);
  assert.equal(await first, true);
  await turn();
  compared[1]?.end(false);
  assert.equal(await second, false);
  const third = keeper.opens('10.0.0.1', 'd', '');
  await turn();
  compared[2]?.end(true);
  assert.equal(await third, true);
});

test('one that cannot be compared holds up nobody else', async () => {
  const keeper = new MenuKeeper(async (password) => {
    if (password === 'x') throw new Error('no memory');
    return true;
  });
  await assert.rejects(keeper.opens('10.0.0.1', 'x', ''), /no memory/);
  assert.equal(await keeper.opens('10.0.0.1', 'y', ''), true);
});
