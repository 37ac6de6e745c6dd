import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InstallerProfile } from '@bootswarm/controller/contract';
import { KernelArgument, type Manifest } from '@bootswarm/images/format';
import { renderGrub, renderPxelinux, renderScript } from '@bootswarm/ipxe';
import { type AnswerContext, answerFile, installerArguments, renderAnswers } from './answer-files.ts';
import { MAC, OTHER_MAC, segmentWith } from './testing/world.ts';

const tree = { length: 1, pieceBytes: 65536, sha256: 'a'.repeat(64), pieces: ['a'.repeat(64)] };
const manifest: Manifest = {
  format: 1,
  name: 'debian',
  version: '12',
  architecture: 'amd64',
  bootStyle: 'installer',
  kernelArguments: [],
  artefacts: [
    { role: 'kernel', name: 'linux', ...tree },
    { role: 'initramfs', name: 'initrd.gz', ...tree },
    { role: 'tree', name: 'tree.tar', ...tree },
    { role: 'tree-index', name: 'tree-index.json', ...tree },
  ],
};
const all = [
  ...['machine.id', 'machine.mac', 'machine.uuid', 'machine.address', 'machine.hostname', 'segment.name'],
  ...['segment.subnet', 'segment.netmask', 'segment.router', 'segment.dns', 'segment.domain', 'edge.url'],
  ...['edge.host', 'tree.url', 'tree.path', 'installed.url', 'release.id', 'release.name', 'release.version'],
  'release.architecture',
];

function contextWith(
  profile: Partial<InstallerProfile> = {},
  facts: Partial<AnswerContext> = {},
): AnswerContext {
  return {
    profile: InstallerProfile.parse({
      name: 'p',
      release: 'debian/12/amd64',
      kind: 'preseed',
      answers: 'x',
      ...profile,
    }),
    machine: { id: 'm-0011223344', macs: [MAC], epoch: 7 },
    mac: MAC,
    address: '10.99.0.101',
    segment: segmentWith(),
    manifest,
    httpUrl: 'http://10.99.0.1:8480',
    ticket: '7-tokentokentokentokento',
    ...facts,
  };
}

describe('answers', () => {
  test('have all that an edge knows by itself', () => {
    const answers = all.map((name) => `${name}={{ ${name} }}`).join('\n');
    const rendered = renderAnswers(contextWith({ answers }));
    assert.deepEqual(rendered.ok && rendered.text.split('\n'), [
      'machine.id=m-0011223344',
      `machine.mac=${MAC}`,
      'machine.uuid=',
      'machine.address=10.99.0.101',
      'machine.hostname=m-0011223344',
      'segment.name=seg',
      'segment.subnet=10.99.0.0/24',
      'segment.netmask=255.255.255.0',
      'segment.router=10.99.0.254',
      'segment.dns=10.99.0.53',
      'segment.domain=lab.example',
      'edge.url=http://10.99.0.1:8480',
      'edge.host=10.99.0.1:8480',
      'tree.url=http://10.99.0.1:8480/trees/debian/12/amd64',
      'tree.path=/trees/debian/12/amd64',
      'installed.url=http://10.99.0.1:8480/installed/7-tokentokentokentokento',
      'release.id=debian/12/amd64',
      'release.name=debian',
      'release.version=12',
      'release.architecture=amd64',
    ]);
  });

  test('call a machine by the name that is reserved for it, and by no other', () => {
    const named = (mac: string) =>
      contextWith(
        { answers: '{{ machine.hostname }}' },
        { segment: segmentWith({ reservations: [{ mac, hostname: 'db1' }] }) },
      );
    assert.deepEqual(renderAnswers(named(MAC)), { ok: true, text: 'db1' });
    assert.deepEqual(renderAnswers(named(OTHER_MAC)), { ok: true, text: 'm-0011223344' });
  });

  test('that name a tree which the release does not have cannot be written', () => {
    const artefacts = manifest.artefacts.filter(({ role }) => !role.startsWith('tree'));
    const context = contextWith({ answers: '{{ tree.url }}' }, { manifest: { ...manifest, artefacts } });
    assert.deepEqual(renderAnswers(context), {
      ok: false,
      reason: "line 1, column 1: variable 'tree.url' has no value",
    });
  });

  test('of one kind are not those of another', () => {
    for (const [kind, answers, names] of [
      ['preseed', 'x', ['preseed.cfg']],
      ['kickstart', 'x', ['ks.cfg']],
      ['autoinstall', '#cloud-config\n', ['user-data', 'meta-data', 'vendor-data']],
    ] as const) {
      const context = contextWith({ kind, answers });
      const asked = ['preseed.cfg', 'ks.cfg', 'user-data', 'meta-data', 'vendor-data', 'network-config'];
      assert.deepEqual(
        asked.filter((name) => answerFile(name, context)),
        names,
      );
    }
  });
});

describe('the arguments of an installer', () => {
  const folder = 'http://10.99.0.1:8480/answers/7-tokentokentokentokento';
  const repository = 'http://10.99.0.1:8480/trees/debian/12/amd64';
  const autoinstall = contextWith({ kind: 'autoinstall', answers: '#cloud-config\n' });

  test('are as each kind takes them', () => {
    assert.deepEqual(installerArguments(contextWith()), [
      'auto=true',
      'priority=critical',
      `url=${folder}/preseed.cfg`,
      'hostname=m-0011223344',
      'domain=lab.example',
    ]);
    assert.deepEqual(installerArguments(contextWith({ kind: 'kickstart' })), [
      `inst.ks=${folder}/ks.cfg`,
      `ks=${folder}/ks.cfg`,
      `inst.repo=${repository}`,
      `repo=${repository}`,
      'ip=dhcp',
      'ksdevice=bootif',
    ]);
    assert.deepEqual(installerArguments(autoinstall), [
      'autoinstall',
      `ds=nocloud-net;s=${folder}/`,
      'ip=dhcp',
    ]);
  });

  test('tell a preseeded installer not to ask for name servers where the segment names none', () => {
    const segment = segmentWith({ dnsServers: [] });
    assert.equal(installerArguments(contextWith({}, { segment })).at(-1), 'netcfg/get_nameservers=');
  });

  test('are each a word of the command line', () => {
    for (const context of [contextWith(), contextWith({ kind: 'kickstart' }), autoinstall])
      for (const argument of installerArguments(context))
        assert.equal(KernelArgument.parse(argument), argument);
  });

  test('keep their semicolon in iPXE, GRUB and PXELINUX', () => {
    const plan = {
      kind: 'live',
      release: 'debian/12/amd64',
      kernelUrl: 'http://10.99.0.1:8480/artefacts/a/linux',
      initramfsUrl: 'http://10.99.0.1:8480/artefacts/a/initrd.gz',
      kernelArguments: installerArguments(autoinstall),
    } as const;
    const argument = `ds=nocloud-net;s=${folder}/`;
    // iPXE ends a command at a `;` that stands alone.
    assert.ok(
      renderScript(plan, { edge: 'edge', segment: 'seg' }).includes(` autoinstall ${argument} ip=dhcp`),
    );
    assert.ok(renderGrub(plan, MAC).includes(` autoinstall '${argument}' ip=dhcp`));
    assert.ok(renderPxelinux(plan).includes(`APPEND autoinstall ${argument} ip=dhcp`));
  });
});
