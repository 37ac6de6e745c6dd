import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { artefactOf, digestOf, type Manifest, mediumId } from '@bootswarm/images/format';
import { disk } from '../install/testing/new-machine.ts';
import { verifiedPieces } from '../release-fetch.ts';
import { consent } from './consent.ts';
import { mediumSource } from './find-medium.ts';
import { withoutMedium } from './install-from-medium.ts';
import { type Keys, typedLine } from './keyboard.ts';
import { hostName, mediumTerms, parseMedium } from './terms.ts';

const ROOT = Buffer.alloc(3_000_000, 'root');
const digest = await digestOf(
  (async function* () {
    yield ROOT;
  })(),
);
const HASH = 'a'.repeat(64);
const MANIFEST: Manifest = {
  format: 1,
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: [],
  artefacts: [
    ...(['kernel', 'initramfs'] as const).map((role) => ({
      role,
      name: role,
      length: 1,
      sha256: HASH,
      pieceBytes: 2 ** 20,
      pieces: [HASH],
    })),
    { role: 'root', name: 'root.squashfs', ...digest, pieces: [...digest.pieces] },
  ],
};
const PROFILE = {
  name: 'p',
  kind: 'image',
  release: 'minimal/1.0/amd64',
  layout: { disks: [{ serial: 'A' }] },
};
const MEDIUM = {
  format: 1,
  manifest: MANIFEST,
  files: { 'root.squashfs': '/live/root.squashfs' },
  profile: PROFILE,
};
const parsed = parseMedium(JSON.stringify(MEDIUM));

/** Types what it is given, and then nothing any more. */
class TypedBefore implements Keys {
  readonly waits: number[] = [];
  #left: string;
  #early: string;

  /** @param early what was typed before anybody listened. */
  constructor(keys: string, early = '') {
    this.#left = keys;
    this.#early = early;
  }

  next(ms: number): Promise<string | undefined> {
    this.waits.push(ms);
    const [key] = this.#early + this.#left;
    if (this.#early !== '') this.#early = this.#early.slice(1);
    else this.#left = this.#left.slice(1);
    return Promise.resolve(key);
  }

  drop(): void {
    this.#early = '';
  }
}

describe('what a medium says', () => {
  const unfit: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
    ['no JSON', '{', /JSON/],
    ['a format of another day', JSON.stringify({ ...MEDIUM, format: 2 }), /format/],
    [
      'a path that leads out of it',
      JSON.stringify({ ...MEDIUM, files: { 'root.squashfs': '/live/../../etc/shadow' } }),
      /files/,
    ],
    [
      'a profile without disks',
      JSON.stringify({ ...MEDIUM, profile: { ...PROFILE, layout: { disks: [] } } }),
      /layout\.disks/,
    ],
  ];
  for (const [name, text, reason] of unfit)
    test(`is refused as ${name}`, () =>
      assert.throws(() => parseMedium(text), { code: 'medium_unreadable', message: reason }));

  test('orders an installation of its release, that asks DHCP and tells nobody', () => {
    const terms = mediumTerms('0123', parsed, { uuid: 'u', serial: 'S 1', macs: ['52:54:00:00:00:01'] });
    assert.equal(terms.release, 'minimal/1.0/amd64');
    assert.equal(terms.firstBootUrl, undefined);
    assert.deepEqual(terms.machine, { id: 'medium-0123-u', hostname: 'minimal-s-1', dnsServers: [] });
  });

  test('is known by its content', () =>
    assert.notEqual(mediumId(JSON.stringify(MEDIUM)), mediumId(JSON.stringify({ ...MEDIUM, profile: {} }))));
});

test('a machine is called after its image and its serial number, else its first card', () => {
  const cases: readonly (readonly [image: string, serial: string | undefined, mac: string, name: string])[] =
    [
      ['minimal', 'S64ENX0R', '', 'minimal-s64enx0r'],
      ['rescue_2.0', '/../X Y.', '', 'rescue-2-0-x-y'],
      ['minimal', undefined, '52:54:00:12:34:56', 'minimal-123456'],
      ['minimal', undefined, '', 'minimal'],
      ['n'.repeat(62), 'ABC', '', 'n'.repeat(62)],
    ];
  for (const [image, serial, mac, name] of cases)
    assert.equal(hostName(image, { serial, macs: mac === '' ? [] : [mac] }), name);
});

test('the medium is no disk of the machine, whatever it looks like', () => {
  const found = ['sda', 'sdb'].map((name) => ({
    disk: disk({ name, serial: 'SAME' }),
    tableUuid: undefined,
  }));
  assert.deepEqual(
    withoutMedium(found, { name: 'sda' }).map(({ disk: { name } }) => name),
    ['sdb'],
  );
});

describe('before anything is written', () => {
  const asked = async (keys: Keys, begun: readonly string[] = []): Promise<string> => {
    const lines: string[] = [];
    await consent(begun, 12, { keys, say: (line) => lines.push(line) });
    return lines.join('\n');
  };

  test('it waits for a while, and says for how long', async () => {
    const keys = new TypedBefore('');
    const said = await asked(keys);
    assert.match(said, /will be LOST.*in 12 s; any key stops it\n.*in 10 s.*in 1 s/s);
    assert.equal(
      keys.waits.reduce((sum, ms) => sum + ms, 0),
      12_000,
    );
  });

  test('any key stops it', () => assert.rejects(asked(new TypedBefore('x')), { code: 'medium_declined' }));

  test('keys that were meant for the boot menu do not count', () =>
    assert.doesNotReject(asked(new TypedBefore('', '\r'))));

  test('what it has installed before is not installed over by waiting', () =>
    assert.rejects(asked(new TypedBefore('\r'), ['sda']), { code: 'medium_declined' }));

  test('nor by a word that is nearly right', () =>
    assert.rejects(asked(new TypedBefore('agai\r'), ['sda']), { code: 'medium_declined' }));

  test('but by the word, slips of the finger included', async () => {
    const said = await asked(new TypedBefore('agg\x7fain\r', 'again\r'), ['sda (serial A)']);
    assert.match(said, /installed this machine before, or begun to: sda \(serial A\)/);
  });
});

test('a line ends with Enter', async () => assert.equal(await typedLine(new TypedBefore(' ab \ncd')), 'ab'));

describe('an artefact on a medium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-medium-'));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'live'));
  const source = mediumSource(folder, parsed.files);
  const root = artefactOf(MANIFEST, 'root');
  const read = async (bytes: Buffer, first = 0): Promise<Buffer> => {
    writeFileSync(join(folder, 'live/root.squashfs'), bytes);
    const pieces: Buffer[] = [];
    for await (const piece of verifiedPieces(source, root, new AbortController().signal, first))
      pieces.push(Buffer.from(piece.bytes));
    return Buffer.concat(pieces);
  };

  test('is read by pieces, from any of them on', async () => {
    assert.ok((await read(ROOT)).equals(ROOT));
    assert.ok((await read(ROOT, 2)).equals(ROOT.subarray(2 * 2 ** 20)));
  });

  test('is refused where a byte of it is another', async () => {
    const damaged = Buffer.from(ROOT);
    damaged[2_500_000] = 0;
    await assert.rejects(read(damaged), { code: 'piece_wrong' });
  });

  test('is refused where it ends too early', () =>
    assert.rejects(read(ROOT.subarray(0, 2_000_000)), { code: 'artefact_short' }));

  test('is refused where the medium does not have it', async () => {
    const missing = verifiedPieces(source, { ...root, name: 'x' }, new AbortController().signal, 0);
    await assert.rejects(missing.next(), { code: 'medium_unreadable' });
  });
});
