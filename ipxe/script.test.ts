import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type BootPlan, renderScript, SCRIPT_PATH } from './index.ts';

const SERVER = 'http://10.99.0.1:8480';
const SHA256 = 'a'.repeat(64);
const where = { edge: 'edge1', segment: 'seg1' };
const folder = new URL('testing/scripts/', import.meta.url);

const live = (kernelArguments: readonly string[]): BootPlan => ({
  kind: 'live',
  release: 'minimal/1.0/amd64',
  kernelUrl: `${SERVER}/artefacts/${SHA256}/vmlinuz`,
  initramfsUrl: `${SERVER}/artefacts/${SHA256}/initrd.img`,
  kernelArguments,
});
const PLANS: Readonly<Record<string, BootPlan>> = {
  local: { kind: 'local' },
  live: live(['boot=live', 'console=ttyS0,115200n8', `fetch=${SERVER}/artefacts/${SHA256}/root.squashfs`]),
  menu: {
    kind: 'menu',
    title: 'Rack 12',
    timeoutSeconds: 30,
    entries: [
      { label: 'Rescue', isLocked: true },
      { label: 'Local disk', isLocked: false },
    ],
    scriptUrl: SERVER + SCRIPT_PATH,
  },
  vlan: { kind: 'vlan', tag: 7 },
  refused: { kind: 'refused', scriptUrl: SERVER + SCRIPT_PATH },
  kernel: {
    kind: 'kernel',
    label: 'Debian installer',
    kernelUrl: 'http://mirror.example/linux',
    initramfsUrl: 'http://mirror.example/initrd.gz',
    kernelArguments: ['priority=low'],
  },
  bare: {
    kind: 'kernel',
    label: 'a kernel alone',
    kernelUrl: 'http://mirror.example/linux',
    initramfsUrl: undefined,
    kernelArguments: [],
  },
  iso: { kind: 'iso', label: 'Firmware update', url: 'http://mirror.example/update.iso' },
  memtest: { kind: 'memtest', firmwareUrl: `${SERVER}/firmware` },
  wait: {
    kind: 'wait',
    reason: 'this edge is fetching minimal/1.0/amd64: 2 of 3 files',
    scriptUrl: SERVER + SCRIPT_PATH,
  },
};

describe('scripts, as their golden texts say', () => {
  for (const [name, plan] of Object.entries(PLANS))
    test(name, () => {
      const golden = new URL(`${name}.ipxe`, folder);
      const script = renderScript(plan, where);
      if (process.env['REFRESH_GOLDEN']) writeFileSync(golden, script);
      assert.equal(script, readFileSync(golden, 'utf8'));
    });
});

describe('every script', () => {
  for (const [name, plan] of Object.entries(PLANS)) {
    const lines = renderScript(plan, where).split('\n');

    test(`${name}: begins as iPXE knows it, and ends with a line's end`, () => {
      assert.equal(lines[0], '#!ipxe');
      assert.equal(lines.at(-1), '');
    });

    test(`${name}: goes only to labels that there are`, () => {
      const labels = lines.filter((line) => line.startsWith(':')).map((line) => line.slice(1));
      assert.equal(new Set(labels).size, labels.length);
      for (const [, label = ''] of lines.join('\n').matchAll(/\bgoto (\w+)/g))
        assert.ok(labels.includes(label), label);
    });

    test(`${name}: holds no line that iPXE or a kernel would cut`, () => {
      // COMMAND_LINE_SIZE of x86 is 2048.
      for (const line of lines) assert.ok(line.length < 2048, `${line.length} bytes`);
    });
  }

  test('keeps kernel arguments as they are, in their order, repeated ones too', () => {
    const kernelArguments = ['b=2', 'a=1', 'b=2', '--', 'x="q"', 'init=/bin/sh', "it's=%20"];
    const line = renderScript(live(kernelArguments), where)
      .split('\n')
      .find((each) => each.startsWith('kernel '));
    assert.ok(line?.endsWith(` ${kernelArguments.join(' ')} || goto again`), line);
  });
});

test('the URL of the script fits the `file` field, with the longest of servers', () => {
  assert.ok(`http://255.255.255.255:65535${SCRIPT_PATH}`.length <= 127);
});
