import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { DesiredState, ImageProfile, noCloudSeed } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, OTHER_MAC, segmentWith } from '../decide/testing/world.ts';
import { installMachine } from '../decide/work-order.ts';
import { startHttpServer } from '../sockets/http-server.ts';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';
import { quietHttpService } from '../testing/quiet-http-service.ts';
import { NoCloudSeeds } from './seeds.ts';

const OWN = '127.0.0.2';
const OTHER = '127.0.0.3';
const UUID = '11111111-2222-3333-4444-555555555555';
const SECRET = '$6$salt$hash';
const profile = ImageProfile.parse({
  name: 'web',
  kind: 'image',
  release: 'minimal/1.0/amd64',
  layout: { disks: [{ serial: 'S-1' }] },
  variables: { rack: null },
  firstBoot: {
    hostname: 'web-{{ rack }}',
    network: 'static',
    userData: `#cloud-config\nrack: {{ rack }}\nhashed_passwd: ${SECRET}\n`,
  },
});
const machine = {
  id: 'm-1',
  macs: [MAC],
  uuid: UUID,
  intent: { kind: 'install', profile: 'web' } as const,
  epoch: 3,
  variables: { rack: 'r1' },
};
const segment = segmentWith({ subnet: '127.0.0.0/24', pools: [], router: '127.0.0.1' });
const stateWith = (facts: Partial<DesiredState> = {}): DesiredState =>
  DesiredState.parse({
    ...{ format: 1, edge: 'edge', revision: 1, segments: [segment], profiles: [profile], releases: [] },
    machines: [
      machine,
      { id: 'm-2', macs: [OTHER_MAC], intent: { kind: 'live', release: 'minimal/1.0/amd64' } },
    ],
    ...facts,
  });

interface Site {
  state: DesiredState;
  nowMs: number;
  readonly leases: Map<string, Lease>;
  /** Sends the path as it stands. */
  readonly ask: (path: string, from?: string) => Promise<{ readonly status: number; readonly body: string }>;
}

/** The HTTP of an edge on loopback, over a desired state and leases as a case has them. There is no controller. */
async function withSite(run: (site: Site) => Promise<void>): Promise<void> {
  const leases = new Map(
    [leaseWith({ address: OWN, uuid: UUID }), leaseWith({ address: OTHER, mac: OTHER_MAC })].map(
      (lease): [string, Lease] => [lease.address, { ...lease, expiresAtMs: 1000 }],
    ),
  );
  const site = { state: stateWith(), nowMs: 0, leases };
  const serving = {
    get state() {
      return site.state;
    },
    segmentOf: (address: string) => (address.startsWith('127.0.0.') ? segment : undefined),
  };
  const noCloud = new NoCloudSeeds({
    serving,
    holderOf: (address) => leases.get(address),
    clock: () => site.nowMs,
  });
  const server = await startHttpServer(quietHttpService({ noCloud }));
  const { port } = server.address() as AddressInfo;
  const ask: Site['ask'] = (path, from = OWN) =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, localAddress: from, agent: false });
      request.once('error', reject);
      request.once('response', async (response) => {
        resolve({ status: response.statusCode ?? 0, body: await text(response) });
      });
      request.end();
    });
  try {
    await run(Object.assign(site, { ask }));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('the seed of a machine at its edge', () => {
  test('is what cloud-init asks for, and the same as an agent leaves on the disk', () =>
    withSite(async ({ ask }) => {
      const told = { machine, segment, mac: MAC, address: OWN };
      const { variables: _, ...rest } = profile;
      const userData = `#cloud-config\nrack: r1\nhashed_passwd: ${SECRET}\n`;
      const firstBoot = { ...rest.firstBoot, userData };
      const onDisk = noCloudSeed({ machine: installMachine(told, 'web-r1'), epoch: 3, firstBoot });
      for (const [name, body] of Object.entries(onDisk))
        assert.deepEqual(await ask(`/nocloud/m-1/${name}`), { status: 200, body }, name);
      assert.deepEqual(JSON.parse((await ask('/nocloud/m-1/meta-data')).body), {
        'instance-id': 'bootswarm-m-1-3',
        'local-hostname': 'web-r1.lab.example',
      });
      assert.deepEqual(JSON.parse((await ask('/nocloud/m-1/network-config')).body), {
        version: 2,
        ethernets: {
          bootswarm: {
            match: { macaddress: MAC },
            dhcp4: false,
            addresses: [`${OWN}/24`],
            routes: [{ to: '0.0.0.0/0', via: '127.0.0.1' }],
            nameservers: { addresses: ['10.99.0.53'], search: ['lab.example'] },
          },
        },
      });
    }));

  test('is found by id, MAC and UUID, however they are written', () =>
    withSite(async ({ ask }) => {
      for (const key of ['m-1', MAC, MAC.toUpperCase().replaceAll(':', '-'), UUID, UUID.toUpperCase()])
        assert.equal((await ask(`/nocloud/${key}/meta-data`)).status, 200, key);
    }));

  test('of one without a profile has a name and nothing to do', () =>
    withSite(async ({ ask }) => {
      assert.deepEqual(await ask('/nocloud/m-2/user-data', OTHER), {
        status: 200,
        body: '#cloud-config\n{}\n',
      });
      const { body } = await ask('/nocloud/m-2/meta-data', OTHER);
      assert.deepEqual(JSON.parse(body), {
        'instance-id': 'bootswarm-m-2-0',
        'local-hostname': 'm-2.lab.example',
      });
      assert.match((await ask('/nocloud/m-2/network-config', OTHER)).body, /"dhcp4":true/);
    }));

  test('that cannot be filled is told apart from one that there is not', () =>
    withSite(async (site) => {
      const { variables: _, ...without } = machine;
      site.state = stateWith({ machines: [without] });
      assert.deepEqual(await site.ask('/nocloud/m-1/user-data'), {
        status: 500,
        body: "template_failed: firstBoot.hostname of profile web: line 1, column 5: variable 'rack' has no value\n",
      });
    }));

  test('is given to nobody else, and to nobody without a live lease', () =>
    withSite(async (site) => {
      const none = { status: 404, body: 'there is no seed for you here\n' };
      const asked = async (path: string, from?: string): Promise<void> =>
        assert.deepEqual(await site.ask(path, from), none, `${path} from ${from}`);
      await asked('/nocloud/m-1/user-data', OTHER);
      await asked(`/nocloud/${MAC}/user-data`, OTHER);
      await asked('/nocloud/m-1/user-data', '127.0.0.9');
      await asked('/nocloud/m-9/user-data');
      await asked('/nocloud/m-1/password');
      await asked('/nocloud/m-1/constructor');
      site.nowMs = 1000;
      await asked('/nocloud/m-1/user-data');
      site.nowMs = 0;
      site.leases.set(OWN, leaseWith({ address: OWN, uuid: UUID, state: 'declined', expiresAtMs: 1000 }));
      await asked('/nocloud/m-1/user-data');
      site.leases.set(OWN, leaseWith({ address: OWN, uuid: UUID, expiresAtMs: 1000 }));
      site.state = stateWith({ machines: [] });
      await asked('/nocloud/m-1/user-data');
    }));

  test('leaves by no other path, whatever is asked', () =>
    withSite(async ({ ask }) => {
      for (const path of PATH_ESCAPES.slice(0, 100)) {
        const { status, body } = await ask(`/nocloud/m-2/${encodeURIComponent(path)}`);
        assert.ok(status === 404 || status === 400, `${path}: ${status}`);
        assert.ok(!body.includes(SECRET));
      }
      await fc.assert(
        fc.asyncProperty(fc.webSegment(), fc.webSegment(), async (key, name) => {
          const { status, body } = await ask(`/nocloud/${key}/${name}`, OTHER);
          assert.ok(!body.includes(SECRET) && (status === 404 || status === 400), `${status}: ${body}`);
        }),
        { numRuns: 200 },
      );
    }));
});
