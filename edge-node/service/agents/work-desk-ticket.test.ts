import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OTHER_MAC } from '../decide/testing/world.ts';
import { OTHER_ADDRESS, WorkSite } from '../testing/work-site.ts';

const install = { kind: 'install', profile: 'web' } as const;
const MINUTE = 60_000;

describe('a ticket', () => {
  test('begins once', () =>
    WorkSite.run(install, async (site) => {
      const ticket = await site.ticket();
      assert.deepEqual(
        (await Promise.all([site.begin(ticket), site.begin(ticket), site.begin(ticket)])).toSorted(),
        ['200', 'ticket_spent', 'ticket_spent'],
      );
      await site.restart();
      assert.equal(await site.begin(ticket), 'ticket_spent');
      assert.equal((await site.told()).length, 1);
    }));

  test('of two orders of one try begins but one', () =>
    WorkSite.run(install, async (site) => {
      const [one, other] = [await site.ticket(), await site.ticket()];
      assert.equal(await site.begin(one), '200');
      assert.equal(await site.begin(other), 'ticket_spent');
      assert.equal(await site.end(other, 'done'), 'ticket_spent');
      assert.equal(await site.end(one, 'done'), '200');
    }));

  test('holds for a minute, and a fresh one is in every order', () =>
    WorkSite.run(install, async (site) => {
      const ticket = await site.ticket();
      site.wait(MINUTE);
      assert.equal(await site.begin(ticket), 'ticket_expired');
      assert.equal(await site.begin(await site.ticket()), '200');
    }));

  const lies: readonly {
    readonly name: string;
    readonly lie: (site: WorkSite, ticket: string) => Promise<string>;
    readonly code: string;
  }[] = [
    {
      name: 'shown by another machine',
      lie: (site, ticket) => site.begin(ticket, OTHER_ADDRESS),
      code: 'ticket_other_machine',
    },
    {
      name: 'shown by another machine that is to be installed as well',
      lie: async (site, ticket) => {
        const other = { id: 'm-2', macs: [OTHER_MAC], intent: install, epoch: 1 };
        site.follow({ machines: [site.machine, other] });
        return site.begin(ticket, OTHER_ADDRESS);
      },
      code: 'ticket_other_machine',
    },
    {
      name: 'shown from an address that was not leased',
      lie: (site, ticket) => site.begin(ticket, '127.0.0.9'),
      code: 'agent_without_lease',
    },
    {
      name: 'changed by a letter',
      lie: (site, ticket) => site.begin(ticket.replace('m-1.', 'm-2.')),
      code: 'ticket_forged',
    },
    {
      name: 'that says another try',
      lie: (site, ticket) => site.begin(ticket.replace('.1.1.', '.1.2.')),
      code: 'ticket_forged',
    },
    {
      name: 'of an epoch before',
      lie: async (site, ticket) => {
        site.arm(install);
        return site.begin(ticket);
      },
      code: 'ticket_other_epoch',
    },
    {
      name: 'of an intent that was taken back',
      lie: async (site, ticket) => {
        site.arm({ kind: 'local' });
        return site.begin(ticket);
      },
      code: 'ticket_other_epoch',
    },
    {
      name: 'carried to another segment',
      lie: async (site, ticket) => {
        const [segment] = [{ ...site.segment, name: 'elsewhere' }];
        site.follow({ segments: [segment] });
        return site.begin(ticket);
      },
      code: 'ticket_other_segment',
    },
    {
      name: 'that ends what it did not begin',
      lie: (site, ticket) => site.end(ticket, 'done'),
      code: 'ticket_spent',
    },
  ];
  for (const { name, lie, code } of lies)
    test(`${name} is refused: ${code}`, () =>
      WorkSite.run(install, async (site) => {
        assert.equal(await lie(site, await site.ticket()), code);
        assert.deepEqual(await site.told(), []);
      }));

  test('of a first boot that nobody awaits is refused', () =>
    WorkSite.run(install, async (site) => {
      const { install: order } = await site.order();
      assert.equal((await site.ask(order?.firstBootUrl ?? '')).code, 'first_boot_gone');
      assert.equal((await site.ask('/first-boot/m-1.1.xxx')).code, 'first_boot_forged');
      assert.deepEqual(await site.told(), []);
    }));
});
