import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEfiVariables } from './efi-variables.ts';

const ATTRIBUTES = [7, 0, 0, 0];
const END = [0x7f, 0xff, 4, 0];
function option(label: string, path: readonly number[], attributes = 1): Uint8Array {
  const whole = [...path, ...END];
  return Uint8Array.from([
    ...ATTRIBUTES,
    ...[attributes, 0, 0, 0],
    ...[whole.length & 255, whole.length >> 8],
    ...Buffer.from(`${label}\0`, 'utf16le'),
    ...whole,
  ]);
}
const MAC_NODE = [3, 11, 37, 0, ...new Array<number>(33).fill(2)];
const HARD_DRIVE_NODE = [4, 1, 42, 0, ...new Array<number>(38).fill(1)];

test('the boot order is told as the firmware keeps it', () => {
  const variables = new Map([
    ['BootOrder', Uint8Array.from([...ATTRIBUTES, 2, 0, 1, 0, 0xab, 0])],
    ['Boot0001', option('debian', HARD_DRIVE_NODE)],
    ['Boot0002', option('UEFI PXEv4', MAC_NODE, 0)],
    ['SecureBoot', Uint8Array.from([...ATTRIBUTES, 1])],
  ]);
  assert.deepEqual(
    decodeEfiVariables((name) => variables.get(name)),
    {
      secureBoot: 'on',
      bootOrder: [
        { number: '0002', label: 'UEFI PXEv4', isActive: false, kind: 'network' },
        { number: '0001', label: 'debian', isActive: true, kind: 'disk' },
      ],
    },
  );
});

test('Secure Boot is off, or waits for its keys', () => {
  const none = decodeEfiVariables(() => undefined);
  assert.deepEqual(none, { secureBoot: 'off', bootOrder: [] });
  const setup = decodeEfiVariables((name) =>
    name === 'SetupMode' ? Uint8Array.from([...ATTRIBUTES, 1]) : undefined,
  );
  assert.equal(setup.secureBoot, 'setup');
});

test('any bytes are read to an end', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeEfiVariables(() => bytes)));
});
