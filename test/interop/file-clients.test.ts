import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { artefactOf } from '@bootswarm/images/format';
import { type Site, writeBuildFolder } from '../boot/index.ts';
import type { Lab, Segment } from '../lab/index.ts';
import { layClientSite } from './client-site.ts';

const FIRMWARE = '/usr/lib/ipxe/undionly.kpxe';
const HTTP_PORT = 8480;

describe('TFTP and HTTP clients that we did not write', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  let relayed: Segment;
  let direct: Segment;

  before(async () => {
    ({ lab, site, relayed, direct } = await layClientSite('file-clients'));
  });

  after(() => lab[Symbol.asyncDispose]());

  test('TFTP: tftp-hpa reads octet and netascii, curl with blksize and tsize', async () => {
    const expected = readFileSync(FIRMWARE);
    for (const segment of [relayed, direct]) {
      const host = await segment.addHost('tftp', { address: segment.subnet.address(30) });
      const into = `${lab.folder}/${segment.label}`;
      const at = segment.edgeAddress;
      const fetches: readonly (readonly [file: string, argv: readonly string[], expected: Buffer])[] = [
        ['octet', ['tftp', '-4', '-m', 'octet', at, '-c', 'get', 'undionly.kpxe', `${into}-octet`], expected],
        ['curl', ['curl', '-sS', '-m', '20', '-o', `${into}-curl`, `tftp://${at}/undionly.kpxe`], expected],
        [
          'blksize',
          [
            ...'curl -sS -m 20 --tftp-blksize 1400 -o'.split(' '),
            `${into}-blksize`,
            `tftp://${at}/undionly.kpxe`,
          ],
          expected,
        ],
        [
          'plain',
          [
            ...'curl -sS -m 20 --tftp-no-options -o'.split(' '),
            `${into}-plain`,
            `tftp://${at}/undionly.kpxe`,
          ],
          expected,
        ],
      ];
      for (const [file, argv, bytes] of fetches) {
        const { code, stderr } = await host.run(argv);
        assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`);
        assert.ok(readFileSync(`${into}-${file}`).equals(bytes), `${file}: other bytes`);
      }
      const text = await host.run([
        'curl',
        '-sS',
        '-m',
        '20',
        '-o',
        `${into}-ascii`,
        `tftp://${at}/undionly.kpxe;mode=netascii`,
      ]);
      assert.equal(text.code, 0, text.stderr);
      assert.ok(readFileSync(`${into}-ascii`).equals(netasciiOf(expected)), 'netascii: other bytes');
      // tftp-hpa turns the line ends back, so that what it writes is the file again.
      const back = await host.run([
        'tftp',
        '-4',
        '-m',
        'ascii',
        at,
        '-c',
        'get',
        'undionly.kpxe',
        `${into}-back`,
      ]);
      assert.equal(back.code, 0, back.stderr);
      assert.ok(readFileSync(`${into}-back`).equals(expected), 'ascii: other bytes');
      const refused = await host.run([
        'tftp',
        '-4',
        '-m',
        'octet',
        at,
        '-c',
        'put',
        FIRMWARE,
        'undionly.kpxe',
      ]);
      assert.match(refused.stdout + refused.stderr, /read only|Access violation/i);
    }
  });

  test('TFTP: every byte arrives although 20 of 100 frames are lost', async () => {
    const host = await direct.addHost('lossy', { address: direct.subnet.address(31) });
    await using _ = await direct.impair({ lossPercent: 20, match: 'ip protocol udp' });
    const into = `${lab.folder}/lossy`;
    const { code, stderr } = await host.run(
      ['busybox', 'tftp', '-g', '-b', '1408', '-l', into, '-r', 'undionly.kpxe', direct.edgeAddress],
      { timeoutMs: 120_000 },
    );
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(into).equals(readFileSync(FIRMWARE)));
  });

  test('HTTP: curl reads the firmware whole, by HEAD, and scripts by the machine that asks', async () => {
    const host = await relayed.addHost('curl', { address: relayed.subnet.address(32) });
    const base = `http://${relayed.edgeAddress}:${HTTP_PORT}`;
    const into = `${lab.folder}/http`;
    const whole = await host.run(['curl', '-fsS', '-o', into, `${base}/firmware/undionly.kpxe`]);
    assert.equal(whole.code, 0, whole.stderr);
    assert.ok(readFileSync(into).equals(readFileSync(FIRMWARE)));
    const head = await host.run(['curl', '-fsSI', `${base}/firmware/undionly.kpxe`]);
    assert.match(head.stdout, new RegExp(`content-length: ${readFileSync(FIRMWARE).length}\r\n`, 'i'));
    const script = await host.run(['curl', '-fsS', `${base}/boot.ipxe?mac=${host.mac}`]);
    assert.match(script.stdout, /^#!ipxe\necho Bootswarm: booting from the local disk\n/);
    const lost = await host.run([
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `${base}/artefacts/x/y`,
    ]);
    assert.equal(lost.stdout, '404');
  });

  test('HTTP: curl reads a published artefact by ranges, and goes on where it broke off', async () => {
    const root = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 31 + (at >> 8)) % 256);
    const small = new Uint8Array([1, 2, 3]);
    const files = { kernel: small, initramfs: small, root };
    const build = await writeBuildFolder(`${lab.folder}/build`, files);
    const release = await site.publish(`${lab.folder}/build`);
    const host = await relayed.addHost('ranges', { address: relayed.subnet.address(33) });
    await site.bootswarm('machine', 'boot', host.mac, 'live', release);
    await site.releaseReady(release);
    const sha256 = artefactOf(build, 'root').sha256;
    const url = `http://${relayed.edgeAddress}:${HTTP_PORT}/artefacts/${sha256}/root.squashfs`;

    for (const [range, from, to] of [
      ['0-0', 0, 1],
      ['1000-1999999', 1000, 2_000_000],
      ['2999990-', 2_999_990, 3_000_000],
      ['-5', 2_999_995, 3_000_000],
    ] as const) {
      const into = `${lab.folder}/range`;
      const { stdout } = await host.run(['curl', '-fsS', '-r', range, '-o', into, '-w', '%{http_code}', url]);
      assert.equal(stdout, '206', range);
      assert.ok(readFileSync(into).equals(root.subarray(from, to)), range);
    }
    const several = `${lab.folder}/several`;
    const told = await host.run([
      ...[
        'curl',
        '-fsS',
        '-r',
        '0-9,1000000-1999999',
        '-o',
        several,
        '-w',
        '%{http_code} %{content_type}',
        url,
      ],
    ]);
    assert.match(told.stdout, /^206 multipart\/byteranges; boundary=/);
    assert.ok(readFileSync(several).includes(Buffer.from(root.subarray(1_000_000, 2_000_000))));
    const partial = `${lab.folder}/partial`;
    writeFileSync(partial, root.subarray(0, 1_234_567));
    const resumed = await host.run(['curl', '-fsS', '-C', '-', '-o', partial, url]);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.ok(readFileSync(partial).equals(root));
    const script = await host.run([
      ...['curl', '-fsS', `http://${relayed.edgeAddress}:${HTTP_PORT}/boot.ipxe?mac=${host.mac}`],
    ]);
    // Scripts name an artefact by the beginning of its SHA-256.
    const [named = ''] = /http:\S+root\.squashfs/.exec(script.stdout) ?? [];
    assert.equal(named, url.replace(sha256, sha256.slice(0, 16)));
    const short = await host.run(['curl', '-fsS', '-r', '-5', '-o', several, named]);
    assert.equal(short.code, 0, short.stderr);
    assert.ok(readFileSync(several).equals(root.subarray(2_999_995)));
  });
});

function netasciiOf(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes.toString('latin1').replace(/[\r\n]/g, (end) => (end === '\n' ? '\r\n' : '\r\0')),
    'latin1',
  );
}
