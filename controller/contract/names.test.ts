import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { Cidr, Instant, Ipv4, Mac, Name, Uuid } from './names.ts';

const uuid = '4c4c4544-0042-3510-8052-b4c04f4a3232';

/** The text that is kept, or undefined where it is refused. */
const cases: readonly (readonly [string, z.ZodType, readonly (readonly [string, string | undefined])[]])[] = [
  [
    'MAC',
    Mac,
    [
      ['52:54:00:12:34:56', '52:54:00:12:34:56'],
      ['52-54-00-AB-CD-EF', '52:54:00:ab:cd:ef'],
      ['525400abcdef', '52:54:00:ab:cd:ef'],
      ['5254.00ab.cdef', '52:54:00:ab:cd:ef'],
      ['52:54:00:12:34', undefined],
      ['52:54:00:12:34:56:78', undefined],
      ['52:54:0:012:34:56', undefined],
      ['52:54-00:12:34:56', undefined],
      ['52:54:00:12:34:5g', undefined],
      ['', undefined],
    ],
  ],
  [
    'UUID',
    Uuid,
    [
      [uuid, uuid],
      [uuid.toUpperCase(), uuid],
      [uuid.replaceAll('-', ''), undefined],
      [`${uuid} `, undefined],
    ],
  ],
  [
    'subnet',
    Cidr,
    [
      ['10.1.2.0/24', '10.1.2.0/24'],
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['10.1.2.0/30', '10.1.2.0/30'],
      ['10.1.2.0/31', undefined],
      ['10.0.0.0/7', undefined],
      ['10.1.2.0', undefined],
      ['10.1.2.0/24/24', undefined],
    ],
  ],
  [
    'address',
    Ipv4,
    [
      ['10.1.2.3', '10.1.2.3'],
      ['10.1.2.03', undefined],
    ],
  ],
  [
    'name',
    Name,
    [
      ['rack-7', 'rack-7'],
      ['7', '7'],
      ['-rack', undefined],
      ['Rack', undefined],
      ['a/b', undefined],
      ['..', undefined],
      ['a'.repeat(63), 'a'.repeat(63)],
      ['a'.repeat(64), undefined],
    ],
  ],
  [
    'instant',
    Instant,
    [
      ['2026-02-03T04:05:06.789Z', '2026-02-03T04:05:06.789Z'],
      ['2026-02-03T04:05:06Z', undefined],
      ['2026-02-03T04:05:06.7891Z', undefined],
      ['2026-02-03T04:05:06.789+01:00', undefined],
      ['yesterday', undefined],
    ],
  ],
];

for (const [what, schema, texts] of cases)
  for (const [text, kept] of texts)
    test(`${what} ${JSON.stringify(text)} is ${kept === undefined ? 'refused' : 'taken'}`, () => {
      assert.equal(schema.safeParse(text).data, kept);
    });
