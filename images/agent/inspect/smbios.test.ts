import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSmbios } from './smbios.ts';

/** A structure: its fields by offset, a list of bytes each, and its strings. */
function structure(
  type: number,
  length: number,
  fields: Readonly<Record<number, readonly number[]>>,
  ...strings: string[]
): number[] {
  const data = new Uint8Array(length);
  data.set([type, length, type, 0]);
  for (const [at, bytes] of Object.entries(fields)) data.set(bytes, Number(at));
  const texts = strings.flatMap((text) => [...Buffer.from(text, 'latin1'), 0]);
  return [...data, ...(strings.length === 0 ? [0, 0] : [...texts, 0])];
}
const table = (...structures: number[][]): Uint8Array => Uint8Array.from(structures.flat());

const SYSTEM = structure(
  1,
  27,
  {
    4: [1],
    5: [2],
    7: [3],
    8: [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 8, 9, 10, 11, 12, 13, 14, 15],
    25: [4],
  },
  'Acme',
  'Server 1',
  'SN-7',
  'To be filled by O.E.M.',
);

test('the system tells maker, product, serial and UUID, and not what its maker left empty', () => {
  const facts = decodeSmbios(table(structure(0, 24, { 4: [1], 5: [2] }, 'SeaBIOS', '1.16'), SYSTEM));
  assert.deepEqual(facts, {
    biosVendor: 'SeaBIOS',
    biosVersion: '1.16',
    manufacturer: 'Acme',
    product: 'Server 1',
    serial: 'SN-7',
    uuid: '00112233-4455-6677-0809-0a0b0c0d0e0f',
    processors: [],
    memory: [],
    hasBmc: false,
  });
});

test('memory is told by its occupied slots, however its size is written', () => {
  const module = (size: number[], extended: number[] = [0, 0, 0, 0]): number[] =>
    structure(
      17,
      40,
      { 12: size, 16: [1], 23: [2], 24: [3], 26: [4], 28: extended, 32: [0x80, 0x0c] },
      'DIMM A1',
      'Hynix',
      'M-1',
      'HMA8',
    );
  const facts = decodeSmbios(
    table(
      module([0x00, 0x40]),
      module([0, 0]),
      module([0xff, 0x7f], [0, 0, 1, 0]),
      module([0x00, 0x84]),
      structure(38, 18, {}),
    ),
  );
  assert.deepEqual(
    facts.memory.map(({ sizeMib }) => sizeMib),
    [16_384, 65_536, 1],
  );
  assert.deepEqual(facts.memory[0], {
    slot: 'DIMM A1',
    sizeMib: 16_384,
    speedMtPerS: 3200,
    manufacturer: 'Hynix',
    part: 'HMA8',
    serial: 'M-1',
  });
  assert.equal(facts.hasBmc, true);
});

test('processors are told by their occupied sockets', () => {
  const processor = (status: number, cores: number, more: number[]): number[] =>
    structure(
      4,
      48,
      { 4: [1], 16: [2], 24: [status], 35: [cores], 37: [cores], 42: more, 46: more },
      'CPU 0',
      'Epyc',
    );
  const facts = decodeSmbios(
    table(processor(0x41, 16, [0, 0]), processor(0x00, 16, [0, 0]), processor(0x41, 0xff, [0x80, 1])),
  );
  assert.deepEqual(facts.processors, [
    { socket: 'CPU 0', model: 'Epyc', cores: 16, threads: 16 },
    { socket: 'CPU 0', model: 'Epyc', cores: 384, threads: 384 },
  ]);
});

test('a UUID of zeros or ones is none', () => {
  for (const byte of [0, 0xff]) {
    const facts = decodeSmbios(table(structure(1, 27, { 8: new Array<number>(16).fill(byte) })));
    assert.equal(facts.uuid, undefined);
  }
});

test('any bytes are read to an end', () => {
  const whole = table(SYSTEM, SYSTEM);
  for (let length = 0; length < whole.length; length++) decodeSmbios(whole.subarray(0, length));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void decodeSmbios(bytes)));
});
