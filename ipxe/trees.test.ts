import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  asAutoexec,
  type BootPlan,
  renderGrub,
  renderHandover,
  renderPxelinux,
  SCRIPT_PATH,
} from './index.ts';

const SERVER = 'http://10.99.0.1:8480';
const SHA256 = 'a'.repeat(64);
const MAC = '52:54:00:aa:00:01';
const folder = new URL('testing/trees/', import.meta.url);

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
  wait: {
    kind: 'wait',
    reason: 'this edge is fetching minimal/1.0/amd64: 2 of 3 files',
    scriptUrl: SERVER + SCRIPT_PATH,
  },
  menu: {
    kind: 'menu',
    title: 'Bootswarm',
    timeoutSeconds: 10,
    entries: [{ label: 'Local disk', isLocked: false }],
    scriptUrl: SERVER + SCRIPT_PATH,
  },
};

describe('configurations, as their golden texts say', () => {
  for (const [name, plan] of Object.entries(PLANS))
    for (const [style, rendered] of [
      ['pxelinux', renderPxelinux(plan)],
      ['grub', renderGrub(plan, MAC)],
    ] as const)
      test(`${style}: ${name}`, () => {
        const golden = new URL(`${name}.${style}`, folder);
        if (process.env['REFRESH_GOLDEN']) writeFileSync(golden, rendered);
        assert.equal(rendered, readFileSync(golden, 'utf8'));
      });
});

describe('kernel arguments', () => {
  const kernelArguments = ['b=2', '$root', 'x="q"', "it's", 'a;b', 'c\\d', '{e}', 'f&g|h'];

  test('reach the kernel through GRUB as they are', () => {
    const line = renderGrub(live(kernelArguments), undefined)
      .split('\n')
      .find((each) => each.includes('linux '));
    assert.equal(
      line,
      `if linux /artefacts/${SHA256}/vmlinuz b=2 '$root' 'x="q"' 'it'\\''s' 'a;b' 'c\\d' '{e}' 'f&g|h'; then`,
    );
  });

  test('reach the kernel through PXELINUX as they are', () => {
    const text = renderPxelinux(live(kernelArguments));
    assert.ok(text.includes(`\n  APPEND ${kernelArguments.join(' ')}\n`));
  });

  test('that there are none of leave no line', () =>
    assert.doesNotMatch(renderPxelinux(live([])), /^ *APPEND/m));
});

test('GRUB is told by which card the machine came, where that is known', () => {
  assert.match(renderGrub(live([]), MAC), / BOOTIF=01-52-54-00-aa-00-01; then\n/);
  assert.doesNotMatch(renderGrub(live([]), undefined), /BOOTIF/);
});

test('scripts of GRUB are whole', () => {
  for (const plan of Object.values(PLANS)) {
    const text = renderGrub(plan, MAC);
    const count = (pattern: RegExp): number => [...text.matchAll(pattern)].length;
    assert.equal(count(/\bif /g), count(/\bfi\b/g));
  }
});

test('an iPXE that starts with a script asks for its address first', () => {
  const network = 'isset ${netX/ip} || dhcp || echo Bootswarm: no address by DHCP';
  assert.equal(asAutoexec('#!ipxe\nexit 1\n'), `#!ipxe\n${network}\nexit 1\n`);
  assert.equal(
    renderHandover(SERVER),
    `#!ipxe\n${network}\nchain --replace ${SERVER}/boot.ipxe?mac=\${mac:hexhyp}&uuid=\${uuid}&platform=\${platform}\n`,
  );
});
