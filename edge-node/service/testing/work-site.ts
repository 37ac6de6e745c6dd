import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { AgentOrder, DesiredState, type JournalRecord, Profile } from '@bootswarm/controller/contract';
import type { ArtefactRole, Manifest } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { AgentDesk } from '../agents/agent-desk.ts';
import { InspectionDesk } from '../agents/inspection-desk.ts';
import { agentRoutes } from '../agents/routes.ts';
import { Tickets } from '../agents/ticket.ts';
import { WorkBoard } from '../agents/work-board.ts';
import { WorkDesk } from '../agents/work-desk.ts';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, OTHER_MAC, segmentWith } from '../decide/testing/world.ts';
import { EdgeStore } from '../state/edge-store.ts';
import { InstallLedger } from '../state/install-ledger.ts';
import { Serving } from '../state/serving.ts';
import { WorkLedger } from '../state/work-ledger.ts';
import { quietLog } from './quiet-log.ts';

export const WORK_ADDRESS = '127.0.0.2';
export const OTHER_ADDRESS = '127.0.0.3';
export const RELEASE = 'minimal/1.0/amd64';

interface Answer {
  readonly status: number;
  /** Of a problem. */
  readonly code: string | undefined;
  readonly body: unknown;
}

const IMAGE_PROFILE = Profile.parse({
  name: 'web',
  kind: 'image',
  release: RELEASE,
  layout: { disks: [{ serial: 'S-1' }] },
  firstBootMinutes: 20,
});

/** An edge's part in work on disks, over a real store and real HTTP on loopback; leases and time are as the test says. */
export class WorkSite {
  readonly leases = new Map<string, Lease>([
    [WORK_ADDRESS, leaseWith({ address: WORK_ADDRESS, expiresAtMs: Number.MAX_SAFE_INTEGER })],
    [
      OTHER_ADDRESS,
      leaseWith({ address: OTHER_ADDRESS, mac: OTHER_MAC, expiresAtMs: Number.MAX_SAFE_INTEGER }),
    ],
  ]);
  /** SHA-256 of what this edge has not fetched yet. */
  readonly missing = new Set<string>();
  #lateMs = 0;
  readonly #folder: string;
  #store!: EdgeStore;
  #serving!: Serving;
  #desk!: AgentDesk;
  works!: WorkDesk;
  #server: Server | undefined;
  #state: DesiredState;

  private constructor(folder: string, state: DesiredState) {
    this.#folder = folder;
    this.#state = state;
  }

  static async run(
    intent: DesiredState['machines'][number]['intent'],
    run: (site: WorkSite) => Promise<void>,
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-works-'));
    const site = new WorkSite(folder, stateWith(intent));
    try {
      await site.restart();
      await run(site);
    } finally {
      await site.#stop();
      await rm(folder, { recursive: true });
    }
  }

  get machine(): DesiredState['machines'][number] {
    const [machine] = this.#state.machines;
    if (!machine) throw new Error('no machine');
    return machine;
  }

  get segment(): DesiredState['segments'][number] {
    const [segment] = this.#state.segments;
    if (!segment) throw new Error('no segment');
    return segment;
  }

  /** Another desired state from now on. */
  follow(facts: Partial<DesiredState>): void {
    this.#state = { ...this.#state, ...facts };
    this.#serving.apply(this.#state);
    this.#desk.changed();
  }

  /** The operator sets an intent: another epoch. */
  arm(intent: DesiredState['machines'][number]['intent']): void {
    this.follow({ machines: [{ ...this.machine, intent, epoch: (this.machine.epoch ?? 0) + 1 }] });
  }

  wait(milliseconds: number): void {
    this.#lateMs += milliseconds;
  }

  /** As a new process would begin: with what is on the disk. */
  async restart(): Promise<void> {
    await this.#stop();
    this.#store = EdgeStore.open(join(this.#folder, 'state'), {
      onLoss: (error) => {
        throw error;
      },
    });
    const folder = await ArtefactFolder.open(join(this.#folder, 'artefacts'));
    const clock = (): number => Date.now() + this.#lateMs;
    const ledger = WorkLedger.open(this.#store);
    const holderOf = (address: string): Lease | undefined => this.leases.get(address);
    this.#serving = new Serving({
      isReady: (sha256) => !this.missing.has(sha256),
      isCorrupt: () => false,
      installs: await InstallLedger.open(this.#store),
      works: ledger,
      holderOf,
      folder,
      addToJournal: (record) => void this.#store.addToJournal(record),
      clock,
    });
    this.#serving.apply(this.#state);
    const { log } = quietLog();
    const tickets = new Tickets(await this.#store.ensureAnswersSecret());
    const onChange = (mac: string): void => this.#desk.changed(mac);
    this.works = new WorkDesk({ serving: this.#serving, ledger, tickets, onChange, log, clock });
    this.#desk = new AgentDesk({
      holderOf,
      dutyOf: (lease, httpUrl) => this.works.dutyOf(lease, httpUrl),
      swarmFor: () => undefined,
      board: new WorkBoard(),
      tell: (lease, detail, report) => {
        const { stage, news } = this.works.newsOf(lease, report, detail);
        this.#serving.tell(stage, lease.address, news);
      },
      log,
      nowMs: clock,
    });
    const inspections = new InspectionDesk({
      queue: this.#store.inspections,
      tell: ({ address }, detail) => this.#serving.tell('agent', address, { detail }),
    });
    const app = new Hono<{ readonly Bindings: HttpBindings }>();
    const routes = agentRoutes({ desk: this.#desk, works: this.works, inspections }, (c) => ({
      address: ((c.env as HttpBindings).incoming.socket.remoteAddress ?? '').replace('::ffff:', ''),
      httpUrl: this.url,
    }));
    app.route('/', routes);
    this.#server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async #stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server) await this.#store.close();
    this.#server = undefined;
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port}`;
  }

  /** The script that a machine is given when it boots. */
  async boot(address = WORK_ADDRESS, mac = MAC): Promise<string> {
    return (await this.#serving.scriptFor({ address, mac, uuid: undefined, httpUrl: this.url })) ?? 'none';
  }

  /** @param what a URL of this edge, or a path. */
  ask(what: string, body?: unknown, from = WORK_ADDRESS): Promise<Answer> {
    const path = what.replace(/^http:\/\/[^/]+/, '');
    const { port } = new URL(this.url);
    const sent = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path,
        method: sent === undefined ? 'GET' : 'POST',
        localAddress: from,
        agent: false,
        headers: { 'content-type': 'application/json' },
      });
      request.once('error', reject);
      request.once('response', async (response) => {
        const said = await text(response);
        const parsed = said.startsWith('{') ? (JSON.parse(said) as { code?: string }) : {};
        resolve({ status: response.statusCode ?? 0, code: parsed.code, body: parsed });
      });
      request.end(sent);
    });
  }

  async order(from = WORK_ADDRESS): Promise<AgentOrder> {
    return AgentOrder.parse((await this.ask('/agent/intent', undefined, from)).body);
  }

  /** The ticket of the order as it is now. */
  async ticket(): Promise<string> {
    const { install, wipe } = await this.order();
    return (install ?? wipe)?.ticket ?? 'none';
  }

  /** `200`, or the code of the problem. */
  async begin(ticket: string, from = WORK_ADDRESS): Promise<string> {
    const { status, code } = await this.ask('/agent/begin', { ticket, plan: 'sda: all\nof it' }, from);
    return code ?? String(status);
  }

  async end(ticket: string, outcome: 'done' | 'failed', from = WORK_ADDRESS): Promise<string> {
    const why = outcome === 'done' ? { detail: 'installed' } : { cause: 'disk_lost', detail: 'sda is gone' };
    const { status, code } = await this.ask('/agent/end', { ticket, outcome, ...why }, from);
    return code ?? String(status);
  }

  /** All that the controller would hear, oldest first. */
  async journal(): Promise<readonly JournalRecord[]> {
    // Records are gathered for 50 ms before they are written, and on a busy host that takes its time.
    for (let before = -1; ; ) {
      await new Promise((resolve) => setTimeout(resolve, 120));
      const records = this.#store.oldestJournal(500);
      if (records.length === before) return records;
      before = records.length;
    }
  }

  /** Of work on disks alone: stage, cause and what is spent. */
  async told(): Promise<readonly string[]> {
    const about = (await this.journal()).filter(({ stage }) =>
      ['install', 'wipe', 'first-boot'].includes(stage),
    );
    return about.map(({ stage, cause, epoch, spentEpoch }) =>
      [stage, epoch, cause, spentEpoch === undefined ? undefined : 'spent'].filter(Boolean).join(' '),
    );
  }

  get queuedInspections(): readonly unknown[] {
    const next = this.#store.inspections.oldest();
    return next ? [next.sent] : [];
  }
}

function releaseWith(
  name: string,
  bootStyle: Manifest['bootStyle'],
  roles: readonly ArtefactRole[],
): Manifest {
  const artefacts = roles.map((role, index) => {
    const sha256 = `${name.length}${index}`.padEnd(64, 'a');
    return { role, name: `${role}.bin`, length: 1, sha256, pieceBytes: 65536, pieces: [sha256] };
  });
  return {
    format: 1,
    name,
    version: '1.0',
    architecture: 'amd64',
    bootStyle,
    kernelArguments: [],
    artefacts,
  };
}

function stateWith(intent: DesiredState['machines'][number]['intent']): DesiredState {
  return DesiredState.parse({
    format: 1,
    edge: 'edge',
    revision: 1,
    segments: [segmentWith({ subnet: '127.0.0.0/24', pools: [], router: '127.0.0.1' })],
    machines: [
      { id: 'm-1', macs: [MAC], intent, epoch: 1 },
      { id: 'm-2', macs: [OTHER_MAC], intent: { kind: 'inspect' } },
    ],
    profiles: [IMAGE_PROFILE],
    releases: [
      releaseWith('mini', 'mini', ['kernel', 'initramfs']),
      releaseWith('minimal', 'live-boot', ['kernel', 'initramfs', 'root']),
    ],
    mini: { amd64: 'mini/1.0/amd64' },
  });
}
