import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine, Profile } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { inventoryOf } from './ansible-inventory.ts';
import { Site } from './testing/site.ts';

const web = { name: 'web', release: 'minimal/1.0/amd64' } as Profile;
const machine = (id: string, more: object = {}): Machine => ({ id, macs: ['52:54:00:00:00:01'], ...more });

test('machines are grouped by what is known of them, under names that Ansible takes', () => {
  const machines = [
    machine('m-1', { segment: 'net-1', address: '10.1.2.3', intent: { kind: 'install', profile: 'web' } }),
    machine('m-2', { name: 'db1', class: 'big', state: 'active', labels: { rack: 'r7' } }),
    machine('m-3', { segment: 'net-1', intent: { kind: 'live', release: 'minimal/@stable/amd64' } }),
    machine('m-4'),
  ];
  const { _meta, ...groups } = inventoryOf(machines, [web]);
  assert.deepEqual(groups, {
    all: {
      children: [
        'ungrouped',
        'class_big',
        'intent_install',
        'intent_live',
        'label_rack_r7',
        'profile_web',
        'release_minimal_1_0_amd64',
        'release_minimal__stable_amd64',
        'segment_net_1',
        'state_active',
      ],
    },
    class_big: { hosts: ['db1'] },
    intent_install: { hosts: ['m-1'] },
    intent_live: { hosts: ['m-3'] },
    label_rack_r7: { hosts: ['db1'] },
    profile_web: { hosts: ['m-1'] },
    release_minimal_1_0_amd64: { hosts: ['m-1'] },
    release_minimal__stable_amd64: { hosts: ['m-3'] },
    segment_net_1: { hosts: ['m-1', 'm-3'] },
    state_active: { hosts: ['db1'] },
    ungrouped: { hosts: ['m-4'] },
  });
  assert.deepEqual(_meta.hostvars['m-1'], {
    ansible_host: '10.1.2.3',
    bootswarm_id: 'm-1',
    bootswarm_macs: ['52:54:00:00:00:01'],
    bootswarm_segment: 'net-1',
    bootswarm_address: '10.1.2.3',
    bootswarm_intent: 'install',
    bootswarm_release: 'minimal/1.0/amd64',
  });
});

test('a variable of answer files, which may be the hash of a password, does not get out', () => {
  const secret = machine('m-1', { variables: { password_hash: '$6$secret' } });
  assert.equal(JSON.stringify(inventoryOf([secret], [])).includes('secret'), false);
});

test('every group that is named is there, every host is in one, and all names are Ansible’s', () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const any = fc.record(
    { segment: text, class: text, state: text, labels: fc.dictionary(text, text, { maxKeys: 3 }) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), (all) => {
      const hosts = all.map((each, index) => machine(`m-${index}`, each));
      const inventory = inventoryOf(hosts, []);
      const grouped = inventory.all.children.flatMap((group) => {
        assert.match(group, /^[A-Za-z_]\w*$/);
        return (inventory[group] as { hosts: string[] }).hosts;
      });
      assert.deepEqual([...new Set(grouped)].toSorted(), hosts.map(({ id }) => id).toSorted());
      assert.deepEqual(Object.keys(inventory._meta.hostvars).toSorted(), [...new Set(grouped)].toSorted());
    }),
  );
});

test('bootswarm inventory prints it as JSON, with and without --list, and one host of it', async () => {
  await using site = await Site.start({ trust: false });
  await site.run('machine', 'boot', '52:54:00:00:00:01', 'local');
  const { stdout } = await site.run('inventory', '--list');
  const inventory = JSON.parse(stdout);
  const [host = ''] = inventory.intent_local.hosts;
  assert.equal((await site.run('inventory')).stdout, stdout);
  const one = await site.run('inventory', '--host', '52:54:00:00:00:01');
  assert.deepEqual(JSON.parse(one.stdout), inventory._meta.hostvars[host]);
  const unknown = await site.run('inventory', '--host', 'nobody');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /no machine nobody/);
});
