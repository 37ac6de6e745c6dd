import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DesiredState, InstallerProfile, type JournalRecord } from '@bootswarm/controller/contract';
import type { Artefact, ArtefactRole, Manifest, TreeIndex } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, segmentWith } from '../decide/testing/world.ts';
import { Answers } from '../installers/answers.ts';
import { installerRoutes } from '../installers/routes.ts';
import { Trees } from '../installers/trees.ts';
import { EdgeStore } from '../state/edge-store.ts';
import { InstallLedger } from '../state/install-ledger.ts';
import { Serving } from '../state/serving.ts';
import { WorkLedger } from '../state/work-ledger.ts';

export const MACHINE_ADDRESS = '127.0.0.2';
export const STRANGER_ADDRESS = '127.0.0.3';
const FILES = { 'dists/bookworm/Release': 'Suite: stable\n', 'pool/a b.deb': 'a package', empty: '' };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

export function profileWith(facts: Partial<InstallerProfile> = {}): InstallerProfile {
  return InstallerProfile.parse({
    name: 'debian',
    release: 'debian/12/amd64',
    kind: 'preseed',
    variables: { disk: '/dev/sda', password: null },
    answers: [
      'd-i partman-auto/disk string {{ disk }}',
      'd-i mirror/http/hostname string {{ edge.host }}',
      'd-i mirror/http/directory string {{ tree.path }}',
      'd-i passwd/root-password-crypted password {{ password | line }}',
      'd-i preseed/late_command string wget -qO- {{ installed.url }} # {{ machine.hostname }}',
      '',
    ].join('\n'),
    ...facts,
  });
}

/** An edge's part in installing machines, over a real store and real HTTP on loopback; leases are as the test says. */
export class InstallerSite {
  readonly journal: Omit<JournalRecord, 'seq'>[] = [];
  readonly leases = new Map<string, Lease>([
    [MACHINE_ADDRESS, leaseWith({ address: MACHINE_ADDRESS })],
    [STRANGER_ADDRESS, leaseWith({ address: STRANGER_ADDRESS, mac: '52:54:00:aa:00:99' })],
  ]);
  #lateMs = 0;
  readonly #folder: string;
  #store!: EdgeStore;
  #server: Server | undefined;
  #serving!: Serving;
  #state: DesiredState;

  private constructor(folder: string, state: DesiredState) {
    this.#folder = folder;
    this.#state = state;
  }

  static async run(facts: Partial<DesiredState>, run: (site: InstallerSite) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-installers-'));
    const site = new InstallerSite(folder, await stateWith(folder, facts));
    try {
      await site.restart();
      await run(site);
    } finally {
      await site.#stop();
      await rm(folder, { recursive: true });
    }
  }

  /** Another desired state from now on. */
  follow(facts: Partial<DesiredState>): void {
    this.#state = { ...this.#state, ...facts };
    this.#serving.apply(this.#state);
  }

  /** Lets so much time pass for the edge. */
  wait(milliseconds: number): void {
    this.#lateMs += milliseconds;
  }

  /** Another server gives the addresses from now on. */
  proxy(): void {
    this.leases.clear();
    this.follow({
      segments: this.#state.segments.map((segment) => ({ ...segment, mode: 'proxy' as const })),
    });
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
    const ledger = await InstallLedger.open(this.#store);
    const works = WorkLedger.open(this.#store);
    const holderOf = (address: string): Lease | undefined => this.leases.get(address);
    const addToJournal = (record: Omit<JournalRecord, 'seq'>): void => void this.journal.push(record);
    const ready = { isReady: () => true, isCorrupt: () => false };
    const clock = (): number => Date.now() + this.#lateMs;
    this.#serving = new Serving({ ...ready, installs: ledger, works, holderOf, folder, addToJournal, clock });
    this.#serving.apply(this.#state);
    const answers = new Answers({ serving: this.#serving, holderOf, ledger, addToJournal, clock });
    const trees = new Trees({ ...ready, serving: this.#serving, folder });
    const app = new Hono<{ readonly Bindings: HttpBindings }>();
    app.route(
      '/',
      installerRoutes({ answers, trees }, (c) => ({
        address: (c.env.incoming.socket.remoteAddress ?? '').replace('::ffff:', ''),
        httpUrl: this.url,
      })),
    );
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

  /** The script that a machine is given. */
  async script(address = MACHINE_ADDRESS, mac = MAC): Promise<string> {
    return (await this.#serving.scriptFor({ address, mac, uuid: undefined, httpUrl: this.url })) ?? 'none';
  }

  /** The kernel argument of a script by which the answers are found. */
  async answersUrl(): Promise<string> {
    return /(?:url|inst\.ks)=(http\S+)/.exec(await this.script())?.[1] ?? 'none';
  }

  /** @param what a URL of this edge, or a path as it is to stand in the request. */
  fetch(what: string, from = MACHINE_ADDRESS, method = 'GET'): Promise<Answer> {
    const path = what.replace(/^http:\/\/[^/]+/, '');
    const { port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path,
        method,
        localAddress: from,
        agent: false,
      });
      request.once('error', reject);
      request.once('response', async (response) => {
        const text = (await buffer(response)).toString();
        resolve({ status: response.statusCode ?? 0, text, location: response.headers.location });
      });
      request.end();
    });
  }

  get told(): readonly string[] {
    return this.journal.map(({ stage, cause, detail }) => [stage, cause, detail].filter(Boolean).join(' '));
  }
}

async function stateWith(folder: string, facts: Partial<DesiredState>): Promise<DesiredState> {
  const artefacts = await ArtefactFolder.open(join(folder, 'artefacts'));
  const made: Artefact[] = [];
  const add = async (role: ArtefactRole, bytes: Buffer): Promise<void> => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(artefacts.pathOf(sha256), bytes);
    made.push({
      role,
      name: `${role}.bin`,
      length: bytes.length,
      sha256,
      pieceBytes: 65536,
      pieces: [sha256],
    });
  };
  await add('kernel', Buffer.from('kernel'));
  await add('initramfs', Buffer.from('initramfs'));
  let tree = 'something before the files';
  const files = Object.entries(FILES).map(([path, text]) => {
    const offset = tree.length;
    tree += `${text}\0`;
    return { path, offset, length: text.length };
  });
  const index: TreeIndex = {
    format: 1,
    length: tree.length,
    files,
    links: [
      { path: 'dists/stable', target: 'dists/bookworm' },
      { path: 'circle', target: 'circle' },
      { path: 'nowhere', target: 'not/there' },
    ],
  };
  await add('tree', Buffer.from(tree));
  await add('tree-index', Buffer.from(JSON.stringify(index)));
  const manifest: Manifest = {
    format: 1,
    name: 'debian',
    version: '12',
    architecture: 'amd64',
    bootStyle: 'installer',
    kernelArguments: ['quiet'],
    artefacts: made,
  };
  return DesiredState.parse({
    format: 1,
    edge: 'edge',
    revision: 1,
    segments: [segmentWith({ subnet: '127.0.0.0/24', pools: [], router: '127.0.0.1' })],
    machines: [
      {
        id: 'm-1',
        macs: [MAC],
        intent: { kind: 'installer', profile: 'debian' },
        epoch: 1,
        variables: { password: '$6$salt$hash' },
      },
    ],
    profiles: [profileWith()],
    releases: [manifest],
    ...facts,
  });
}
