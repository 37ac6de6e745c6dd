import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation, type ConversationHost } from './conversation.ts';
import type { PeerLink } from './link.ts';
import { Peer } from './peer.ts';

const REJECT = { type: 'reject', index: 0, begin: 0, length: 16_384 } as const;

/** What the swarm did about what a peer of ours said, by name. */
function listen({ fast, wasAsked = true }: { fast: boolean; wasAsked?: boolean }) {
  const did: string[] = [];
  const note = (name: string) => () => void did.push(name);
  const host = {
    download: { letGo: note('let go'), onReject: () => did.push('refused') > 0 && wasAsked },
    fill: note('ask it'),
    fillOthers: note('ask others'),
  } as unknown as ConversationHost;
  const link = { remote: { host: '10.0.0.1', port: 1 }, isClosed: false } as unknown as PeerLink;
  const greeting = { infohash: new Uint8Array(20), peerId: new Uint8Array(20), fast, extended: true };
  return { did, conversation: new Conversation(new Peer(1, link, greeting, 1, 0), host) };
}

test('a choke says that nothing comes of what was asked for: others are asked', () => {
  const { did, conversation } = listen({ fast: false });
  conversation.onMessage({ type: 'choke' });
  assert.deepEqual(did, ['let go', 'ask others']);
});

test('with the fast extension what was asked for is waited for until it is refused (BEP 6)', () => {
  const { did, conversation } = listen({ fast: true });
  conversation.onMessage({ type: 'choke' });
  assert.deepEqual(did, []);
  conversation.onMessage(REJECT);
  assert.deepEqual(did, ['refused', 'ask others']);
});

test('who refuses what it was never asked for makes nobody else be asked', () => {
  const { did, conversation } = listen({ fast: true, wasAsked: false });
  conversation.onMessage({ type: 'choke' });
  conversation.onMessage(REJECT);
  assert.deepEqual(did, ['refused']);
});

test('who refuses one block, and does not choke, is asked for another', () => {
  const { did, conversation } = listen({ fast: true });
  conversation.onMessage({ type: 'unchoke' });
  conversation.onMessage(REJECT);
  assert.deepEqual(did, ['ask it', 'refused', 'ask it']);
});
