import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type CpioEntry, writeCpio } from './cpio.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-cpio-'));
after(() => rmSync(folder, { recursive: true }));

const entries: readonly CpioEntry[] = [
  { kind: 'file', path: 'usr/bin/tool', executable: true, bytes: Buffer.from('#!/bin/sh\n') },
  { kind: 'file', path: 'etc/empty', executable: false, bytes: new Uint8Array() },
  { kind: 'link', path: 'bin', target: 'usr/bin' },
  { kind: 'folder', path: 'proc' },
];

describe('a cpio archive', () => {
  test('is unpacked by cpio to what went in', async () => {
    const [file, out] = [join(folder, 'a.cpio'), join(folder, 'a')];
    await writeCpio(file, entries);
    execFileSync('sh', ['-ec', `mkdir '${out}'; cd '${out}'; cpio -id --quiet < '${file}'`]);
    assert.equal(readFileSync(join(out, 'usr/bin/tool'), 'utf8'), '#!/bin/sh\n');
    assert.equal(statSync(join(out, 'usr/bin/tool')).mode & 0o777, 0o755);
    assert.equal(statSync(join(out, 'etc/empty')).size, 0);
    assert.equal(readlinkSync(join(out, 'bin')), 'usr/bin');
    assert.ok(statSync(join(out, 'proc')).isDirectory());
  });

  test('is the same bytes in whatever order the entries come', async () => {
    const files = [join(folder, 'b1'), join(folder, 'b2')];
    await writeCpio(files[0] ?? '', entries);
    await writeCpio(files[1] ?? '', entries.toReversed());
    assert.deepEqual(readFileSync(files[0] ?? ''), readFileSync(files[1] ?? ''));
  });

  test('never has two entries of one path', async () => {
    const twice = [...entries, { kind: 'link', path: 'usr/bin/tool', target: 'other' } as const];
    await assert.rejects(writeCpio(join(folder, 'c'), twice), /two entries/);
  });
});
