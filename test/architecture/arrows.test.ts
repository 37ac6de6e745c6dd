import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findViolations } from './arrows.ts';
import { FRONT_DOORS } from './rooms.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const planted = fileURLToPath(new URL('planted', import.meta.url));

test('every arrow between rooms is one that the design allows', () => {
  assert.deepEqual(findViolations(top), []);
});

test('planted violations are caught, each by name', () => {
  assert.deepEqual(findViolations(planted), [
    'controller/cli/reaches-inside.ts: reaches past the front door into controller/contract/errors.ts',
    'controller/cli/reaches-inside.ts: imports controller/server/store/lmdb-store.ts, and controller/cli may not use controller/server',
    'controller/cli/reaches-inside.ts: imports @bootswarm/controller/server, which is no front door',
    'controller/cli/reaches-inside.ts: reaches past the front door into edge-node/service/doctor/judge.ts',
    'edge-node/service/decide/impure.ts: is in a pure room and imports node:fs',
    'edge-node/service/decide/impure.ts: imports edge-node/service/sockets/udp.ts, and edge-node/service/decide may not use edge-node/service',
    'edge-node/service/decide/impure.ts: is in a pure room and uses a clock, chance, a process or the network',
    'images/attic/lost.ts: lies in no room of rooms.ts',
    'images/format/turned-around.ts: imports controller/contract/index.ts, and images/format may not use controller/contract',
  ]);
});

test('the front doors are the exports of the packages', () => {
  const doors: Record<string, string> = {};
  for (const file of globSync('*/package.json', { cwd: top })) {
    const { name, exports = {} } = JSON.parse(readFileSync(join(top, file), 'utf8')) as {
      name: string;
      exports?: string | Record<string, string>;
    };
    const entries = typeof exports === 'string' ? { '.': exports } : exports;
    for (const [path, target] of Object.entries(entries))
      doors[posix.join(name, path)] = posix.join(dirname(file), target);
  }
  assert.deepEqual(doors, FRONT_DOORS);
});
