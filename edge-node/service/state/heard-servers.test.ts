import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeardServers } from './heard-servers.ts';

test('servers are remembered for ten seconds, forged ones in no number', () => {
  const heard = new HeardServers();
  assert.deepEqual(heard.note(['10.0.0.1'], 0), ['10.0.0.1']);
  assert.deepEqual(heard.note(['10.0.0.2'], 9000), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(heard.note([], 12_000), ['10.0.0.2']);
  assert.deepEqual(heard.note(['10.0.0.3'], 1000), ['10.0.0.3'], 'a clock that was set back');
  const forged = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  assert.equal(heard.note(forged, 1000).length, 64);
});
