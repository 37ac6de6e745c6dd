/**
 * `tftp-load.ts JSON`: many machines that fetch a file by TFTP at the same time, in one thread, each from an address
 * of its own. Their first packets are awaited before anybody goes on, so that all transfers run at once. Prints what
 * it measured as JSON; ends with 1 where a file came with other bytes or not at all.
 */
import { createHash } from 'node:crypto';
import { encode } from '@bootswarm/edge-node/tftp';
import { Readiness } from '../sockets/readiness.ts';
import { peerOf, TftpInbox } from '../sockets/tftp-inbox.ts';
import { TftpOutbox } from '../sockets/tftp-outbox.ts';
import { openTftpSocket } from '../sockets/tftp-socket.ts';

interface Load {
  readonly server: string;
  readonly port: number;
  readonly file: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  /** First of the machines' addresses; the others follow. */
  readonly firstClient: string;
  readonly clients: number;
  /** How often each fetches the file. */
  readonly fetches: number;
  /** As OVMF asks: blksize 1468, windowsize 4. None: RFC 1350's blocks of 512 bytes, one by one. */
  readonly options: Readonly<Record<string, string>>;
}

interface Machine {
  readonly fd: number;
  readonly content: Uint8Array;
  /** Port of the transfer at the server; the server's own until it answers. */
  peer: number;
  blockBytes: number;
  windowSize: number;
  /** Blocks that came in order. */
  block: number;
  ackedBlock: number;
  /** What it sent last, to be sent again. */
  lastPacket: Uint8Array;
  lastPeer: number;
  lastAtMs: number;
  /** Held back until all have their first packet. */
  isHeld: boolean;
  fetched: number;
  isWrong: boolean;
  error: string | undefined;
}

const OPEN_MOST = 64;
const AGAIN_MS = 1000;
const GIVE_UP_MS = 120_000;
const OPCODE = { data: 3, error: 5, oack: 6 };

const load = JSON.parse(process.argv[2] ?? '') as Load;
const server = peerOf(numberOf(load.server), load.port);
const request = encode({
  kind: 'rrq',
  file: load.file,
  mode: 'octet',
  options: new Map(Object.entries(load.options)),
});
const [readiness, inbox, outbox] = [new Readiness(), new TftpInbox(), new TftpOutbox()];
const machines = Array.from({ length: load.clients }, (_, n) => machineAt(numberOf(load.firstClient) + n));
const byFd = new Map(machines.map((machine) => [machine.fd, machine]));
const ack = new Uint8Array([0, 4, 0, 0]);

const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
run();
const seconds = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(cpuBefore);

const complete = machines.filter(
  (machine) => machine.fetched === load.fetches && !machine.isWrong && digest(machine) === load.sha256,
).length;
const failure = machines.find((machine) => machine.error !== undefined)?.error;
process.stdout.write(
  `${JSON.stringify({
    complete,
    failure,
    seconds,
    bytes: machines.reduce((sum, { fetched }) => sum + fetched * load.lengthBytes, 0),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  })}\n`,
);
process.exitCode = complete === load.clients ? 0 : 1;

function run(): void {
  let [opened, answered, fetched] = [0, 0, 0];
  let againAtMs = startedAt + AGAIN_MS;
  const isOver = (machine: Machine): boolean =>
    machine.fetched === load.fetches || machine.error !== undefined;
  while (fetched < load.clients && performance.now() < startedAt + GIVE_UP_MS) {
    for (; opened < load.clients && opened - answered < OPEN_MOST; opened++) {
      const machine = machines[opened];
      if (machine) send(machine, request, server);
    }
    outbox.flush();
    for (const fd of readiness.wait(50)) {
      const machine = byFd.get(fd);
      if (!machine || isOver(machine)) continue;
      const wasWaiting = machine.block < 0;
      for (let i = 0, count = inbox.receive(fd); i < count; i++) take(machine, inbox.peer(i), inbox.bytes(i));
      if (machine.isHeld && wasWaiting && machine.block >= 0) answered += 1;
      if (isOver(machine)) fetched += 1;
    }
    if (answered === load.clients) {
      for (const machine of machines) release(machine);
      answered += 1;
    }
    if (performance.now() > againAtMs) {
      againAtMs = performance.now() + AGAIN_MS / 4;
      for (const machine of machines.slice(0, opened)) if (!isOver(machine)) repeat(machine);
    }
    outbox.flush();
  }
}

function take(machine: Machine, peer: number, bytes: Uint8Array): void {
  const opcode = bytes[1] ?? 0;
  if (machine.block < 0) {
    if (opcode === OPCODE.error) {
      machine.error = Buffer.from(bytes.subarray(4)).toString('latin1');
      return;
    }
    machine.peer = peer;
    machine.block = 0;
    machine.ackedBlock = -1;
    if (opcode === OPCODE.oack) {
      const agreed = oackOf(bytes);
      machine.blockBytes = Number(agreed.get('blksize') ?? 512);
      machine.windowSize = Number(agreed.get('windowsize') ?? 1);
      acknowledge(machine);
      return;
    }
  }
  if (opcode !== OPCODE.data || peer !== machine.peer) return;
  const block = (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0);
  // What is out of order is answered with the last that was in order, once (RFC 7440, section 4).
  if (block !== ((machine.block + 1) & 0xffff)) {
    if (machine.ackedBlock !== machine.block) acknowledge(machine);
    return;
  }
  const length = bytes.length - 4;
  machine.content.set(bytes.subarray(4), machine.block * machine.blockBytes);
  machine.block += 1;
  const isLast = length < machine.blockBytes;
  if (isLast) {
    const total = (machine.block - 1) * machine.blockBytes + length;
    machine.isWrong ||= total !== load.lengthBytes;
    machine.fetched += 1;
  }
  if (isLast || machine.block - machine.ackedBlock >= machine.windowSize) acknowledge(machine);
  if (isLast && machine.fetched < load.fetches) begin(machine);
}

function acknowledge(machine: Machine): void {
  if (machine.isHeld) return;
  machine.ackedBlock = machine.block;
  ack[2] = machine.block >> 8;
  ack[3] = machine.block;
  send(machine, ack, machine.peer);
}

function release(machine: Machine): void {
  machine.isHeld = false;
  acknowledge(machine);
}

/** Asks for the file again; what came before is checked by its length alone, and the last by its hash. */
function begin(machine: Machine): void {
  outbox.flush();
  Object.assign(machine, { block: -1, ackedBlock: -1, blockBytes: 512, windowSize: 1 });
  machine.content.fill(0);
  send(machine, request, server);
}

function repeat(machine: Machine): void {
  if (machine.isHeld && machine.block >= 0) return;
  if (performance.now() - machine.lastAtMs > AGAIN_MS) send(machine, machine.lastPacket, machine.lastPeer);
}

function send(machine: Machine, packet: Uint8Array, peer: number): void {
  machine.lastPacket = packet === request ? request : Uint8Array.from(packet);
  machine.lastPeer = peer;
  machine.lastAtMs = performance.now();
  outbox.addPacket(machine.fd, peer, packet);
}

function oackOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const texts = Buffer.from(bytes.subarray(2)).toString('latin1').split('\0');
  return new Map(
    texts.flatMap((text, at) => (at % 2 === 0 ? [[text.toLowerCase(), texts[at + 1] ?? ''] as const] : [])),
  );
}

function machineAt(address: number): Machine {
  const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  const fd = openTftpSocket(text, 0);
  readiness.watch(fd);
  return {
    fd,
    content: new Uint8Array(load.lengthBytes + 65_536),
    peer: 0,
    blockBytes: 512,
    windowSize: 1,
    block: -1,
    ackedBlock: -1,
    lastPacket: request,
    lastPeer: server,
    lastAtMs: 0,
    isHeld: true,
    fetched: 0,
    isWrong: false,
    error: undefined,
  };
}

function digest({ content }: Machine): string {
  return createHash('sha256').update(content.subarray(0, load.lengthBytes)).digest('hex');
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}
