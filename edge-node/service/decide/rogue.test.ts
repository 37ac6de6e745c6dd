import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { strangersOf } from './rogue.ts';

const MAIN = '10.99.0.2';
const OTHER = '10.99.0.66';
const FELLOW = '10.99.0.3';

describe('of the servers that answer on a segment, strangers are', () => {
  const cases = [
    ['all, where the edge leases', 'dhcp', [], [MAIN], [MAIN]],
    ['none that is welcome', 'dhcp', [MAIN], [MAIN, FELLOW], []],
    ['nobody, where one other leases and none is named', 'proxy', [], [FELLOW, MAIN], []],
    ['both, where two other ones lease and none is named', 'proxy', [], [MAIN, OTHER], [MAIN, OTHER]],
    ['all but who is named, where others lease', 'proxy', [MAIN], [MAIN, OTHER], [OTHER]],
    ['a single one that is not the named', 'proxy', [MAIN], [OTHER], [OTHER]],
  ] as const;
  for (const [name, mode, otherServers, heard, strangers] of cases)
    test(name, () =>
      assert.deepEqual(
        strangersOf({ mode, otherServers: [...otherServers] }, new Set([FELLOW]), heard),
        strangers,
      ),
    );
});
