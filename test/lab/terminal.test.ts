import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTerminalFilter } from './terminal.ts';

const cases = [
  {
    name: 'SeaBIOS sets colours and clears the screen',
    bytes: '\u001bc\u001b[?7l\u001b[2J\u001b[0mSeaBIOS (version 1.16.2)\r\n',
    text: 'SeaBIOS (version 1.16.2)\n',
  },
  {
    name: 'OVMF moves to another row instead of printing a newline',
    bytes: 'BdsDxe: loading\u001b[02;01HBdsDxe: starting',
    text: 'BdsDxe: loading\nBdsDxe: starting',
  },
  {
    name: 'GRUB positions every character of one row',
    bytes: '\u001b[04;01HG\u001b[04;02HR\u001b[04;03HU\u001b[04;04HB',
    text: '\nGRUB',
  },
  {
    name: 'iPXE erases its prompt with backspaces',
    bytes: 'line...\b \b\b \bnet0: open',
    text: 'line...  net0: open',
  },
  { name: 'a progress line returns without a newline', bytes: '10%\r20%\r\n', text: '10%\n20%\n' },
  { name: 'a login prompt ends without a newline', bytes: '\r\nnode1 login: ', text: '\nnode1 login: ' },
];

for (const { name, bytes, text } of cases) {
  test(`terminal: ${name}`, () => {
    assert.equal(createTerminalFilter()(bytes), text);
  });

  test(`terminal: ${name}, byte by byte`, () => {
    const filter = createTerminalFilter();
    assert.equal([...bytes].map(filter).join(''), text);
  });
}
