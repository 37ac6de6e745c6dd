import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tickets } from './ticket.ts';

const tickets = new Tickets('secret');
const claims = { machineId: 'm-0123456789', segment: 'lab-1', epoch: 3, attempt: 1, issuedAtMs: 1_700_000 };

test('a ticket says what it was made of, to the edge that made it alone', () => {
  const ticket = tickets.workTicket(claims);
  assert.deepEqual(tickets.readWorkTicket(ticket), claims);
  assert.equal(new Tickets('another').readWorkTicket(ticket), undefined);
});

test('a ticket of the longest names fits into an order', () => {
  const longest = { ...claims, segment: 'a'.repeat(63), epoch: 1e9, issuedAtMs: 1e13 };
  assert.ok(tickets.workTicket(longest).length <= 200);
});

test('no character of it can be changed', () => {
  const ticket = tickets.workTicket(claims);
  for (let at = 0; at < ticket.length; at++) {
    const other = ticket[at] === '1' ? '2' : '1';
    const forged = ticket.slice(0, at) + other + ticket.slice(at + 1);
    assert.equal(tickets.readWorkTicket(forged), undefined, forged);
  }
});

test('what is no ticket is none', () => {
  for (const text of ['', '.', '....', 'x', ticketOfTheOtherKind()])
    assert.equal(tickets.readWorkTicket(text), undefined, text);
});

test('a ticket of the first boot names machine and epoch, and begins no work', () => {
  const ticket = ticketOfTheOtherKind();
  assert.deepEqual(tickets.readFirstBootTicket(ticket), { machineId: 'm-1', epoch: 3 });
  assert.equal(tickets.readFirstBootTicket(tickets.workTicket(claims)), undefined);
  assert.match(ticket, /^[A-Za-z0-9._-]+$/, 'it stands in a URL');
});

function ticketOfTheOtherKind(): string {
  return tickets.firstBootTicket('m-1', 3);
}
