import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Bmc, type BmcOf } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import {
  FAKE_PASSWORD,
  FAKE_REDFISH_FINGERPRINT,
  FAKE_USER,
  FakeRedfish,
  type Manners,
} from '../testing/fake-redfish.ts';
import { RedfishDriver } from './redfish.ts';
import { networkBoot } from './redfish-documents.ts';
import { pathOf } from './redfish-wire.ts';

const signal = AbortSignal.timeout(60_000);

function bmcAt(port: number, changes: Readonly<Record<string, unknown>> = {}): BmcOf<'redfish'> {
  const bmc = { kind: 'redfish', address: '127.0.0.1', port, user: FAKE_USER, secret: 'bmc' };
  return Bmc.parse({ ...bmc, fingerprint: FAKE_REDFISH_FINGERPRINT, ...changes }) as BmcOf<'redfish'>;
}

function driverFor(
  port: number,
  { password = FAKE_PASSWORD, timeoutMs = 5_000, ...changes }: Readonly<Record<string, unknown>> = {},
): RedfishDriver {
  const options = {
    ip: '127.0.0.1',
    password: String(password),
    timeoutMs: Number(timeoutMs),
    taskPollMs: 5,
  };
  return new RedfishDriver({ bmc: bmcAt(port, changes), ...options });
}

async function withFake(
  manners: Manners,
  act: (fake: FakeRedfish, driver: RedfishDriver) => Promise<void>,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<FakeRedfish> {
  await using fake = await FakeRedfish.start(manners);
  {
    await using driver = driverFor(fake.port, changes);
    await act(fake, driver);
  }
  return fake;
}

test('it turns on and off within one session, which it ends', async () => {
  const fake = await withFake({}, async (fake, driver) => {
    assert.equal(await driver.status(signal), 'off');
    await driver.order('on', signal);
    assert.equal(await driver.status(signal), 'on');
    await driver.order('reset', signal);
    await driver.order('off', signal);
    assert.equal(await driver.status(signal), 'off');
    assert.equal(fake.sessions.size, 1);
  });
  assert.deepEqual(fake.resets, ['On', 'ForceRestart', 'ForceOff']);
  assert.equal(fake.sessions.size, 0);
});

test('a service without sessions is spoken to with basic authentication', async () => {
  const fake = await withFake({ basicOnly: true }, async (_, driver) => {
    assert.equal(await driver.status(signal), 'off');
  });
  assert.equal(
    fake.asked.some((each) => each.startsWith('DELETE')),
    false,
  );
});

test('a session that the BMC forgot is opened anew', async () => {
  const fake = await withFake({ forgetful: true }, async (_, driver) => {
    await driver.order('on', signal);
  });
  assert.deepEqual(fake.resets, ['On']);
});

test('an order of a kind that is not allowed is given as the one that is, or not at all', async () => {
  const fake = await withFake({ allowed: ['ForceOn', 'ForceOff'] }, async (_, driver) => {
    await driver.order('on', signal);
    await assert.rejects(driver.order('reset', signal), { code: 'bmc_unable', message: /ForceOn, ForceOff/ });
  });
  assert.deepEqual(fake.resets, ['ForceOn']);
});

test('the boot override is for once, and read back', async () => {
  await withFake({}, async (fake, driver) => {
    await driver.bootFromNetworkOnce(signal);
    assert.deepEqual(fake.boot, { BootSourceOverrideEnabled: 'Once', BootSourceOverrideTarget: 'Pxe' });
    fake.manners.ignoresOverride = true;
    fake.boot = { BootSourceOverrideEnabled: 'Disabled' };
    await assert.rejects(driver.bootFromNetworkOnce(signal), { code: 'bmc_lied', message: /Disabled/ });
  });
});

test('an ETag that differs with every reading is passed over after the first try', async () => {
  const fake = await withFake({ restlessEtag: true }, async (_, driver) =>
    driver.bootFromNetworkOnce(signal),
  );
  assert.equal(fake.boot['BootSourceOverrideEnabled'], 'Once');
  assert.equal(fake.asked.filter((each) => each.startsWith('PATCH')).length, 2);
});

test('a BMC that offers UEFI devices alone gets the network card among them', () => {
  const disk = 'PciRoot(0x0)/Pci(0x1,0x0)/Sata(0x0,0x0,0x0)';
  const card = 'PciRoot(0x0)/Pci(0x2,0x0)/MAC(525400123456,0x1)';
  const boot = (targets: string[], devices: string[]) =>
    networkBoot({
      PowerState: 'On',
      Boot: {
        'BootSourceOverrideTarget@Redfish.AllowableValues': targets,
        'UefiTargetBootSourceOverride@Redfish.AllowableValues': devices,
      },
    });
  assert.equal(
    boot(['UefiTarget'], [disk, card, `${card}/IPv4(0.0.0.0)`])?.['UefiTargetBootSourceOverride'],
    `${card}/IPv4(0.0.0.0)`,
  );
  assert.equal(boot(['UefiTarget'], [disk, card])?.['UefiTargetBootSourceOverride'], card);
  assert.equal(boot(['Pxe', 'UefiTarget'], [card])?.['BootSourceOverrideTarget'], 'Pxe');
  assert.equal(boot(['UefiTarget'], [disk]), undefined);
  assert.equal(boot(['Hdd'], [card]), undefined);
});

test('a task is waited for; one that fails is a refusal, without the escapes of its text', async () => {
  const fake = await withFake({ task: 'Completed' }, async (_, driver) => driver.order('on', signal));
  assert.equal(fake.asked.filter((each) => each.endsWith('/Tasks/1')).length, 3);
  await withFake({ task: 'Exception' }, async (_, driver) => {
    await assert.rejects(driver.order('on', signal), {
      code: 'bmc_refused',
      message: /its task ended as Exception: the \[31mfan failed$/,
    });
  });
});

test('an image is shown once, another takes its place, and it is taken away', async () => {
  await withFake({}, async (fake, driver) => {
    const inserts = () => fake.asked.filter((each) => each.endsWith('InsertMedia')).length;
    await driver.insertMedia('http://10.0.0.1/a.iso', signal);
    await driver.insertMedia('http://10.0.0.1/a.iso', signal);
    assert.deepEqual([fake.image, inserts()], ['http://10.0.0.1/a.iso', 1]);
    await driver.insertMedia('http://10.0.0.1/b.iso', signal);
    assert.equal(fake.image, 'http://10.0.0.1/b.iso');
    await driver.ejectMedia(signal);
    assert.equal(fake.image, null);
  });
});

test('of several systems one has to be named', async () => {
  const systems = ['Node0', 'Node1'];
  await withFake({ systems }, async (_, driver) => {
    await assert.rejects(driver.status(signal), { code: 'bmc_unable', message: /Node0, Node1/ });
  });
  const fake = await withFake({ systems }, async (_, driver) => driver.order('on', signal), {
    systemId: 'Node1',
  });
  assert.ok(fake.asked.includes('POST /redfish/v1/Systems/Node1/Actions/ComputerSystem.Reset'));
  await withFake(
    { systems },
    async (_, driver) => {
      await assert.rejects(driver.status(signal), { code: 'bmc_unable' });
    },
    { systemId: 'Node2' },
  );
});

const misbehaviours: readonly (readonly [string, Manners, Readonly<Record<string, unknown>>, string])[] = [
  ['hangs', { hang: true }, { timeoutMs: 200 }, 'bmc_silent'],
  ['is slower than it may be', { slowMs: 400 }, { timeoutMs: 200 }, 'bmc_silent'],
  ['is busy', { busyTimes: 1 }, {}, 'bmc_busy'],
  ['sends a page', { garbage: '<html>login</html>' }, {}, 'bmc_garbage'],
  ['sends a list', { garbage: '[]' }, {}, 'bmc_garbage'],
  ['sends without end', { garbage: 'x'.repeat(1_100_000) }, {}, 'bmc_garbage'],
  ['sends us elsewhere', { redirect: 'http://169.254.169.254/latest' }, {}, 'bmc_garbage'],
  ['has a power state of its own', { system: { PowerState: 'Maybe' } }, {}, 'bmc_garbage'],
  ['has no power state', { system: { PowerState: 7 } }, {}, 'bmc_garbage'],
  ['does not take the password', {}, { password: 'wrong' }, 'bmc_refused'],
  ['shows another certificate than the pinned one', {}, { fingerprint: 'ab'.repeat(32) }, 'bmc_untrusted'],
  ['shows a certificate of nobody', {}, { fingerprint: undefined }, 'bmc_untrusted'],
];

for (const [what, manners, changes, code] of misbehaviours)
  test(`a BMC that ${what} is ${code}`, async () => {
    await withFake(manners, async (_, driver) => assert.rejects(driver.status(signal), { code }), changes);
  });

test('whoever shows a wrong certificate is sent nothing', async () => {
  const fake = await withFake({}, async (_, driver) => assert.rejects(driver.status(signal)), {
    fingerprint: 'ab'.repeat(32),
  });
  assert.deepEqual(fake.asked, []);
});

test('a certificate that is not looked at is taken', async () => {
  await withFake({}, async (_, driver) => assert.equal(await driver.status(signal), 'off'), {
    fingerprint: undefined,
    verify: false,
  });
});

test('a target on another host is none: orders go to the service that was asked', async () => {
  const target = 'https://evil.example/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
  const fake = await withFake(
    { system: { Actions: { '#ComputerSystem.Reset': { target } } } },
    async (_, driver) => driver.order('on', signal),
  );
  assert.deepEqual(fake.resets, ['On']);
  await withFake(
    { system: { Actions: { '#ComputerSystem.Reset': { target: '/admin/delete' } } } },
    async (_, driver) => {
      await assert.rejects(driver.order('on', signal), { code: 'bmc_unable' });
    },
  );
});

test('no text makes a path outside of the service', () => {
  for (const [link, path] of [
    ['/redfish/v1/Systems/1', '/redfish/v1/Systems/1'],
    ['https://other/redfish/v1/x?a=b', '/redfish/v1/x?a=b'],
    ['/redfish/v1/../../admin', undefined],
    ['/redfish/v1evil', undefined],
    ['', undefined],
    [7, undefined],
  ] as const)
    assert.equal(pathOf(link), path);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const path = pathOf(text) ?? '/redfish/v1';
      return path.startsWith('/redfish/v1') && !/[\s\p{Cc}]/u.test(path);
    }),
  );
});

test('what speaks no TLS is garbage, and what is closed is silent', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('SSH-2.0-OpenSSH\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await using garbled = driverFor(port);
  await assert.rejects(garbled.status(signal), { code: 'bmc_garbage' });
  await new Promise((resolve) => server.close(resolve));
  await using closed = driverFor(port);
  await assert.rejects(closed.status(signal), { code: 'bmc_silent' });
});

test('a signal that ends ends the call with its reason', async () => {
  await withFake({ hang: true }, async (_, driver) => {
    const stop = new AbortController();
    const asked = driver.status(stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(asked, { message: 'stopped' });
  });
});
