import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from './digest.ts';
import { edgeArtefacts, KernelArgument, Manifest, pieceCount, pieceRange } from './manifest.ts';
import { makeSigningKey, signText, verifySigned } from './signature.ts';

const sha256 = 'a'.repeat(64);
const artefact = (role: string): unknown => ({
  role,
  name: role,
  length: 100,
  sha256,
  pieceBytes: 16 * 1024,
  pieces: [sha256],
});
const manifest = {
  format: 1,
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: ['boot=live'],
  artefacts: ['kernel', 'initramfs', 'root'].map(artefact),
};

test('a manifest names what is wrong with it', () => {
  const cases: readonly (readonly [object, string | undefined])[] = [
    [{}, undefined],
    [{ format: 2 }, 'format'],
    [{ name: '../etc' }, 'name'],
    [{ version: 'a b' }, 'version'],
    [{ unknown: 1 }, ''],
    [{ artefacts: [artefact('kernel'), artefact('kernel')] }, 'artefacts'],
    [{ artefacts: [artefact('kernel'), artefact('root')] }, 'artefacts'],
    [{ kernelArguments: ['a b'] }, 'kernelArguments.0'],
  ];
  for (const [change, field] of cases) {
    const parsed = Manifest.safeParse({ ...manifest, ...change });
    assert.equal(parsed.error?.issues[0]?.path.join('.'), field, JSON.stringify(change));
  }
});

test('a kernel argument must not mean anything to iPXE', () => {
  for (const good of ['boot=live', 'console=ttyS0,115200n8', 'x="a;b"', 'a||b', 'a#b', '$5', '--'])
    assert.ok(KernelArgument.safeParse(good).success, good);
  for (const bad of ['', 'a b', '||', '&&', ';', '#', '#x', 'a=${net0/ip}', 'ä'])
    assert.ok(!KernelArgument.safeParse(bad).success, bad);
});

test('pieces cover an artefact without gap or overlap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.integer({ min: 16384, max: 1 << 22 }),
      (length, pieceBytes) => {
        const last = pieceCount(length, pieceBytes) - 1;
        assert.equal(pieceRange({ length, pieceBytes }, 0).start, 0);
        assert.equal(pieceRange({ length, pieceBytes }, last).end, length);
        const { start, end } = pieceRange({ length, pieceBytes }, last);
        assert.ok(end > start && end - start <= pieceBytes);
      },
    ),
  );
});

test('a digest does not depend on how the bytes come', async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const inChunks = async (size: number): Promise<unknown> =>
    digestOf(
      (async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      })(),
      () => {},
      16384,
    );
  const whole = await inChunks(bytes.length);
  for (const size of [1000, 16384, 16385, 50_000]) assert.deepEqual(await inChunks(size), whole);
});

test('a signature holds for its text and its key alone', () => {
  const [key, other] = [makeSigningKey(), makeSigningKey()];
  const signed = signText('{"revision":1}', key.privateKey);
  assert.ok(verifySigned(signed, key.publicKey));
  assert.ok(!verifySigned(signed, other.publicKey));
  assert.ok(!verifySigned({ ...signed, payload: '{"revision":2}' }, key.publicKey));
  assert.ok(!verifySigned({ ...signed, signature: '' }, key.publicKey));
  assert.ok(!verifySigned(signed, 'not a key'));
});

test('an edge holds a disk image only where there is no root to install', () => {
  const rolesOf = (...roles: readonly string[]): readonly string[] =>
    edgeArtefacts(Manifest.parse({ ...manifest, bootStyle: 'classic', artefacts: roles.map(artefact) })).map(
      ({ role }) => role,
    );
  assert.deepEqual(rolesOf('kernel', 'initramfs', 'disk', 'contents'), ['kernel', 'initramfs', 'disk']);
  assert.deepEqual(rolesOf('kernel', 'initramfs', 'root', 'disk'), ['kernel', 'initramfs', 'root']);
});
