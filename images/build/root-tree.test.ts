import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fromNowOn } from './builder-steps.ts';

const SCRIPT = join(import.meta.dirname, 'root-tree.sh');
const PACKED = 1_700_000_000;

describe('the times of a root', () => {
  let root: string;
  const at = (name: string): string => join(root, name);
  const tree = (...words: readonly string[]) => promisify(execFile)('sh', [SCRIPT, ...words]);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'bootswarm-tree-'));
    await mkdir(at('root/var/lib/apt/lists'), { recursive: true });
    await mkdir(at('root/etc'));
    await writeFile(at('root/etc/packed'), '');
    await utimes(at('root/etc/packed'), PACKED, PACKED);
  });
  afterEach(() => rm(root, { recursive: true }));

  test('the newest file is one of a package, and none that apt downloaded or that was stamped with a whole second', async () => {
    const since = fromNowOn();
    await writeFile(at('root/var/lib/apt/lists/InRelease'), '');
    await utimes(at('root/var/lib/apt/lists/InRelease'), PACKED + 1000, PACKED + 1000);
    const second = Math.floor(Date.now() / 1000);
    await writeFile(at('root/etc/made'), '');
    await utimes(at('root/etc/made'), second, second);
    await tree('newest', at('root'), since, at('newest'));
    assert.equal(Number(await readFile(at('newest'), 'utf8')), PACKED);
  });

  test('what was made gets the time of the packages, also where it was stamped with a whole second', async () => {
    const since = fromNowOn();
    const second = Math.floor(Date.now() / 1000);
    await writeFile(at('root/etc/made'), '');
    await utimes(at('root/etc/made'), second, second);
    await tree('settle', at('root'), String(PACKED + 5), since);
    assert.equal((await stat(at('root/etc/made'))).mtimeMs, (PACKED + 5) * 1000);
    assert.equal((await stat(at('root/etc/packed'))).mtimeMs, PACKED * 1000);
  });
});
