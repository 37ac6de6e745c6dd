import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockText, parseLock, pinsOf, refuseOtherVersions } from './builder-lock.ts';

const RECIPE = { suite: 'bookworm', architecture: 'amd64' } as const;
const VERSIONS = ['zstd=1.5.4+dfsg2-5', 'bash=5.2.15-2+b7', 'apt=1:2.6.1~rc1'];

test('a lock is sorted and reads as it was written', () => {
  const text = lockText(RECIPE, VERSIONS);
  assert.match(text, /^# Packages of bookworm for amd64\napt=1:2\.6\.1~rc1\nbash=/);
  const lock = parseLock(text, 'l', RECIPE);
  assert.deepEqual([...lock.keys()], ['apt', 'bash', 'zstd']);
  assert.match(
    pinsOf(lock),
    /^Package: apt\nPin: version 1:2\.6\.1~rc1\nPin-Priority: 1001\n\nPackage: bash\n/,
  );
});

const REFUSED: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ['a lock of another suite', lockText({ ...RECIPE, suite: 'trixie' }, VERSIONS), /another suite or arch/],
  ['a lock of another architecture', lockText({ ...RECIPE, architecture: 'arm64' }, []), /another suite/],
  ['an empty file', '', /another suite/],
  ['a line without version', `${lockText(RECIPE, [])}bash\n`, /line 2 is not NAME=VERSION/],
  ['a line that would be more than one pin', `${lockText(RECIPE, [])}a=1\rPin: x\n`, /line 2 is not/],
  ['an option in place of a name', `${lockText(RECIPE, ['a=1'])}-o=1\n`, /line 3 is not/],
];
for (const [what, text, message] of REFUSED)
  test(`${what} is refused`, () =>
    assert.throws(() => parseLock(text, 'l', RECIPE), { code: 'lock_invalid', message }));

test('what the archive no longer has is named, and what the lock never had', () => {
  const lock = parseLock(lockText(RECIPE, VERSIONS), 'l', RECIPE);
  refuseOtherVersions(lock, VERSIONS);
  assert.throws(() => refuseOtherVersions(lock, ['zstd=1.5.4+dfsg2-5', 'bash=6', 'vim=9']), {
    code: 'lock_unmet',
    message:
      /apt=1:2\.6\.1~rc1 \(there is none\)\nbash=5\.2\.15-2\+b7 \(there is 6\)\nvim \(not in the lock\)$/,
  });
});
