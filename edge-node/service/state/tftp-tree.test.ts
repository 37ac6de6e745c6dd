import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseMap } from '../decide/remap.ts';
import type { TftpAnswer } from '../sockets/tftp-server.ts';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';
import type { PlanCaller, Servable } from './serving.ts';
import { readMapFile, TftpTree } from './tftp-tree.ts';

const MAC = '52:54:00:aa:00:01';
const MACHINE = '10.66.1.171';
const STRANGER = '10.66.1.9';
const SHA256 = 'ab'.repeat(32);
/** A file that is in memory, and nowhere else. */
const HELD = '/held';
const kernel = new Uint8Array(Buffer.from('kernel'));

interface Bench {
  readonly told: string[];
  readonly planned: PlanCaller[];
  readonly ask: (file: string, clientAddress?: string) => Promise<string>;
  readonly tree: TftpTree;
}

function benchOf(artefacts: Readonly<Record<string, Servable>> = {}, map = ''): Bench {
  const told: string[] = [];
  const planned: PlanCaller[] = [];
  const parsed = parseMap(map);
  assert.ok(parsed.ok);
  const tree = new TftpTree({
    serving: {
      planFor: async (caller) => {
        planned.push(caller);
        return { plan: { kind: 'local' }, where: { edge: 'edge1', segment: 'seg1' } };
      },
      artefactOf: (id, name) => artefacts[`${id}/${name}`],
      viewerAt: (address) => ({
        address,
        machine: address === MACHINE ? { mac: MAC } : undefined,
        isLeased: true,
      }),
      bytesOf: ({ path }) => (path === HELD ? kernel : undefined),
      tftpCapsOf: () => ({ blockBytesMost: 1000, windowMost: 3 }),
      tellAbsent: (address, id, name) => void told.push(`${address} has not ${id.slice(0, 4)}/${name}`),
      tell: (stage, address, news) => void (news && told.push(`${stage} ${address} ${news.detail}`)),
    },
    firmware: new Map([['snponly.efi', new Uint8Array(Buffer.from('snponly'))]]),
    httpPort: 8480,
    rules: parsed.rules,
  });
  const ask = async (file: string, clientAddress = MACHINE): Promise<string> =>
    textOf(await tree.fileOf({ file, clientAddress, serverAddress: '10.66.0.1' }));
  return { told, planned, ask, tree };
}

function textOf(answer: TftpAnswer): string {
  return typeof answer === 'object' ? Buffer.from(answer.bytes).toString() : (answer ?? 'nothing');
}

describe('the tree that a machine sees by TFTP', () => {
  test('has firmware, after slashes of either kind', async () => {
    const { ask } = benchOf();
    for (const name of ['snponly.efi', '//snponly.efi', '\\snponly.efi'])
      assert.equal(await ask(name), 'snponly');
  });

  test('has configurations, each in the language of who asks', async () => {
    const { ask, planned } = benchOf();
    assert.match(await ask('pxelinux.cfg/01-52-54-00-aa-00-01'), /^ {2}LOCALBOOT 0$/m);
    assert.match(await ask('/grub/grub.cfg'), /^exit$/m);
    assert.match(
      await ask('autoexec.ipxe'),
      /^#!ipxe\nisset .*\necho Bootswarm: booting from the local disk\n/,
    );
    assert.deepEqual(planned[0], {
      address: MACHINE,
      machine: { mac: MAC },
      httpUrl: 'http://10.66.0.1:8480',
    });
  });

  test('sends an iPXE of which nobody knows whose it is to ask by HTTP', async () => {
    const { ask, planned } = benchOf();
    assert.match(
      await ask('autoexec.ipxe', STRANGER),
      /^chain --replace http:\/\/10\.66\.0\.1:8480\/boot\.ipxe\?/m,
    );
    assert.equal(planned.length, 0);
  });

  test('has kernels, from memory or once they are read, and no roots', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-tree-'));
    try {
      const path = join(folder, 'initrd');
      await writeFile(path, 'initramfs');
      const { ask } = benchOf({
        [`${SHA256}/vmlinuz`]: { sha256: SHA256, path: HELD, role: 'kernel' },
        [`${SHA256}/initrd.img`]: { sha256: SHA256, path, role: 'initramfs' },
        [`${SHA256}/root.squashfs`]: { sha256: SHA256, path, role: 'root' },
      });
      assert.equal(await ask(`/artefacts/${SHA256}/vmlinuz`), 'kernel');
      const both = [ask(`artefacts/${SHA256}/initrd.img`), ask(`artefacts/${SHA256}/initrd.img`)];
      assert.deepEqual(await Promise.all(both), ['initramfs', 'initramfs']);
      assert.equal(await ask(`artefacts/${SHA256}/root.squashfs`), 'nothing');
      assert.equal(await ask(`artefacts/${'cd'.repeat(32)}/vmlinuz`), 'nothing');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test(`has nothing for ${PATH_ESCAPES.length} names that try to escape`, async () => {
    const { ask, planned } = benchOf();
    for (const path of PATH_ESCAPES)
      for (const folder of ['', 'pxelinux.cfg/', 'grub/', `artefacts/${SHA256}/`])
        assert.equal(await ask(folder + path), 'nothing', folder + path);
    assert.equal(planned.length, 0);
  });

  test('journals what is missed, and not what boot loaders do without', async () => {
    const { ask, told } = benchOf();
    for (const name of ['pxelinux.cfg/0B', 'grub/x86_64-efi/fs.lst', 'revocations_sku.efi', 'grubx64.efi'])
      assert.equal(await ask(name), 'nothing');
    assert.equal(await ask(`artefacts/${SHA256}/vmlinuz`), 'nothing');
    assert.deepEqual(told, [
      `firmware ${MACHINE} grubx64.efi by TFTP: there is no such file`,
      `${MACHINE} has not abab/vmlinuz`,
    ]);
  });

  test('journals the end of a transfer under its stage', () => {
    const { tree, told } = benchOf({
      [`${SHA256}/vmlinuz`]: { sha256: SHA256, path: HELD, role: 'kernel' },
    });
    for (const file of ['/snponly.efi', `/artefacts/${SHA256}/vmlinuz`, 'grub/grub.cfg'])
      tree.tellEnd({ file, clientAddress: MACHINE, serverAddress: '10.66.0.1' }, 'complete');
    assert.deepEqual(
      told.map((line) => line.split(' ')[0]),
      ['firmware', 'kernel', 'script'],
    );
  });

  test('renames what is asked for by the rules, and refuses what they refuse', async () => {
    const { ask } = benchOf({}, 'a ^secret\nr ^bootx64\\.efi$ snponly.efi\nr ^up$ ../snponly.efi\n');
    assert.equal(await ask('bootx64.efi'), 'snponly');
    assert.equal(await ask('secret.efi'), 'forbidden');
    assert.equal(await ask('up'), 'nothing');
  });

  test('shows the rules the name as it was asked for, slashes and all, and journals what they refuse', async () => {
    const map =
      'e ^/ok/\nr ^/boot/(.*) \\1\na ^/secret\na ^/revocations\nrg [\\\\] /\nr ^(kernels)/ artefacts/\n';
    const { ask, tree, told } = benchOf(
      { [`${SHA256}/vmlinuz`]: { sha256: SHA256, path: HELD, role: 'kernel' } },
      map,
    );
    assert.equal(await ask('/boot/snponly.efi'), 'snponly');
    assert.equal(await ask('boot/snponly.efi'), 'nothing');
    assert.equal(await ask('/secret.efi'), 'forbidden');
    assert.equal(await ask('/revocations_sku.efi'), 'forbidden');
    const file = `kernels\\${SHA256}\\vmlinuz`;
    assert.equal(await ask(file), 'kernel');
    tree.tellEnd({ file, clientAddress: MACHINE, serverAddress: '10.66.0.1' }, 'complete');
    assert.deepEqual(told, [
      `firmware ${MACHINE} boot/snponly.efi by TFTP: there is no such file`,
      `firmware ${MACHINE} /secret.efi by TFTP: refused by the map file`,
      `kernel ${MACHINE} artefacts/${SHA256}/vmlinuz by TFTP: complete`,
    ]);
  });

  test('keeps to the caps of segment and class', () => {
    assert.deepEqual(benchOf().tree.capsOf(MACHINE), { maxBlockBytes: 1000, maxWindow: 3 });
  });
});

describe('a map file', () => {
  test('that cannot be read is refused', () =>
    assert.rejects(readMapFile('/nowhere/at/all'), { code: 'tftp_map_unreadable' }));

  test('with a wrong line is refused, naming it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-map-'));
    try {
      await writeFile(join(folder, 'map'), 'r a b\nz a b\n');
      await assert.rejects(readMapFile(join(folder, 'map')), {
        code: 'tftp_map_wrong',
        message: /^line 2 of the map file .* is not taken: 'z' in 'z' is no operation/,
      });
      await writeFile(join(folder, 'map'), '# comment\nr a b\n');
      assert.equal((await readMapFile(join(folder, 'map'))).length, 1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
