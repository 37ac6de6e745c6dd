import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashMenuPassword } from '@bootswarm/controller/contract';
import { Lab } from '../lab/index.ts';
import { debianKernel, Site, smallInitramfs, writeBuildFolder } from './index.ts';

const PASSWORD = 'open sesame';
const CONSOLE = ['console=ttyS0,115200n8', 'earlyprintk=ttyS0,115200n8'];
const UP_KEY = '\u001b[A';
const BOOT_MS = 300_000;

test('a machine shows the menu of its segment, and boots a locked entry with its password alone', async () => {
  await using lab = await Lab.create('menu');
  const segment = await lab.addSegment({ relay: 'none' });
  const site = await Site.start(lab);
  await site.addEdge('edge1', segment.coreInterface ?? '');
  await site.addSegment(segment, 'edge1');
  const files = { kernel: await debianKernel(lab), initramfs: smallInitramfs(), root: new Uint8Array(4096) };
  await writeBuildFolder(`${lab.folder}/build`, files, CONSOLE);
  const release = await site.publish(`${lab.folder}/build`);
  const menu = {
    title: 'Rack 12',
    timeoutSeconds: 0,
    password: await hashMenuPassword(PASSWORD),
    entries: [
      { kind: 'live', label: 'Interop release', release, locked: true },
      { kind: 'local', label: 'Local disk' },
    ],
  };
  const shown = (await site.bootswarm('segment', 'show', `seg${segment.number}`)) as object;
  const file = `${lab.folder}/menu.json`;
  writeFileSync(file, JSON.stringify({ ...shown, defaultIntent: { kind: 'menu' }, menu }));
  await site.bootswarm('segment', 'apply', file);
  await site.releaseReady(release);

  const machine = await segment.startMachine({ name: 'node1', firmware: 'bios' });
  await machine.waitFor(/Rack 12 - segment/, BOOT_MS);
  const pick = async (password: string): Promise<void> => {
    // The default is the entry that needs no password.
    await machine.type(UP_KEY);
    const since = machine.console.text.length;
    await machine.type('\r');
    await machine.waitFor(/Username/i, 20_000, since);
    await machine.type(`\t${password}\r`);
  };
  await pick('wrong');
  const { match } = await machine.waitFor(/this is not the password of the menu/, 30_000);
  assert.ok(match);
  const since = machine.console.text.length;
  await machine.waitFor(/Rack 12 - segment/, 30_000, since);
  await pick(PASSWORD);
  await machine.waitFor(/Linux version \d/, BOOT_MS);
  await machine.powerOff();
  assert.match(site.edge.output.text, /"stage":"script".*without the menu's password/);
  assert.match(site.edge.output.text, /"stage":"script".*boot live interop\/1\/amd64/);
});
