import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { debian, machine, mirror, one, orderOf, planOf, viewOf } from '../testing/new-machine.ts';
import { shadowWith } from './access.ts';
import { diskChanges, machineChanges } from './configure.ts';
import { firstBootChanges } from './first-boot.ts';
import { fstabText } from './fstab.ts';
import { type NetworkKind, networkChanges, networkKind } from './network.ts';
import type { Change, SystemView } from './view.ts';
import { volumeChanges } from './volumes.ts';

/** What stands in a path after changes, or where a link there leads. */
function textAt(changes: readonly Change[], path: string): string | undefined {
  const change = changes.findLast((each) => each.path === path);
  if (change?.kind === 'file') return change.content;
  return change?.kind === 'link' ? `-> ${change.target}` : change && 'removed';
}

const configured = (view: SystemView, ...given: Parameters<typeof orderOf>): readonly Change[] =>
  machineChanges(view, orderOf(...given));

describe('fstab', () => {
  test('mounts by UUID, what is mounted on before what is mounted there', () => {
    const plan = planOf(
      {
        ...one,
        root: { size: '4GiB', fileSystem: 'xfs' },
        swap: '1GiB',
        partitions: [{ name: 'deep', size: '1GiB', mount: '/var/lib/deep' }],
        lvm: { volumes: [{ name: 'var', size: '1GiB', mount: '/var' }] },
      },
      'uefi',
    );
    const lines = fstabText(plan)
      .split('\n')
      .filter((line) => line.startsWith('UUID='))
      .map((line) => line.split(' '));
    assert.deepEqual(
      lines.map(([, ...rest]) => rest.join(' ')),
      [
        '/ xfs defaults 0 0',
        '/var ext4 defaults 0 2',
        '/boot/efi vfat umask=0077 0 2',
        '/var/lib/deep ext4 defaults 0 2',
        'none swap sw 0 0',
      ],
    );
    const ids = new Set(lines.map(([id]) => id));
    assert.equal(ids.size, 5);
    assert.match(lines[2]?.[0] ?? '', /^UUID=[0-9A-F]{4}-[0-9A-F]{4}$/);
  });

  test('lets a mirror come up without the disk that has the EFI system partition', () => {
    assert.match(fstabText(planOf(mirror, 'uefi')), / \/boot\/efi vfat umask=0077,nofail 0 2/);
    assert.match(fstabText(planOf(one)), / \/ ext4 errors=remount-ro 0 1/);
  });
});

describe('the identity of the new system', () => {
  const changes = configured(
    viewOf({
      ...debian,
      '/etc/ssh/ssh_host_rsa_key': 'k',
      '/etc/ssh/sshd_config': '',
      '/var/lib/dbus/machine-id': 'x',
    }),
  );
  const cases: Readonly<Record<string, string | undefined>> = {
    '/etc/hostname': 'node1\n',
    '/etc/machine-id': '',
    '/var/lib/dbus/machine-id': '-> /etc/machine-id',
    '/etc/ssh/ssh_host_rsa_key': 'removed',
    '/etc/ssh/sshd_config': undefined,
    '/etc/default/locale': 'LANG=C.UTF-8\n',
    '/etc/timezone': 'Etc/UTC\n',
    '/root/.ssh/authorized_keys': undefined,
  };
  for (const [path, expected] of Object.entries(cases))
    test(`${path} is ${expected === undefined ? 'left alone' : JSON.stringify(expected)}`, () => {
      assert.equal(textAt(changes, path), expected);
    });

  test('/etc/hosts knows both names', () => {
    assert.match(textAt(changes, '/etc/hosts') ?? '', /^127\.0\.1\.1 node1\.lab\.example node1$/m);
  });

  test('keys, password and time zone are those of the profile', () => {
    const given = configured(viewOf({ ...debian, '/usr/share/zoneinfo/Europe/Berlin': '' }), {
      rootPasswordHash: '$6$salt$hash',
      sshKeys: ['ssh-ed25519 AAAA a', 'ssh-ed25519 BBBB b'],
      timezone: 'Europe/Berlin',
      locale: 'de_DE.UTF-8',
    });
    assert.equal(textAt(given, '/root/.ssh/authorized_keys'), 'ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n');
    assert.equal(textAt(given, '/etc/localtime'), '-> ../usr/share/zoneinfo/Europe/Berlin');
    assert.match(textAt(given, '/etc/shadow') ?? '', /^root:\$6\$salt\$hash::0:99999:7:::\ndaemon:\*:20000:/);
  });

  test('a shadow without root gets one, and others keep theirs', () => {
    assert.equal(shadowWith('a:x:1:::::::\n', '*'), 'root:*::0:99999:7:::\na:x:1:::::::\n');
  });
});

describe('the network of the new system', () => {
  const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    netplan: {
      '/usr/sbin/netplan': '',
      '/etc/netplan/01.yaml': '',
      '/lib/systemd/system/systemd-networkd.service': '',
    },
    NetworkManager: {
      '/etc/systemd/system/multi-user.target.wants/NetworkManager.service': '',
      '/usr/lib/systemd/system/systemd-networkd.service': '',
    },
    'systemd-networkd': debian,
  };
  for (const [kind, files] of Object.entries(kinds))
    test(`is given to ${kind} where the image has it`, () => assert.equal(networkKind(viewOf(files)), kind));
  test('is given to nobody where the image has none of them', () =>
    assert.equal(networkKind(viewOf({})), undefined));

  test('systemd-networkd: by lease, under the name that the lease has', () => {
    const text = textAt(networkChanges(viewOf(debian), 'systemd-networkd', machine, 'dhcp'), NETWORKD);
    assert.equal(
      text,
      '[Match]\nMACAddress=52:54:00:00:00:01\nType=ether\n\n[Network]\nDHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n',
    );
  });

  test('any card asks DHCP where nobody knows the one that it boots by', () => {
    const unknown = { dnsServers: [] };
    for (const mode of ['dhcp', 'static'] as const) {
      const text = (kind: NetworkKind): string => {
        const change = networkChanges(viewOf({}), kind, unknown, mode)[0];
        return change?.kind === 'file' ? change.content : '';
      };
      assert.match(text('systemd-networkd'), /^\[Match\]\nKind=!\*\nType=ether\n\n\[Network\]\nDHCP=ipv4\n/);
      assert.match(text('NetworkManager'), /multi-connect=3\n\n\[ipv4\]\nmethod=auto/);
      assert.doesNotMatch(text('NetworkManager'), /mac-address/);
      assert.match(text('netplan'), /"name": "e\*".*"dhcp4": true/s);
    }
  });

  test('systemd-networkd: for good, and name servers where nobody else writes them', () => {
    const changes = networkChanges(viewOf(debian), 'systemd-networkd', machine, 'static');
    const text = textAt(changes, NETWORKD) ?? '';
    for (const line of ['Address=10.1.2.3/24', 'Gateway=10.1.2.1', 'DNS=10.1.2.2', 'Domains=lab.example'])
      assert.ok(text.split('\n').includes(line), line);
    assert.equal(
      textAt(changes, '/etc/resolv.conf'),
      'search lab.example\nnameserver 10.1.2.1\nnameserver 10.1.2.2\n',
    );
    assert.match(
      textAt(changes, '/etc/systemd/system/multi-user.target.wants/systemd-networkd.service') ?? '',
      /^-> \/lib\/systemd/,
    );
    const routed = networkChanges(
      viewOf(debian),
      'systemd-networkd',
      { ...machine, prefixLength: 32 },
      'static',
    );
    assert.match(textAt(routed, NETWORKD) ?? '', /^GatewayOnLink=yes$/m);
  });

  test('ifupdown, that knows cards by names alone, is left with the loopback', () => {
    const view = viewOf({
      ...debian,
      '/etc/network/interfaces': 'auto eth0',
      '/etc/network/interfaces.d/eth1': '',
    });
    const changes = networkChanges(view, 'systemd-networkd', machine, 'dhcp');
    assert.equal(textAt(changes, '/etc/network/interfaces'), 'auto lo\niface lo inet loopback\n');
    assert.equal(textAt(changes, '/etc/network/interfaces.d/eth1'), 'removed');
  });

  test('NetworkManager: a file that nobody else can read', () => {
    const [change] = networkChanges(viewOf({}), 'NetworkManager', machine, 'static');
    assert.ok(change?.kind === 'file' && change.mode === 0o600);
    assert.match(change.content, /^mac-address=52:54:00:00:00:01$/m);
    assert.match(
      change.content,
      /^method=manual\naddress1=10\.1\.2\.3\/24,10\.1\.2\.1\ndns=10\.1\.2\.1;10\.1\.2\.2;$/m,
    );
  });

  test('netplan: a document that YAML reads', () => {
    const [change] = networkChanges(viewOf({}), 'netplan', machine, 'static');
    const { network } = JSON.parse(change?.kind === 'file' ? change.content : '');
    assert.deepEqual(network.ethernets.bootswarm, {
      match: { macaddress: '52:54:00:00:00:01' },
      dhcp4: false,
      addresses: ['10.1.2.3/24'],
      routes: [{ to: '0.0.0.0/0', via: '10.1.2.1' }],
      nameservers: { addresses: ['10.1.2.1', '10.1.2.2'], search: ['lab.example'] },
    });
  });
  const NETWORKD = '/etc/systemd/network/05-bootswarm.network';
});

describe('cloud-init', () => {
  const SEED = '/var/lib/cloud/seed/nocloud';

  test('is seeded once for each installation, and asks no cloud', () => {
    const changes = configured(viewOf({ ...debian, '/usr/bin/cloud-init': '' }), {
      userData: '#cloud-config\na: 1\n',
    });
    assert.deepEqual(JSON.parse(textAt(changes, `${SEED}/meta-data`) ?? ''), {
      'instance-id': 'bootswarm-m-1',
      'local-hostname': 'node1.lab.example',
    });
    assert.equal(textAt(changes, `${SEED}/user-data`), '#cloud-config\na: 1\n');
    assert.match(textAt(changes, '/etc/cloud/cloud.cfg.d/99-bootswarm.cfg') ?? '', /"NoCloud","None"/);
  });

  test('gets nothing where the image has none', () => {
    assert.equal(textAt(configured(viewOf(debian)), `${SEED}/meta-data`), undefined);
  });
});

describe('a takeover', () => {
  test('by Salt: its master, its name, and no keys of the image', () => {
    const view = viewOf({
      ...debian,
      '/lib/systemd/system/salt-minion.service': '',
      '/etc/salt/pki/minion/minion.pem': 'k',
    });
    const changes = configured(view, { takeover: { kind: 'salt', master: 'salt.lab' } });
    assert.equal(
      textAt(changes, '/etc/salt/minion.d/bootswarm.conf'),
      'master: "salt.lab"\nid: "node1.lab.example"\n',
    );
    assert.equal(textAt(changes, '/etc/salt/pki/minion'), 'removed');
    assert.ok(textAt(changes, '/etc/systemd/system/multi-user.target.wants/salt-minion.service'));
  });

  test('by Puppet: where that version has its settings', () => {
    const takeover = { kind: 'puppet', server: 'p.lab', environment: 'test' } as const;
    const newer = configured(viewOf({ ...debian, '/opt/puppetlabs/bin/puppet': '' }), { takeover });
    assert.match(textAt(newer, '/etc/puppetlabs/puppet/puppet.conf') ?? '', /^server = p\.lab$/m);
    const older = configured(viewOf({ ...debian, '/usr/bin/puppet': '' }), { takeover });
    assert.match(textAt(older, '/etc/puppet/puppet.conf') ?? '', /\[agent\]\nenvironment = test\n/);
  });

  test('by Ansible: a unit whose words stay words', () => {
    const view = viewOf({ ...debian, '/usr/local/bin/ansible-pull': '', '/usr/bin/git': '' });
    const url = 'https://git.lab/a%20b';
    const changes = configured(view, {
      takeover: { kind: 'ansible-pull', url, playbook: '-x.yml', checkout: 'main' },
    });
    assert.match(
      textAt(changes, '/etc/systemd/system/bootswarm-ansible-pull.service') ?? '',
      /^ExecStart=\/usr\/local\/bin\/ansible-pull --url=https:\/\/git\.lab\/a%%20b --checkout=main -- -x\.yml$/m,
    );
  });
});

describe('the first boot', () => {
  const SCRIPT = '/usr/local/sbin/bootswarm-first-boot';

  test('is told by a script that a shell can read, and by a unit that is enabled', () => {
    const changes = firstBootChanges('http://10.1.2.9:8480/agent/first-boot/a?b=c');
    execFileSync('sh', ['-n'], { input: textAt(changes, SCRIPT) ?? '' });
    assert.equal(
      textAt(changes, '/etc/systemd/system/multi-user.target.wants/bootswarm-first-boot.service'),
      '-> /etc/systemd/system/bootswarm-first-boot.service',
    );
  });

  test('has a URL that no shell reads as anything else', () => {
    const script = textAt(firstBootChanges("http://h/a';touch x;'$(id)`id`"), SCRIPT) ?? '';
    execFileSync('sh', ['-n'], { input: script });
    const [line = ''] = script.split('\n').filter((each) => each.startsWith('url='));
    assert.match(line, /^url='[^']*'$/);
    assert.throws(() => firstBootChanges('file:///etc/passwd'), TypeError);
  });
});

describe('what follows from the disks', () => {
  test('a mirror is told to mdadm under the name that it has', () => {
    const lines = ['ARRAY /dev/md/root metadata=1.2 name=any:root UUID=a:b:c:d', 'something else'];
    const changes = volumeChanges(viewOf(debian), planOf(mirror), lines);
    assert.match(
      textAt(changes, '/etc/mdadm/mdadm.conf') ?? '',
      /^HOMEHOST <ignore>\nMAILADDR root\nARRAY \/dev\/md\/root .*\n$/m,
    );
    assert.deepEqual(volumeChanges(viewOf(debian), planOf(one), []), []);
  });

  test('what made the image a live one is masked', () => {
    const view = viewOf({
      ...debian,
      '/etc/init.d/livesys': '',
      '/lib/systemd/system/casper.service': '',
      '/usr/share/initramfs-tools/hooks/live': '',
      '/usr/share/initramfs-tools/hooks/udev': '',
      '/etc/dracut.conf.d/01-live.conf': '',
      '/etc/selinux/config': 'SELINUX=enforcing\n',
    });
    const changes = diskChanges(view, orderOf(), planOf(one), []);
    assert.equal(textAt(changes, '/etc/systemd/system/livesys.service'), '-> /dev/null');
    assert.equal(textAt(changes, '/etc/systemd/system/casper.service'), '-> /dev/null');
    assert.equal(textAt(changes, '/etc/systemd/system/live-config.service'), undefined);
    assert.match(
      textAt(changes, '/etc/dracut.conf.d/90-bootswarm.conf') ?? '',
      /omit_dracutmodules.*dmsquash-live/,
    );
    assert.equal(textAt(changes, '/.autorelabel'), '-F\n');
    assert.equal(textAt(changes, '/usr/share/initramfs-tools/hooks/live'), 'removed');
    assert.equal(textAt(changes, '/usr/share/initramfs-tools/hooks/udev'), undefined);
  });
});
