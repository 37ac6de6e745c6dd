import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of nobody but this fake: for 127.0.0.1, until 2120. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBUjCB+qADAgECAgEBMAoGCCqGSM49BAMCMBMxETAPBgNVBAMMCGZha2UtYm1j
MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjATMREwDwYDVQQDDAhm
YWtlLWJtYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLSlGm9wvM3Nxj+3BTcO
Swfyn04rNNx6uYTItwdGF0/dR7QUX8uBckfaSb1W86SpwP2leL6LC/DNi4j31iby
4A6jPTA7MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAdBgNVHQ4EFgQU+7yM
tcarFke5JRs4LjoyuCIy9mgwCgYIKoZIzj0EAwIDRwAwRAIgQFIJTa3bIz3/LOwK
cyEh0XlAi7XT7/z6gCEIz20SIJsCIAgFag8SIeAO2+/zGrevyIk1/s5fqjbLqcNd
BP2PO6Qx
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIIlFMZwmd0pUnif0woDQT7G9JefdKqHe3QhDQPF8x7UFoAoGCCqGSM49
AwEHoUQDQgAEtKUab3C8zc3GP7cFNw5LB/KfTis03Hq5hMi3B0YXT91HtBRfy4Fy
R9pJvVbzpKnA/aV4vosL8M2LiPfWJvLgDg==
-----END EC PRIVATE KEY-----
`;

export const FAKE_REDFISH_FINGERPRINT =
  'FC:D8:53:9A:E8:72:9A:D8:55:42:0A:F9:2B:B6:27:48:11:25:DA:9F:0A:AB:34:C8:CD:1C:93:85:67:4C:41:BF';
export const FAKE_USER = 'root';
export const FAKE_PASSWORD = 'correct horse';

/** What a BMC may be like; all of it may be changed while it runs. */
export interface Manners {
  /** Answers nothing at all. */
  hang?: boolean;
  /** Sent in the place of every body. */
  garbage?: string;
  /** So many calls are answered 503 first. */
  busyTimes?: number;
  /** Takes orders, and leaves the power as it is. */
  lies?: boolean;
  /** Takes the override, and forgets it at once. */
  ignoresOverride?: boolean;
  /** Before each answer. */
  slowMs?: number;
  /** Has no sessions: basic authentication alone. */
  basicOnly?: boolean;
  /** Forgets every session with each call but the login. */
  forgetful?: boolean;
  /** Orders are tasks that end so. */
  task?: 'Completed' | 'Exception';
  /** Sends every call there. */
  redirect?: string;
  /** The ETag differs with every reading. */
  restlessEtag?: boolean;
  /** Of resets. */
  allowed?: readonly string[];
  /** Of the boot override. */
  targets?: readonly string[];
  devices?: readonly string[];
  systems?: readonly string[];
  /** Beside the system's own data. */
  system?: Readonly<Record<string, unknown>>;
}

const SESSIONS = '/redfish/v1/SessionService/Sessions';
const MEDIA = '/redfish/v1/Managers/1/VirtualMedia';

/** A Redfish service over TLS on the loopback, with one machine behind it. */
export class FakeRedfish implements AsyncDisposable {
  readonly manners: Manners;
  power: 'On' | 'Off' = 'Off';
  boot: Record<string, unknown> = { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None' };
  image: string | null = null;
  /** What was asked, such as `POST /redfish/v1/...`. */
  readonly asked: string[] = [];
  /** Types of resets that were done. */
  readonly resets: string[] = [];
  readonly sessions = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #count = 0;
  #etag = 1;

  private constructor(manners: Manners) {
    this.manners = manners;
    this.#server = createServer({ cert: CERTIFICATE, key: KEY }, (incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(manners: Manners = {}): Promise<FakeRedfish> {
    const fake = new FakeRedfish(manners);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    const { manners } = this;
    this.asked.push(`${method} ${url}`);
    let text = '';
    for await (const chunk of incoming) text += chunk;
    if (manners.hang) return;
    await sleep(manners.slowMs ?? 0);
    const send = (status: number, body?: unknown, headers: Record<string, string> = {}): undefined => {
      outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    };
    if (manners.garbage !== undefined) return void outgoing.end(manners.garbage);
    if (manners.redirect !== undefined) return send(307, undefined, { location: manners.redirect });
    if ((manners.busyTimes ?? 0) > 0) {
      manners.busyTimes = (manners.busyTimes ?? 0) - 1;
      return send(503, refusal('too many connections'));
    }
    if (method === 'POST' && url === SESSIONS) return this.#login(text, send);
    if (!this.#mayPass(incoming)) return send(401, refusal('who are you?'));
    this.#serve(method, url, text === '' ? {} : JSON.parse(text), incoming, send);
    if (manners.forgetful) this.sessions.clear();
  }

  #login(text: string, send: Send): undefined {
    if (this.manners.basicOnly) return send(404, refusal('no sessions'));
    const { UserName, Password } = JSON.parse(text);
    if (UserName !== FAKE_USER || Password !== FAKE_PASSWORD) return send(401, refusal('wrong password'));
    const token = `token${++this.#count}`;
    this.sessions.add(token);
    send(201, {}, { 'x-auth-token': token, location: `https://elsewhere.example${SESSIONS}/${token}` });
  }

  #mayPass({ headers }: IncomingMessage): boolean {
    const basic = `Basic ${Buffer.from(`${FAKE_USER}:${FAKE_PASSWORD}`).toString('base64')}`;
    return this.sessions.has(String(headers['x-auth-token'])) || headers.authorization === basic;
  }

  #serve(
    method: string,
    url: string,
    body: Record<string, unknown>,
    incoming: IncomingMessage,
    send: Send,
  ): undefined {
    const { manners } = this;
    if (manners.restlessEtag) this.#etag += 1;
    const systems = manners.systems ?? ['1'];
    const system = systems.find((id) => url === `/redfish/v1/Systems/${id}`);
    if (method === 'DELETE' && url.startsWith(SESSIONS)) {
      this.sessions.delete(url.split('/').at(-1) ?? '');
      return send(204);
    }
    if (url === '/redfish/v1/') return send(200, { Systems: link('/redfish/v1/Systems') });
    if (url === '/redfish/v1/Systems')
      return send(200, members(systems.map((id) => `/redfish/v1/Systems/${id}`)));
    if (method === 'GET' && system !== undefined)
      return send(200, this.#system(url), { etag: `"${this.#etag}"` });
    if (method === 'PATCH' && system !== undefined) return this.#override(body, incoming, send);
    if (url.endsWith('.Reset')) return this.#reset(String(body['ResetType']), send);
    if (url === '/redfish/v1/Tasks/1') return this.#task(send);
    if (url === '/redfish/v1/Managers/1') return send(200, { VirtualMedia: link(MEDIA) });
    if (url === MEDIA) return send(200, members([`${MEDIA}/1`]));
    if (url.startsWith(`${MEDIA}/1`)) return this.#media(method, url, body, send);
    send(404, refusal('nothing there'));
  }

  #system(url: string): unknown {
    const { allowed, targets, devices, system } = this.manners;
    return {
      PowerState: this.power,
      Boot: {
        ...this.boot,
        ...(targets ? { 'BootSourceOverrideTarget@Redfish.AllowableValues': targets } : {}),
        ...(devices ? { 'UefiTargetBootSourceOverride@Redfish.AllowableValues': devices } : {}),
      },
      Actions: {
        '#ComputerSystem.Reset': {
          target: `${url}/Actions/ComputerSystem.Reset`,
          ...(allowed ? { 'ResetType@Redfish.AllowableValues': allowed } : {}),
        },
      },
      Links: { ManagedBy: [link('/redfish/v1/Managers/1')] },
      ...system,
    };
  }

  #override(body: Record<string, unknown>, { headers }: IncomingMessage, send: Send): undefined {
    const match = headers['if-match'];
    if (match === undefined) return send(428, refusal('If-Match is missing'));
    if (match !== '*' && match !== `"${this.#etag}"`) return send(412, refusal('changed meanwhile'));
    this.#etag += 1;
    if (!this.manners.ignoresOverride) this.boot = body['Boot'] as Record<string, unknown>;
    send(200, {});
  }

  #reset(type: string, send: Send): undefined {
    if (this.manners.allowed && !this.manners.allowed.includes(type))
      return send(400, refusal(`no ${type} here`));
    this.resets.push(type);
    if (!this.manners.lies) this.power = type === 'ForceOff' ? 'Off' : 'On';
    if (this.manners.task) send(202, {}, { location: '/redfish/v1/Tasks/1' });
    else send(204);
  }

  #task(send: Send): undefined {
    const looks = this.asked.filter((each) => each.endsWith('/Tasks/1')).length;
    if (looks < 3) return send(200, { TaskState: 'Running' });
    send(200, { TaskState: this.manners.task, Messages: [{ Message: 'the \u001b[31mfan\u0007 failed' }] });
  }

  #media(method: string, url: string, body: Record<string, unknown>, send: Send): undefined {
    if (method === 'POST') this.image = url.endsWith('InsertMedia') ? String(body['Image']) : null;
    send(200, {
      Image: this.image,
      Inserted: this.image !== null,
      MediaTypes: ['CD', 'DVD'],
      Actions: {
        '#VirtualMedia.InsertMedia': { target: `${MEDIA}/1/Actions/VirtualMedia.InsertMedia` },
        '#VirtualMedia.EjectMedia': { target: `${MEDIA}/1/Actions/VirtualMedia.EjectMedia` },
      },
    });
  }
}

type Send = (status: number, body?: unknown, headers?: Record<string, string>) => undefined;

function link(path: string): unknown {
  return { '@odata.id': path };
}

function members(paths: readonly string[]): unknown {
  return { Members: paths.map(link) };
}

function refusal(message: string): unknown {
  return { error: { code: 'Base.1.0.GeneralError', message } };
}
