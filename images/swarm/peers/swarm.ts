import type { Artefact } from '@bootswarm/images/format';
import type { ArtefactSource } from '../artefact-source.ts';
import { usualMs } from './ahead.ts';
import { Conversation, type ConversationHost } from './conversation.ts';
import { Download } from './download.ts';
import { encodeExtendedHandshake } from './extension.ts';
import { Haves } from './haves.ts';
import type { Endpoint } from './link.ts';
import { Membership, type NodeSide, type Welcome } from './membership.ts';
import { piecesMessage } from './messages.ts';
import { dueOf } from './patience.ts';
import type { Peer } from './peer.ts';
import { PieceCache, PieceMemory } from './piece-cache.ts';
import type { PieceStore } from './piece-store.ts';
import { peerProblem } from './problems.ts';
import { Rate } from './rate.ts';
import { type SwarmStats, tellPeer } from './stats.ts';
import { SuperSeeding } from './super-seeding.ts';
import type { RateBuckets, RateLimits, SwarmOptions } from './swarm-options.ts';
import { TokenBucket } from './token-bucket.ts';
import { MOST_REQUESTS, Upload } from './upload.ts';
import { Webseed } from './webseed.ts';

/** Pieces in memory for peers that ask. */
const CACHE_BYTES = 16 * 1024 * 1024;
const FEWEST_CACHED = 4;
/** Buffers that wait for the next piece. */
const SPARE_PIECES = 32;
/** The largest block between our own peers: a piece of 1 MiB is one request and one message. */
const BLOCK_BYTES = 1024 * 1024;
const RECHOKE_MS = 1000;
/** A capped swarm looks again after so long. */
const CAPPED_MS = 20;
/** Peers that give less than so much in the webseed's patience are as good as none. */
const HELP_BYTES = 64 * 1024;
const CLIENT = 'Bootswarm';

/**
 * Enough for all that fetch at once: with 8 slots of an edge the last of 16 machines took 1.28 times the limit, with 32
 * 1.23; with 8 slots of a machine the last of 32 took 1.46 times, with 32 1.39. Who asks bounds what is under way.
 */
const SLOTS = 32;
const DEFAULT_CONNECTIONS = 50;

/** One artefact, shared with peers: fetched until it is whole, given all the time. */
export class Swarm implements ConversationHost {
  readonly artefact: Artefact;
  readonly infohash: Uint8Array;
  /** Resolves when every piece is verified and stored. Rejects with what the store threw, or `swarm_left`. */
  readonly completed: Promise<void>;
  readonly download: Download;
  readonly upload: Upload;
  readonly #node: NodeSide;
  readonly #store: PieceStore;
  readonly #options: SwarmOptions;
  readonly members: Membership;
  readonly #cache: PieceCache;
  readonly #buckets: RateBuckets;
  readonly #webseed: Webseed | undefined;
  /** Of an edge that has everything. */
  readonly #superSeeding: SuperSeeding | undefined;
  readonly #haves: Haves;
  readonly #left = new AbortController();
  readonly #finish = Promise.withResolvers<void>();
  /** All that moved, with peers that are gone. */
  readonly #down: Rate;
  readonly #up: Rate;
  #gone = { down: 0, up: 0, edge: 0 };
  #webseedBytes = 0;
  #helpedBytes = 0;
  #helpedAtMs: number;
  #rechokedAtMs = 0;
  #tickedAtMs: number;
  #wake: NodeJS.Timeout | undefined;

  constructor(
    artefact: Artefact,
    infohash: Uint8Array,
    store: PieceStore,
    node: NodeSide,
    options: SwarmOptions,
  ) {
    const nowMs = performance.now();
    const { webseed, rateLimits = {}, isEdge = false, slots = SLOTS, signal } = options;
    this.artefact = artefact;
    this.infohash = infohash;
    this.completed = this.#finish.promise;
    // Whoever waits for it is told; a seed has nobody who does.
    this.completed.catch(() => {});
    this.#node = node;
    this.#store = store;
    this.#options = options;
    this.#down = new Rate(nowMs);
    this.#up = new Rate(nowMs);
    this.#tickedAtMs = nowMs;
    this.#helpedAtMs = nowMs;
    const memory = new PieceMemory(Math.min(artefact.pieceBytes, artefact.length), SPARE_PIECES);
    const cached = Math.max(FEWEST_CACHED, Math.floor(CACHE_BYTES / artefact.pieceBytes));
    this.#cache = new PieceCache(artefact, store, memory, cached);
    this.#buckets = options.buckets ?? {
      download: new TokenBucket(rateLimits.download, nowMs),
      upload: new TokenBucket(rateLimits.upload, nowMs),
    };
    const { blame, random } = node;
    this.members = new Membership(node, {
      infohash,
      pieceCount: artefact.pieces.length,
      mostConnections: options.mostConnections ?? DEFAULT_CONNECTIONS,
      isLooking: () => !this.download.picker.isDone,
      onPeer: (peer) => this.#onPeer(peer),
      onGone: (peer) => this.#onGone(peer),
    });
    this.#haves = new Haves(this.members.peers, artefact.pieceBytes);
    this.download = new Download(
      { artefact, store, memory, blame, bucket: this.#buckets.download, isNear: options.isNear, random },
      {
        peers: this.members.peers,
        onPiece: (index, held, wasFull) => this.#onPiece(index, held, wasFull),
        onStrike: (address) => {
          if (blame.isBanned(address)) node.onBanned(address);
        },
        onStoreFailed: (error) => this.#end(error),
      },
    );
    this.upload = new Upload({
      artefact,
      store,
      cache: this.#cache,
      bucket: this.#buckets.upload,
      isNear: options.isNear,
      slots,
      onCapped: () => this.#wakeSoon(),
    });
    this.#webseed = webseed && this.#makeWebseed(webseed);
    if (isEdge && store.have.isWhole) this.#superSeeding = new SuperSeeding(artefact, options.spread, random);
    if (this.download.picker.isDone) this.#finish.resolve();
    if (signal?.aborted) this.#end(signal.reason as Error);
    else
      signal?.addEventListener('abort', () => this.#end(signal.reason as Error), {
        once: true,
        signal: this.#left.signal,
      });
  }

  get isLeft(): boolean {
    return this.#left.signal.aborted;
  }

  /** Peers to connect to, as a tracker names them; those that are not allowed, or banned, are passed over. */
  addPeers(endpoints: readonly Endpoint[]): void {
    this.members.add(endpoints);
    this.members.dial(performance.now());
  }

  /** Lets go of peers by their addresses, and connects to them no more unless they are added again. */
  dropPeers(isOut: (address: string) => boolean): void {
    this.members.drop(isOut);
  }

  /** Other caps from now on, such as at night; what is left out has none. */
  limit({ upload, download }: RateLimits): void {
    const nowMs = performance.now();
    this.#buckets.upload.limit(upload, nowMs);
    this.#buckets.download.limit(download, nowMs);
  }

  /** Closes every connection, and asks for nothing more. What is stored stays. */
  leave(): void {
    this.#end(peerProblem('swarm_left', { facts: { name: this.artefact.name } }));
  }

  stats(): SwarmStats {
    const peers = [...this.members.peers.values()];
    const edge = peers.reduce((sum, { isEdge, down }) => sum + (isEdge ? down.bytes : 0), this.#gone.edge);
    return {
      pieces: this.#store.have.size,
      pieceCount: this.artefact.pieces.length,
      ...this.#moved(),
      fromWebseed: this.#webseedBytes,
      fromEdge: edge,
      wasted: this.download.wastedBytes,
      wrongPieces: this.download.wrongPieces,
      downloadRate: this.#down.perSecond,
      uploadRate: this.#up.perSecond,
      peers: peers.map(tellPeer),
      banned: this.#node.blame.banned,
    };
  }

  /** To be called a few times a second. */
  tick(nowMs: number): void {
    const seconds = (nowMs - this.#tickedAtMs) / 1000;
    this.#tickedAtMs = nowMs;
    const { peers } = this.members;
    const usual = usualMs(peers.values());
    for (const peer of peers.values()) this.#look(peer, { seconds, usual }, nowMs);
    this.download.tick();
    const { downloaded, uploaded } = this.#moved();
    this.#down.bytes = downloaded;
    this.#up.bytes = uploaded;
    this.#down.tick(nowMs);
    this.#up.tick(nowMs);
    if (downloaded - this.#webseedBytes - this.#helpedBytes >= HELP_BYTES) {
      this.#helpedBytes = downloaded - this.#webseedBytes;
      this.#helpedAtMs = nowMs;
    }
    if (nowMs - this.#rechokedAtMs >= RECHOKE_MS) {
      this.#rechokedAtMs = nowMs;
      this.upload.rechoke(this.members.peers, nowMs);
    }
    this.#webseed?.tick(this.#helpedAtMs, this.members.peers.size > 0, nowMs);
    this.members.tick(nowMs);
    this.#move();
  }

  fill(peer: Peer): void {
    if (this.download.fill(peer, performance.now())) this.#wakeSoon();
  }

  fillOthers(): void {
    for (const peer of this.members.peers.values()) this.fill(peer);
  }

  onPeerHas(peer: Peer, index?: number): void {
    const { picker } = this.download;
    if (index === undefined) this.#count(peer, 1);
    else {
      picker.addAvailable(index, peer.isEdge);
    }
    this.#superSeeding?.onHas(peer, index);
    const isWanted = index === undefined ? this.#hasWanted(peer) : picker.needs(index);
    if (isWanted) this.#setInteresting(peer, true);
    if (peer.pieces.isWhole && picker.isDone) peer.link.close();
    else if (isWanted) this.fill(peer);
  }

  onInterest(peer: Peer): void {
    if (peer.isInterested) this.upload.onInterested(this.members.peers, peer, performance.now());
  }

  onSaid(peer: Peer, say: () => void): void {
    this.#count(peer, -1);
    say();
    this.#count(peer, 1);
  }

  #onPiece(index: number, memory: Buffer, wasFull: boolean): void {
    this.#cache.add(index, memory);
    if (this.isLeft) return;
    this.#haves.add(index);
    if (this.download.picker.isDone) this.#complete();
    else if (wasFull || this.download.isEnding(performance.now())) this.fillOthers();
  }

  #complete(): void {
    this.#finish.resolve();
    for (const peer of this.members.peers.values()) {
      this.#setInteresting(peer, false);
      if (peer.pieces.isWhole) peer.link.close();
    }
  }

  #end(reason: Error): void {
    if (this.isLeft) return;
    this.#left.abort(reason);
    clearTimeout(this.#wake);
    this.#haves.stop();
    this.#finish.reject(reason);
    this.members.close(reason);
    this.#node.onLeft();
  }

  #onPeer(peer: Peer): Omit<Welcome, 'peer'> {
    this.#introduce(peer);
    return {
      listener: new Conversation(peer, this),
      limits: { pieceCount: this.artefact.pieces.length, mostBlockBytes: BLOCK_BYTES },
    };
  }

  #onGone(peer: Peer): void {
    this.#gone.down += peer.down.bytes;
    this.#gone.up += peer.up.bytes;
    if (peer.isEdge) this.#gone.edge += peer.down.bytes;
    this.#count(peer, -1);
    this.download.onGone(peer);
    this.#superSeeding?.onGone(peer);
    if (this.isLeft) return;
    this.upload.rechoke(this.members.peers, performance.now());
    this.fillOthers();
  }

  #introduce(peer: Peer): void {
    const { have } = this.#store;
    peer.link.together(() => {
      if (peer.speaksExtended)
        peer.send({
          type: 'extended',
          id: 0,
          payload: encodeExtendedHandshake({
            port: this.#node.port,
            requests: MOST_REQUESTS,
            client: CLIENT,
            blockBytes: BLOCK_BYTES,
            isEdge: this.#options.isEdge ?? false,
          }),
        });
      if (!this.#superSeeding) peer.send(piecesMessage(have, peer.speaksFast));
      else if (peer.speaksFast) peer.send({ type: 'haveNone' });
    });
  }

  #look(peer: Peer, { seconds, usual }: { seconds: number; usual: number }, nowMs: number): void {
    const { link } = peer;
    peer.forgive(seconds);
    this.#superSeeding?.tick(peer, nowMs);
    peer.down.tick(nowMs);
    peer.up.tick(nowMs);
    const due = dueOf({
      silentMs: nowMs - link.receivedAtMs,
      unsentMs: nowMs - link.sentAtMs,
      unreadBytes: link.queuedBytes,
      idleMs: nowMs - peer.blockAtMs,
      usualMs: usual,
      owes: peer.asked.size > 0,
      isSnubbed: peer.isSnubbed,
    });
    if (due.includes('close'))
      link.close(peerProblem('peer_silent', { facts: { seconds: 120, state: 'connected' } }));
    if (due.includes('keepalive')) peer.send({ type: 'keepalive' });
    if (due.includes('trust')) peer.isSnubbed = false;
    if (due.includes('snub')) {
      peer.isSnubbed = true;
      this.download.letGo(peer);
    }
    if (peer.isInteresting && !this.#hasWanted(peer)) this.#setInteresting(peer, false);
  }

  #hasWanted({ pieces }: Peer): boolean {
    const { picker } = this.download;
    if (picker.isDone) return false;
    for (let index = 0; index < pieces.length; index++)
      if (pieces.has(index) && picker.needs(index)) return true;
    return false;
  }

  #setInteresting(peer: Peer, isInteresting: boolean): void {
    if (peer.isInteresting === isInteresting) return;
    peer.isInteresting = isInteresting;
    peer.send({ type: isInteresting ? 'interested' : 'notInterested' });
  }

  /** Counts, or no longer counts, what a peer has. */
  #count({ pieces, isEdge }: Peer, by: 1 | -1): void {
    if (pieces.size === 0) return;
    for (let index = 0; index < pieces.length; index++)
      if (pieces.has(index)) this.download.picker.addAvailable(index, isEdge, by);
  }

  /** What a rate cap held back moves on a little later. */
  #wakeSoon(): void {
    this.#wake ??= setTimeout(() => {
      this.#wake = undefined;
      if (!this.isLeft) this.#move();
    }, CAPPED_MS);
  }

  #move(): void {
    for (const peer of this.members.peers.values()) {
      this.fill(peer);
      this.upload.pump(peer);
    }
  }

  #moved(): { downloaded: number; uploaded: number } {
    let [downloaded, uploaded] = [this.#gone.down + this.#webseedBytes, this.#gone.up];
    for (const { down, up } of this.members.peers.values()) {
      downloaded += down.bytes;
      uploaded += up.bytes;
    }
    return { downloaded, uploaded };
  }

  #makeWebseed(source: ArtefactSource): Webseed {
    return new Webseed({
      artefact: this.artefact,
      source,
      download: this.download,
      signal: this.#left.signal,
      idleMs: this.#options.webseedAfterMs,
      onFailed: this.#options.onWebseedFailed,
      onBytes: (bytes) => {
        this.#webseedBytes += bytes;
      },
    });
  }
}
