import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ImageProfile } from '@bootswarm/controller/contract';
import { type FirstBootContext, profileFor } from './first-boot.ts';
import { HTTP_URL, MAC, segmentWith } from './testing/world.ts';

const profile = ImageProfile.parse({
  name: 'web',
  kind: 'image',
  release: 'minimal/1.0/amd64',
  layout: { disks: [{ serial: 'S-1' }] },
  kernelArguments: ['console=tty0', 'quiet'],
  variables: { rack: null },
  firstBoot: {
    hostname: '{{ rack }}-{{ machine.hostname }}',
    userData: '#cloud-config\nntp: {{ segment.router }}\nfrom: {{ edge.url }} {{ release.version }}\n',
  },
});
const machine = {
  id: 'm-1',
  macs: [MAC],
  intent: { kind: 'install', profile: 'web' } as const,
  variables: { rack: 'R1' },
  kernelArguments: ['console=ttyS0'],
};
const context: FirstBootContext = {
  ...{ profile, machine, mac: MAC, address: '10.99.0.101', segment: segmentWith() },
  ...{ release: 'minimal/1.0/amd64', httpUrl: HTTP_URL },
};

describe('a profile as it is for one machine', () => {
  test('has its texts filled, its arguments merged, and nothing that an older agent does not know', () => {
    const { variables: _, firstBoot, ...rest } = profile;
    const { hostname: __, ...others } = firstBoot;
    assert.deepEqual(profileFor(context), {
      ok: true,
      hostname: 'r1-m-1',
      profile: {
        ...rest,
        kernelArguments: ['quiet', 'console=ttyS0'],
        firstBoot: {
          ...others,
          userData: `#cloud-config\nntp: 10.99.0.254\nfrom: ${HTTP_URL} 1.0\n`,
        },
      },
    });
  });

  test('is what it was where nothing is to be filled, with the host name of the reservation', () => {
    const plain = ImageProfile.parse({
      ...{ name: 'plain', kind: 'image', release: profile.release, layout: profile.layout },
      firstBoot: { userData: '#!/bin/sh\necho {{ rack }}\n' },
    });
    const segment = segmentWith({
      reservations: [{ mac: MAC, address: '10.99.0.7', hostname: 'Own', options: {} }],
    });
    const { kernelArguments: _, ...bare } = machine;
    assert.deepEqual(profileFor({ ...context, profile: plain, machine: bare, segment }), {
      ok: true,
      hostname: 'own',
      profile: plain,
    });
  });

  test('is told apart from one whose texts cannot be filled, with the reason', () => {
    const { variables: _, ...without } = machine;
    assert.deepEqual(profileFor({ ...context, machine: without }), {
      ok: false,
      reason: "firstBoot.hostname of profile web: line 1, column 1: variable 'rack' has no value",
    });
  });
});
