/**
 * A hostile peer as a program of its own: `node hostile.ts ORDER`, a `HostileOrder` as JSON. What came of it is printed
 * as JSON, one line each.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artefact } from '@bootswarm/images/format';
import { SwarmNode } from '@bootswarm/images/swarm';
import { ATTACKS, HostilePeer, PoisonedStore } from '@bootswarm/images/swarm/testing';
import type { AttackReport, HostileOrder, SpoilReport } from '../hostile-order.ts';

/** A peer that is not dropped within this time was let in. */
const LET_IN_MS = 1000;
const DROP_MS = 5000;
/** So often it is not let in before it gives up. */
const REFUSALS = 3;
/** Just enough not to be passed over for silence: a piece of 1 MiB would take four minutes. */
const DROP_BYTES = 16 * 1024;
const DROP_EVERY_MS = 3500;
/** Blocks of 16 KiB: a part of a piece, which another peer is to complete. */
const BLOCKS = 3;

async function attackAll(order: HostileOrder & { kind: 'attack' }, artefact: Artefact): Promise<void> {
  const target = { pieceCount: artefact.pieces.length, pieceBytes: artefact.pieceBytes };
  for (const [name, attack] of Object.entries(ATTACKS)) {
    const peer = await HostilePeer.greet({ ...order, infohash: artefact.infohash ?? '' });
    const startedAt = performance.now();
    attack(peer, target);
    const isDropped = await closedWithin(peer, DROP_MS);
    tell({ name, droppedMs: isDropped ? performance.now() - startedAt : null } satisfies AttackReport);
    peer.close();
  }
}

async function spoil(order: HostileOrder & { kind: 'spoil' }, artefact: Artefact): Promise<void> {
  let visits = 0;
  for (let refusals = 0; refusals < REFUSALS; ) {
    const peer = await HostilePeer.greet({ ...order, infohash: artefact.infohash ?? '', extended: false });
    const startedAt = performance.now();
    await peer.spoil({ pieceCount: artefact.pieces.length, blocks: BLOCKS, after: 'go' });
    if (peer.given === 0 && performance.now() - startedAt < LET_IN_MS) refusals += 1;
    else [refusals, visits] = [0, visits + 1];
    // Whoever was given to goes on with the piece, with another.
    await sleep(200);
  }
  tell({ visits } satisfies SpoilReport);
}

async function poison(order: HostileOrder & { kind: 'poison' }, artefact: Artefact): Promise<void> {
  const node = await SwarmNode.listen({ port: order.port, isAllowed: () => true });
  const store = new PoisonedStore(artefact, readFileSync(order.original), () => true);
  node.join(artefact, artefact.infohash ?? '', store);
  tell({ port: node.port });
}

async function closedWithin(peer: HostilePeer, ms: number): Promise<boolean> {
  return Promise.race([peer.closed.then(() => true), sleep(ms, false, { ref: false })]);
}

function tell(report: object): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

if (import.meta.main) {
  const order = JSON.parse(process.argv[2] ?? '') as HostileOrder;
  const artefact = JSON.parse(readFileSync(order.artefact, 'utf8')) as Artefact;
  const { infohash = '' } = artefact;
  const isLasting = order.kind !== 'attack' && order.kind !== 'spoil' && order.kind !== 'greet';
  // It does not outlive who started it.
  if (isLasting) process.stdin.on('end', () => process.exit()).resume();
  if (order.kind === 'attack') await attackAll(order, artefact);
  else if (order.kind === 'spoil') await spoil(order, artefact);
  else if (order.kind === 'poison') await poison(order, artefact);
  else {
    const peer = await HostilePeer.greet({ ...order, infohash });
    if (order.kind === 'greet') tell({ isLetIn: !(await closedWithin(peer, LET_IN_MS)) });
    else {
      if (order.kind === 'trickle') peer.trickle(artefact.pieces.length, DROP_BYTES, DROP_EVERY_MS);
      else peer.withhold(order.kind === 'choke');
      tell({ withheld: true });
    }
  }
  if (!isLasting) process.exit();
}
