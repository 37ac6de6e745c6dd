import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '@bootswarm/images/format';
import { diskFailure } from './disk-failure.ts';
import { problem } from './problems.ts';

const ended = (lines: string): Problem =>
  problem('program_failed', { facts: { what: 'write GRUB', program: 'grub-install', how: 'code 1', lines } });

const cases: readonly (readonly [name: string, error: Error, code: string | undefined])[] = [
  ['a read that the kernel fails', Object.assign(new Error('read'), { code: 'EIO' }), 'disk_failed'],
  ['a program that says so', ended('cannot read `/dev/sda: Input/output error.'), 'disk_failed'],
  ['a program with another complaint', ended('no space'), 'program_failed'],
  ['a full disk', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'ENOSPC'],
  ['a mistake of ours', new TypeError('undefined is not a function'), undefined],
];

for (const [name, error, code] of cases)
  test(`a failing disk: ${name}`, () => {
    const found = diskFailure('boot-loader', error) as { readonly code?: string };
    assert.equal(found.code, code);
    if (code !== 'disk_failed') assert.equal(found, error);
  });
