import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type ArmedWork,
  begunWork,
  brokenOff,
  type DiskWork,
  endStep,
  firstBootOf,
  isOver,
  missedFirstBoot,
  objectionToBegin,
  standingOf,
  type TicketClaims,
  type TicketPlace,
} from './work-step.ts';

const NOW = 10_000_000;
const whose = { mac: '52:54:00:aa:00:01', segment: 'lab', address: '10.1.2.100' };
const armed: ArmedWork = { epoch: 3 };
const claims: TicketClaims = {
  machineId: 'm-1',
  segment: 'lab',
  epoch: 3,
  attempt: 1,
  issuedAtMs: NOW - 1_000,
};
const place: TicketPlace = { machineId: 'm-1', segment: 'lab', armed, nowMs: NOW };
const fresh = { kind: 'install', whose, firstBootMs: 60_000 } as const;

const work = (facts: Partial<DiskWork> = {}): DiskWork => ({
  epoch: 3,
  kind: 'install',
  attempts: 1,
  ticket: 'ticket-1',
  state: 'begun',
  detail: 'begun',
  atMs: NOW - 60_000,
  whose,
  ...facts,
});

describe('where an armed intent stands', () => {
  const cases: readonly {
    readonly name: string;
    readonly armed?: ArmedWork;
    readonly held: DiskWork | undefined;
    readonly stands: string;
  }[] = [
    { name: 'nothing was begun', held: undefined, stands: 'open 1' },
    { name: 'the first try was begun', held: work(), stands: 'open 2' },
    { name: 'the first try failed', held: work({ state: 'failed', cause: 'disk_lost' }), stands: 'open 2' },
    { name: 'the first try is done', held: work({ state: 'done', detail: 'it is in' }), stands: 'done' },
    { name: 'the second try is done', held: work({ attempts: 2, state: 'done' }), stands: 'done' },
    {
      name: 'the second try failed',
      held: work({ attempts: 2, state: 'failed', cause: 'disk_lost', detail: 'sda is gone' }),
      stands: 'failed disk_lost: sda is gone',
    },
    {
      name: 'the second try was begun and the machine asks again',
      held: work({ attempts: 2 }),
      stands: 'failed broken_off: try 2 was begun and never ended',
    },
    { name: 'another epoch was done before', held: work({ epoch: 2, state: 'done' }), stands: 'open 1' },
    { name: 'a later epoch was begun here', held: work({ epoch: 4 }), stands: 'done' },
    {
      name: 'another edge used it up',
      armed: { epoch: 3, spentEpoch: 3 },
      held: undefined,
      stands: 'done',
    },
    {
      name: 'another edge failed twice',
      armed: { epoch: 3, spentEpoch: 3, spentFailure: 'no disk' },
      held: undefined,
      stands: 'failed no disk',
    },
    {
      name: 'another edge failed twice at the epoch before',
      armed: { epoch: 3, spentEpoch: 2, spentFailure: 'no disk' },
      held: undefined,
      stands: 'open 1',
    },
    {
      name: 'another edge used it up after a try here',
      armed: { epoch: 3, spentEpoch: 3 },
      held: work(),
      stands: 'done',
    },
  ];
  for (const { name, armed: ofCase = armed, held, stands } of cases)
    test(`${name}: ${stands}`, () => {
      const standing = standingOf(ofCase, held);
      const rest = standing.kind === 'open' ? ` ${standing.attempt}` : '';
      const why = standing.kind === 'failed' ? ` ${standing.reason}` : '';
      assert.equal(standing.kind + rest + why, stands);
    });
});

describe('a ticket to begin with', () => {
  const cases: readonly {
    readonly name: string;
    readonly claims?: Partial<TicketClaims>;
    readonly place?: Partial<TicketPlace>;
    readonly held?: DiskWork;
    readonly objection: string | undefined;
  }[] = [
    { name: 'fresh', objection: undefined },
    { name: 'of its last moment', claims: { issuedAtMs: NOW - 59_999 }, objection: undefined },
    { name: 'a minute old', claims: { issuedAtMs: NOW - 60_000 }, objection: 'ticket_expired' },
    { name: 'of the future', claims: { issuedAtMs: NOW + 1 }, objection: 'ticket_expired' },
    { name: "another machine's", claims: { machineId: 'm-2' }, objection: 'ticket_other_machine' },
    { name: 'of another segment', claims: { segment: 'elsewhere' }, objection: 'ticket_other_segment' },
    { name: 'of the epoch before', claims: { epoch: 2 }, objection: 'ticket_other_epoch' },
    { name: 'used before', held: work(), objection: 'ticket_spent' },
    { name: 'for the second try before the first', claims: { attempt: 2 }, objection: 'ticket_spent' },
    {
      name: 'for the second try after the first',
      claims: { attempt: 2 },
      held: work(),
      objection: undefined,
    },
    {
      name: 'for a third try',
      claims: { attempt: 3 },
      held: work({ attempts: 2, state: 'failed' }),
      objection: 'ticket_spent',
    },
    { name: 'of what is done', held: work({ state: 'done' }), objection: 'ticket_spent' },
    {
      name: 'of what another edge used up',
      place: { armed: { epoch: 3, spentEpoch: 3 } },
      objection: 'ticket_spent',
    },
  ];
  for (const { name, held, objection, ...rest } of cases)
    test(`${name}: ${objection ?? 'taken'}`, () => {
      assert.equal(
        objectionToBegin({ ...claims, ...rest.claims }, { ...place, ...rest.place }, held),
        objection,
      );
    });
});

describe('the word that a try is over', () => {
  const done = { outcome: 'done', detail: 'installed' } as const;
  const failed = { outcome: 'failed', cause: 'no_root', detail: 'no root' } as const;
  const shown = { ticket: 'ticket-1', claims, place };

  test('ends what that ticket began, and an installed system is awaited', () => {
    const step = endStep(shown, done, work(), fresh);
    assert.ok(step.kind === 'ends');
    assert.equal(step.work.state, 'done');
    assert.deepEqual(step.work.firstBoot, { dueMs: NOW + 60_000, state: 'awaited' });
    assert.ok(isOver(step.work));
  });

  test('of a wipe awaits no system', () => {
    const step = endStep(shown, done, work({ kind: 'wipe' }), { ...fresh, kind: 'wipe' });
    assert.ok(step.kind === 'ends' && step.work.firstBoot === undefined);
  });

  test('of an hour later counts: its ticket was used in time', () => {
    const late = { ...shown, place: { ...place, nowMs: NOW + 3_600_000 } };
    assert.equal(endStep(late, done, work(), fresh).kind, 'ends');
  });

  test('twice is known, and the other way round is not taken', () => {
    const held = work({ state: 'done' });
    assert.equal(endStep(shown, done, held, fresh).kind, 'known');
    assert.deepEqual(endStep(shown, failed, held, fresh), { kind: 'refused', objection: 'ticket_spent' });
  });

  test('that it failed before it began uses the try up', () => {
    const step = endStep(shown, failed, undefined, fresh);
    assert.ok(step.kind === 'ends');
    assert.equal(step.work.attempts, 1);
    assert.ok(!isOver(step.work));
    assert.deepEqual(standingOf(armed, step.work), { kind: 'open', attempt: 2 });
  });

  test('that it is done without having begun is not taken', () => {
    assert.deepEqual(endStep(shown, done, undefined, fresh), {
      kind: 'refused',
      objection: 'ticket_spent',
    });
  });

  test('of a try that was broken off is not taken', () => {
    const held = brokenOff(armed, work(), NOW);
    assert.equal(held?.cause, 'broken_off');
    assert.equal(endStep(shown, done, held, fresh).kind, 'refused');
  });

  test('of another machine, segment or epoch is refused by name', () => {
    const objections = [{ machineId: 'm-2' }, { segment: 'x' }, { epoch: 2 }].map((facts) => {
      const step = endStep({ ...shown, claims: { ...claims, ...facts } }, done, work(), fresh);
      return step.kind === 'refused' && step.objection;
    });
    assert.deepEqual(objections, ['ticket_other_machine', 'ticket_other_segment', 'ticket_other_epoch']);
  });
});

describe('a first boot', () => {
  const installed = work({ state: 'done', firstBoot: { dueMs: NOW, state: 'awaited' } });

  test('is heard once', () => {
    const heard = firstBootOf(3, installed, NOW);
    assert.equal(heard?.firstBoot?.state, 'heard');
    assert.equal(firstBootOf(3, heard, NOW), undefined);
  });

  test('of what never said that it was done makes it done', () => {
    assert.equal(firstBootOf(3, work(), NOW)?.state, 'done');
  });

  test('of a failed try, of a wipe and of another epoch is none', () => {
    assert.equal(firstBootOf(3, work({ state: 'failed' }), NOW), undefined);
    assert.equal(firstBootOf(3, work({ kind: 'wipe', state: 'done' }), NOW), undefined);
    assert.equal(firstBootOf(2, installed, NOW), undefined);
    assert.equal(firstBootOf(3, undefined, NOW), undefined);
  });

  test('is missed once its time is over, once', () => {
    const up = { nowMs: NOW, upSinceMs: 0 };
    assert.equal(missedFirstBoot(armed, installed, { ...up, nowMs: NOW - 1 }), undefined);
    const missed = missedFirstBoot(armed, installed, up);
    assert.equal(missed?.firstBoot?.state, 'missed');
    assert.equal(missedFirstBoot(armed, missed, up), undefined);
    assert.equal(firstBootOf(3, missed, NOW)?.firstBoot?.state, 'heard', 'it may still come up');
  });

  test('is waited for a minute more by an edge that was away', () => {
    const up = { nowMs: NOW + 59_999, upSinceMs: NOW };
    assert.equal(missedFirstBoot(armed, installed, up), undefined);
    assert.ok(missedFirstBoot(armed, installed, { ...up, nowMs: NOW + 60_000 }));
  });

  test('is waited for no more once another intent was set', () => {
    assert.equal(missedFirstBoot({ epoch: 4 }, installed, { nowMs: NOW, upSinceMs: 0 }), undefined);
  });
});

/** A machine, its edge and its operator, one step after the other; what a disk goes through is counted. */
class FakeHistory {
  epoch = 1;
  nowMs = NOW;
  held: DiskWork | undefined;
  readonly begun = new Map<number, number>();
  readonly doneAt = new Set<number>();
  /** Tickets that were given out, the newest last; whoever holds them may show any of them at any time. */
  readonly tickets: TicketClaims[] = [];
  readonly usedTickets = new Set<string>();

  get armed(): ArmedWork {
    return { epoch: this.epoch };
  }

  get place(): TicketPlace {
    return { machineId: 'm-1', segment: 'lab', armed: this.armed, nowMs: this.nowMs };
  }

  ticketOf(which: number): { ticket: string; claims: TicketClaims } | undefined {
    const found = this.tickets.at(-1 - which);
    return found && { ticket: JSON.stringify(found), claims: found };
  }

  boot(): void {
    this.held = brokenOff(this.armed, this.held, this.nowMs) ?? this.held;
  }

  order(): void {
    const standing = standingOf(this.armed, this.held);
    if (standing.kind !== 'open') return;
    const { epoch, nowMs: issuedAtMs } = this;
    this.tickets.push({
      machineId: 'm-1',
      segment: 'lab',
      epoch,
      attempt: standing.attempt,
      issuedAtMs,
    });
  }

  begin(which: number): void {
    const shown = this.ticketOf(which);
    if (!shown || objectionToBegin(shown.claims, this.place, this.held) !== undefined) return;
    assert.ok(!this.usedTickets.has(shown.ticket), 'no ticket begins twice');
    assert.ok(!this.doneAt.has(this.epoch), 'what is done is not begun again');
    this.usedTickets.add(shown.ticket);
    this.begun.set(this.epoch, (this.begun.get(this.epoch) ?? 0) + 1);
    const facts = { kind: 'install', detail: '', atMs: this.nowMs, whose } as const;
    this.held = begunWork(shown.claims, shown.ticket, facts);
  }

  end(which: number, outcome: 'done' | 'failed'): void {
    const shown = this.ticketOf(which);
    if (!shown) return;
    const step = endStep({ ...shown, place: this.place }, { outcome, detail: '' }, this.held, fresh);
    if (step.kind !== 'ends') return;
    if (outcome === 'done') {
      assert.ok(this.usedTickets.has(shown.ticket), 'nothing is done that was not begun');
      this.doneAt.add(this.epoch);
    }
    this.usedTickets.add(shown.ticket);
    this.held = step.work;
  }

  /** What is durable survives; there is nothing else. */
  restart(): void {
    this.held = this.held && (JSON.parse(JSON.stringify(this.held)) as DiskWork);
  }
}

test('over any history no epoch writes to a disk more than twice, nor again after it was done', () => {
  const step = fc.oneof(
    fc.constant('boot'),
    fc.constant('order'),
    fc.nat(2).map((which) => ['begin', which] as const),
    fc.nat(2).map((which) => ['done', which] as const),
    fc.nat(2).map((which) => ['failed', which] as const),
    fc.constant('restart'),
    fc.constant('new epoch'),
    fc.nat(90_000).map((ms) => ['wait', ms] as const),
  );
  const run = (steps: readonly (string | readonly [string, number])[]): void => {
    const history = new FakeHistory();
    for (const each of steps) {
      const [what, which] = typeof each === 'string' ? [each, 0] : each;
      if (what === 'boot') history.boot();
      else if (what === 'order') history.order();
      else if (what === 'begin') history.begin(which);
      else if (what === 'done' || what === 'failed') history.end(which, what);
      else if (what === 'restart') history.restart();
      else if (what === 'wait') history.nowMs += which;
      else history.epoch += 1;
      const { held, epoch, begun, doneAt } = history;
      assert.ok((begun.get(epoch) ?? 0) <= 2, 'at most two tries');
      const standing = standingOf(history.armed, held);
      if (doneAt.has(epoch)) assert.equal(standing.kind, 'done');
      else assert.notEqual(standing.kind, 'done', 'nothing counts as done that is not');
    }
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), run), { numRuns: 2000 });
});
