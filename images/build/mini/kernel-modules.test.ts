import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DRIVERS, FIRMWARE_BOUND } from './drivers.ts';
import {
  chooseModules,
  type KernelModule,
  moduleName,
  modulesAlias,
  modulesDep,
  modulesSoftdep,
  readModule,
} from './kernel-modules.ts';
import { elfOf } from './testing/elf.ts';

const module = (path: string, more: Partial<KernelModule> = {}): KernelModule => ({
  name: moduleName(path),
  path,
  depends: [],
  before: [],
  aliases: [],
  firmware: [],
  ...more,
});

const all = [
  module('kernel/net.ko', { depends: ['core', 'bus'], aliases: ['pci:v1*'], before: ['crypto', 'gone'] }),
  module('kernel/core.ko', { depends: ['bus'] }),
  module('kernel/bus.ko'),
  module('kernel/crypto.ko'),
  module('kernel/other-thing.ko', { depends: ['built_in'] }),
];
const byPath = new Map(all.map((each) => [each.path, each]));

function choose(...wanted: readonly string[]) {
  const read = async (path: string) => byPath.get(path) ?? assert.fail(path);
  return chooseModules(wanted, [...byPath.keys()], new Set(['built_in']), read);
}

describe('modules', () => {
  test('come with what they need, and with what is to be loaded before', async () => {
    const { modules, absent } = await choose('net');
    assert.deepEqual(
      modules.map(({ name }) => name),
      ['bus', 'core', 'crypto', 'net'],
    );
    assert.deepEqual(absent, []);
  });

  test('that a kernel has not are told; what it holds itself is none of them', async () => {
    const { modules, absent } = await choose('other_thing', 'nothing-of-it', 'built_in');
    assert.deepEqual(
      modules.map(({ name }) => name),
      ['other_thing'],
    );
    assert.deepEqual(absent, ['nothing_of_it']);
  });

  test('are written as modprobe reads them: what is needed first stands last', async () => {
    const { modules } = await choose('net');
    assert.equal(
      modulesDep(modules),
      [
        'kernel/bus.ko:',
        'kernel/core.ko: kernel/bus.ko',
        'kernel/crypto.ko:',
        'kernel/net.ko: kernel/core.ko kernel/bus.ko',
        '',
      ].join('\n'),
    );
    assert.equal(modulesAlias(modules), 'alias pci:v1* net\n');
    assert.equal(modulesSoftdep(modules), 'softdep net pre: crypto\n');
  });

  test('say of themselves what .modinfo holds', () => {
    const info = ['license=GPL', 'depends=mii,crc-itu-t', 'alias=pci:v8086*', 'firmware=a/b.bin'];
    const text = `${[...info, 'softdep=pre: a-b c post: d', 'alias=x'].join('\0')}\0`;
    assert.deepEqual(readModule('kernel/a/my-card.ko', elfOf({ '.modinfo': Buffer.from(text) })), {
      name: 'my_card',
      path: 'kernel/a/my-card.ko',
      depends: ['mii', 'crc_itu_t'],
      before: ['a_b', 'c'],
      aliases: ['pci:v8086*', 'x'],
      firmware: ['a/b.bin'],
    });
  });

  test('that are damaged are refused', () => {
    const whole = elfOf({ '.modinfo': Buffer.from('depends=\0') });
    assert.throws(() => readModule('a.ko', whole.subarray(0, 70)), RangeError);
  });
});

test('every driver is named as modprobe takes it, and in the full image whatever is bound to firmware', () => {
  for (const groups of Object.values(DRIVERS))
    for (const name of Object.values(groups).flat()) assert.match(name, /^[a-z0-9A-Z_]+$/);
  const full = new Set(Object.values(DRIVERS.full).flat());
  for (const name of FIRMWARE_BOUND) assert.ok(full.has(name), name);
});
