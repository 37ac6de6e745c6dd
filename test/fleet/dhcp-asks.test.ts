import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { decode, encode, hostName } from '@bootswarm/edge-node/dhcp4';
import { readable } from '@bootswarm/edge-node/dhcp4/testing';
import { pathOf } from '../boot/index.ts';
import { type Asker, askPacket, grantIn } from './dhcp-asks.ts';
import { specOf } from './machine-spec.ts';

type Readable = { readonly options: Readonly<Record<string, unknown>> };

const spec = specOf(1);

function asked(asker: Asker, firmware: 'bios' | 'uefi' = 'bios'): Readable {
  const decoded = decode(encode(askPacket({ asker, spec: { ...spec, firmware }, xid: 7, type: 'DISCOVER' })));
  assert.ok(decoded.ok);
  return readable(decoded.packet) as unknown as Readable;
}

/** The first packet of a capture of real firmware. */
function captured(name: string): Readable {
  const file = pathOf(`edge-node/protocols/dhcp4/testing/captures/${name}.golden.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as Readable[])[0] ?? { options: {} };
}

/** What tells whose machine it is. */
const OWN = new Set(['61 clientId', '97 machineId']);
const withoutOwn = ({ options }: Readable): unknown =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !OWN.has(name)));

describe('what a played machine asks by DHCP', () => {
  test('as iPXE is what real iPXE asks, but for who it is', () => {
    assert.deepEqual(withoutOwn(asked('ipxe')), withoutOwn(captured('bios')));
  });

  test('as firmware names its architecture, its UUID and no user class', () => {
    for (const [firmware, architecture] of [
      ['bios', 0],
      ['uefi', 7],
    ] as const) {
      const { options } = asked('firmware', firmware);
      assert.deepEqual(options['93 clientArchitectures'], [architecture]);
      assert.equal(options['97 machineId'], spec.uuid);
      assert.match(String(options['60 vendorClass']), /^PXEClient:Arch:0000[07]:UNDI:00\d{4}$/);
      assert.equal(options['77 userClasses'], undefined);
    }
  });

  test('as an installed system is no firmware', () => {
    const { options } = asked('system');
    assert.equal(options['60 vendorClass'], undefined);
    const { options: written } = askPacket({ asker: 'system', spec, xid: 7, type: 'DISCOVER' });
    assert.equal(hostName.read(written), spec.name);
  });

  test('a REQUEST names what was offered, and by whom', () => {
    const offered = { address: '10.0.0.5', server: '10.0.0.1' };
    const packet = askPacket({ asker: 'agent', spec, xid: 1, type: 'REQUEST', offered });
    const { options } = readable(packet) as unknown as Readable;
    assert.equal(options['50 requestedAddress'], '10.0.0.5');
    assert.equal(options['54 serverId'], '10.0.0.1');
    assert.equal(grantIn(packet, 'ACK'), undefined);
  });
});
