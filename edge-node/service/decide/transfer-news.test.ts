import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artefactNews, missingNews, tftpNews } from './transfer-news.ts';

const endings: readonly (readonly [ending: string, cause: string | undefined])[] = [
  ['complete', undefined],
  ['timed out', 'firmware_broken_off'],
  ['failed by client', 'firmware_broken_off'],
  ['send: EHOSTUNREACH', 'firmware_broken_off'],
];
for (const [ending, cause] of endings)
  test(`TFTP that is ${ending}: ${cause ?? 'the boot goes on'}`, () => {
    const news = tftpNews('snponly.efi', ending);
    assert.equal(news?.detail, `snponly.efi by TFTP: ${ending}`);
    assert.equal(news?.cause, cause);
  });

for (const ending of ['aborted by client', 'superseded by a new request', 'the edge stops'])
  test(`TFTP that is ${ending} tells nothing`, () =>
    assert.equal(tftpNews('snponly.efi', ending), undefined));

test('an artefact is fetched, or it broke off', () => {
  assert.deepEqual(artefactNews({ bytes: 7, complete: true }), { detail: 'fetched, 7 bytes' });
  assert.deepEqual(artefactNews({ bytes: 7, complete: false }), {
    detail: 'broke off after 7 bytes',
    cause: 'kernel_broken_off',
  });
});

test('a name that is asked for and missing is told in part, however long it is', () => {
  const { detail, cause } = missingNews('x'.repeat(5000), 'TFTP');
  assert.equal(cause, 'firmware_missing');
  assert.ok(detail.length < 300);
});
