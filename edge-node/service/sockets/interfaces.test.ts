import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import { listenerOn } from './interfaces.ts';

test('an interface is found with its address', () => {
  assert.deepEqual(listenerOn('lo'), { interfaceName: 'lo', address: '127.0.0.1' });
});

test('one that does not exist is refused, and those that do are named', () => {
  for (const name of ['nic-of-nobody', '..', 'lo\0', 'a-name-that-no-interface-can-have'])
    assert.throws(
      () => listenerOn(name),
      (error) =>
        error instanceof Problem &&
        error.code === 'interface_unknown' &&
        error.field === 'interface' &&
        /\blo\b/.test(error.message),
      name,
    );
});
