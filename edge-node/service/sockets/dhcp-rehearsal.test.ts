import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rehearse } from './dhcp-rehearsal.ts';

test('a rehearsal goes through to its end', () => {
  assert.doesNotThrow(rehearse);
});
