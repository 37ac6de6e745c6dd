import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  bootFile,
  clientArchitectures,
  type DhcpPacket,
  decode,
  encode,
  ipxe,
  machineId,
  maxReplyBytes,
  userClasses,
  vendorClass,
} from './index.ts';
import { readPcap } from './testing/pcap.ts';
import { readable } from './testing/readable.ts';

const CAPTURES = ['bios', 'chain', 'uefi', 'uefihttp'] as const;
const folder = new URL('testing/captures/', import.meta.url);

for (const name of CAPTURES) {
  test(`${name}.pcap decodes as its golden file says`, () => {
    const golden = new URL(`${name}.golden.json`, folder);
    const actual = `${JSON.stringify(packetsOf(name).map(readable), null, 2)}\n`;
    if (process.env['REFRESH_GOLDEN']) writeFileSync(golden, actual);
    assert.deepEqual(JSON.parse(actual), JSON.parse(readFileSync(golden, 'utf8')));
  });

  test(`${name}.pcap decodes to the same packets after encoding`, () => {
    for (const packet of packetsOf(name)) {
      assert.deepEqual(decode(encode(packet)), { ok: true, packet });
    }
  });
}

test('the ROM tells that it is iPXE with HTTP', () => {
  const [discover] = packetsOf('bios');
  assert.ok(discover);
  assert.deepEqual(userClasses.read(discover.options), ['iPXE']);
  assert.equal(ipxe.read(discover.options)?.features.has('http'), true);
  assert.equal(machineId.read(discover.options), undefined);
});

test('our chainloaded build tells its own user-class and the machine that runs it', () => {
  const discover = packetsOf('chain')[4];
  assert.ok(discover);
  assert.deepEqual(userClasses.read(discover.options), ['edge-node']);
  assert.equal(ipxe.read(discover.options)?.features.has('https'), true);
  assert.equal(machineId.read(discover.options), '11111111-2222-3333-4444-555555555555');
});

test('OVMF claims 65280 bytes and is given one Ethernet frame', () => {
  const request = packetsOf('uefi')[2];
  assert.ok(request);
  assert.equal(maxReplyBytes(request.options), 1472);
});

test('OVMF HTTP boot says architecture 16 and is answered with a URL', () => {
  const [discover, offer] = packetsOf('uefihttp').slice(4);
  assert.ok(discover && offer);
  assert.deepEqual(clientArchitectures.read(discover.options), [16]);
  assert.equal(vendorClass.read(offer.options), 'HTTPClient');
  assert.equal(bootFile.read(offer.options), 'http://10.99.0.1/snponly.efi');
});

function packetsOf(name: (typeof CAPTURES)[number]): readonly DhcpPacket[] {
  return readPcap(readFileSync(new URL(`${name}.pcap`, folder))).map(({ payload }) => {
    const decoded = decode(payload);
    assert.ok(decoded.ok);
    return decoded.packet;
  });
}
