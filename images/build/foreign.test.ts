import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNotRun } from './foreign.ts';

/** As Debian's qemu-user-static 7.2 registers it. */
const ENTRY = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;

const CASES: readonly (readonly [what: string, entry: string | undefined, why: RegExp | undefined])[] = [
  ['an entry that holds its interpreter', ENTRY, undefined],
  ['no entry', undefined, /no binfmt_misc entry/],
  ['a disabled entry', ENTRY.replace('enabled', 'disabled'), /disabled/],
  ['an entry that looks for its interpreter in the new root', ENTRY.replace('POCF', 'POC'), /flag F/],
];
for (const [what, entry, why] of CASES)
  test(`${what}: ${why === undefined ? 'programs run' : 'the reason is told'}`, () => {
    const reason = whyNotRun(entry);
    if (why === undefined) assert.equal(reason, undefined);
    else assert.match(reason ?? '', why);
  });
