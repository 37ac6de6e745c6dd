import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathOf } from '../boot/index.ts';
import { readScript, settingsOf } from './boot-script.ts';

const settings = settingsOf({
  mac: '52:54:00:f1:00:01',
  uuid: 'b0075a4a-0000-4000-8000-000000000001',
  firmware: 'uefi',
});

/** A script as the ipxe-builder renders it. */
const golden = (name: string): string => readFileSync(pathOf(`ipxe/testing/scripts/${name}.ipxe`), 'utf8');

describe('a script of an edge, as a played machine follows it', () => {
  test('loads kernel and initramfs, with the settings of the machine filled in', () => {
    const step = readScript(golden('live'), settings);
    assert.ok(step.kind === 'kernel');
    assert.match(step.kernelUrl, /^http:\/\/\S+$/);
    assert.match(step.initramfsUrl ?? '', /^http:\/\/\S+$/);
    assert.match(step.arguments, /^initrd=initramfs BOOTIF=01-52-54-00-f1-00-01 /);
    assert.doesNotMatch(step.arguments, /\|\||\$\{/);
  });

  test('may load a kernel alone', () => {
    const step = readScript(golden('bare'), settings);
    assert.ok(step.kind === 'kernel');
    assert.equal(step.initramfsUrl, undefined);
  });

  test('goes on to the disk', () => {
    assert.deepEqual(readScript(golden('local'), settings), { kind: 'local' });
  });

  test('asks again after a while, with its name filled in', () => {
    const step = readScript(golden('wait'), settings);
    assert.ok(step.kind === 'wait');
    assert.equal(step.seconds, 10);
    assert.match(step.scriptUrl, /^http/);
    assert.doesNotMatch(step.scriptUrl, /\$\{/);
  });

  test('that does something else is told of, and so is what is none', () => {
    assert.throws(() => readScript(golden('menu'), settings), /a menu, which no played machine/);
    assert.throws(() => readScript(golden('memtest'), settings), /no played machine follows/);
    assert.throws(() => readScript('<html>', settings), /no iPXE script/);
  });
});
