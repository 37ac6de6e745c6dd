import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findInTreeIndex, lookupOf, treePathOf } from './tree-lookup.ts';

const file = (path: string, offset = 0) => ({ path, offset, length: 1 });
const tree = lookupOf({
  format: 1,
  length: 100,
  files: [file('dists/bookworm/Release', 1), file('pool/a.deb', 2), file('README', 3)],
  links: [
    { path: 'dists/stable', target: 'dists/bookworm' },
    { path: 'debian', target: 'pool' },
    { path: 'dists/current', target: 'dists/stable' },
    { path: 'latest', target: 'dists/current/Release' },
    { path: 'a', target: 'b' },
    { path: 'b', target: 'a' },
    { path: 'grows', target: 'grows/more' },
    { path: 'lost', target: 'no/where' },
  ],
});

function textOf(path: string): string {
  const found = findInTreeIndex(tree, path);
  if (!found) return 'nothing';
  return found.kind === 'file' ? `file at ${found.offset}` : found.names.join(' ');
}

describe('a path of a tree', () => {
  const cases: readonly (readonly [what: string, path: string, found: string])[] = [
    ['is a file', 'README', 'file at 3'],
    [
      'is a folder, with folders and links to them marked',
      '',
      'README a b debian/ dists/ grows latest lost pool/',
    ],
    ['is a folder below', 'dists', 'bookworm/ current/ stable/'],
    ['leads through a link', 'dists/stable/Release', 'file at 1'],
    ['leads through a link to a link', 'dists/current/Release', 'file at 1'],
    ['is a link to a file', 'latest', 'file at 1'],
    ['is a link to a folder', 'debian', 'a.deb'],
    ['is nothing below a file', 'README/x', 'nothing'],
    ['is nothing in a circle', 'a', 'nothing'],
    ['is nothing in a circle that grows', 'grows/x', 'nothing'],
    ['is nothing where a link leads nowhere', 'lost', 'nothing'],
    ['is nothing by what an object has by itself', 'constructor', 'nothing'],
  ];
  for (const [what, path, found] of cases) test(what, () => assert.equal(textOf(path), found));
});

describe('the target of a request', () => {
  const cases: readonly (readonly [raw: string, path: string | undefined])[] = [
    ['', ''],
    ['pool/a.deb', 'pool/a.deb'],
    ['pool/', 'pool'],
    ['pool/a%20b%2Bc.deb', 'pool/a b+c.deb'],
    ['/', undefined],
    ['pool//a.deb', undefined],
    ['/etc/passwd', undefined],
    ['../x', undefined],
    ['pool/..', undefined],
    ['pool/%2e%2e/x', undefined],
    ['pool/./a', undefined],
    ['pool%2fa.deb', undefined],
    ['pool/%00', undefined],
    ['pool/%0a', undefined],
    ['pool/%', undefined],
    ['pool/%ff', undefined],
    ['pool/..%5c..%5cx', 'pool/..\\..\\x'],
    ['%252e%252e/x', '%2e%2e/x'],
  ];
  for (const [raw, path] of cases)
    test(`${JSON.stringify(raw)} is ${path === undefined ? 'no path' : path}`, () =>
      assert.equal(treePathOf(raw), path));

  test('never is a path with a part that leads up', () => {
    const piece = fc.constantFrom('.', '..', '/', '%2e', '%2f', '%5c', 'a', '%25', '%00', '\\');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const parts = treePathOf(pieces.join(''))?.split('/') ?? [];
        assert.ok(!parts.includes('..') && !parts.includes('.'));
      }),
    );
  });
});
