import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMap, type Remapped, remap } from './remap.ts';

const CLIENT = '192.0.2.169';

function remapped(map: string, name: string): Remapped {
  const parsed = parseMap(map);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return remap(parsed.rules, name, CLIENT);
}

describe('a map file renames', () => {
  const cases: readonly (readonly [what: string, map: string, asked: string, named: string])[] = [
    ['nothing without rules', '# only a comment\n\n', 'a.efi', 'a.efi'],
    ['the first match of a rule', 'r foo bar', 'foofoo', 'barfoo'],
    ['again until nothing matches', 'rg \\\\ /', 'a\\b\\c', 'a/b/c'],
    ['by an anchored pattern', 'r ^boot/ ""', 'boot/a.efi', '""a.efi'],
    ['to nothing without a replacement', 'r ^boot/', 'boot/a.efi', 'a.efi'],
    ['without regard to case', 'ri ^PXELINUX\\.0$ undionly.kpxe', 'pxelinux.0', 'undionly.kpxe'],
    ['with regard to case', 'r ^PXE x', 'pxelinux.0', 'pxelinux.0'],
    ['rule after rule', 'r a b\nr b c', 'a', 'c'],
    ['until a rule that ends', 're a b\nr b c', 'a', 'b'],
    ['again and again, and ends there', 'rge a b\nr b c', 'aa', 'bb'],
    ['past a rule that would end and does not match', 're x b\nr a c', 'a', 'c'],
    ['from the first rule again', 'r c done\nrs b c\nr zz b', 'b', 'done'],
    ['by groups', 'r ^([^/]*)/(.*)$ \\2/\\1', 'a/b', 'b/a'],
    ['by the whole match', 'r ^[^/]+$ folder/\\0', 'x.efi', 'folder/x.efi'],
    ["by the client's address", 'r ^cfg$ cfg-\\i', 'cfg', 'cfg-192.0.2.169'],
    ["by the client's address in hexadecimal", 'r ^cfg$ cfg-\\x', 'cfg', 'cfg-C00002A9'],
    ['with case turned', 'r ^(.*)-(.*)-x$ \\U\\1\\E-\\L\\2\\E\\#', 'ab-CD-x', 'AB-cd#'],
    ['blanks', 'r a\\ b c\\ d', 'a b', 'c d'],
    ['by classes of characters', 'r ^[[:alpha:]]+[[:digit:]] x', 'abc1.efi', 'x.efi'],
    ['a backslash in brackets', 'r [\\\\] /', 'a\\b', 'a/b'],
    ['what does not match, ending there', '~e \\.efi$\nr ^ x/', 'a.efi', 'x/a.efi'],
    ['nothing by rules for writes and IPv6', 'rP a b\nr6 a c', 'a', 'a'],
    ['by rules for reads and IPv4', 'rG a b\nr4 b c', 'a', 'c'],
    ['nothing that is longer than 128 characters', 'r a b', 'a'.repeat(129), 'a'.repeat(129)],
  ];
  for (const [what, map, asked, named] of cases)
    test(what, () => assert.deepEqual(remapped(map, asked), { kind: 'name', name: named }));

  test('nobody who asks for what is refused', () => {
    assert.deepEqual(remapped('a ^secret', 'secret/key'), { kind: 'refused' });
    assert.deepEqual(remapped('~a \\.efi$', 'passwd'), { kind: 'refused' });
  });

  test('in no circle', () => {
    for (const map of ['rg a aa', 'rs a a', 'rs a b\nrs b a', 'rg ^ x'])
      assert.deepEqual(remapped(map, 'a'), { kind: 'circle' }, map);
  });
});

describe('a map file is refused, by line and reason,', () => {
  const cases: readonly (readonly [what: string, line: string, reason: RegExp])[] = [
    ['with an unknown operation', 'rj a b', /'j' in 'rj'/],
    ['without a pattern', 'r', /pattern must follow/],
    ['with one word too many', 'r a b c', /'c' is too much/],
    ['with ~ and r', '~r a b', /exclude/],
    ['with g and no r', 'g a', /repeats a replacement/],
    ['with a replacement that nothing asks for', 'e a b', /needs the operation/],
    ['with two endings', 'rea a b', /exclude/],
    ['with a back-reference', 'r (a)\\1 b', /not egrep's/],
    ['with a look-ahead', 'r a(?=b) c', /not egrep's/],
    ['with an open group', 'r (a b', /not closed/],
    ['with a bracket that is not closed', 'r [a b', /stands alone/],
    ['with a class that there is not', 'r [[:vowel:]] b', /no class/],
    ['with nothing to repeat', 'r *a b', /nothing to repeat/],
    ['with a lazy repetition', 'r a*? b', /cannot follow/],
    ['with an escape that has no meaning', 'r a \\q', /no meaning/],
    ['with a repeated group that repeats', 'r (a+)+$ b', /cannot be repeated/],
    ['with a repeated group that chooses', 'r (a|aa)*$ b', /cannot be repeated/],
    ['with many repetitions', 'r a*a*a*b c', /more than 2 times/],
    ['with many repetitions at the start', 'r ^a*a*a*a*b c', /more than 3 times/],
    ['with a long pattern', `r ${'a'.repeat(201)} b`, /longer than 200/],
  ];
  for (const [what, line, reason] of cases)
    test(what, () => {
      const parsed = parseMap(`# first line\n${line}\n`);
      assert.ok(!parsed.ok);
      assert.equal(parsed.line, 2);
      assert.match(parsed.reason, reason);
    });
});

test('the slowest pattern that is let through takes little time', () => {
  // The fastest of some: the others tell what else the machine was busy with.
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 10 && fastestMs >= 200; turn++) {
    const startedAt = performance.now();
    for (const map of ['r a*a*b c', 'r ^a*a*a*b c', 'r ^(a*)(a*)(a*)$ \\1', 'rg a{1,99}a*b c'])
      remapped(map, `${'a'.repeat(127)}c`);
    fastestMs = Math.min(fastestMs, performance.now() - startedAt);
  }
  assert.ok(fastestMs < 200);
});
