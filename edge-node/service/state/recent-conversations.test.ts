import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAC, OTHER_MAC } from '../decide/testing/world.ts';
import { RecentConversations } from './recent-conversations.ts';

const said = (xid: number, mac = MAC) => ({ mac, xid, vendorClass: 'PXEClient', architectures: [0] });

test('what was said is recalled by who said it and under which transaction', () => {
  const conversations = new RecentConversations();
  conversations.keep(said(1));
  assert.deepEqual(conversations.recall(MAC, 1), said(1));
  assert.equal(conversations.recall(MAC, 2), undefined);
  assert.equal(conversations.recall(OTHER_MAC, 1), undefined);
});

test('the last twenty thousand at least are remembered, and all of them never', () => {
  const conversations = new RecentConversations();
  for (let xid = 0; xid < 60_000; xid++) conversations.keep(said(xid));
  assert.ok(conversations.recall(MAC, 40_000));
  assert.equal(conversations.recall(MAC, 0), undefined);
});
