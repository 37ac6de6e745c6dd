import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECT_MS = 20_000;

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

/** Talks to a running QEMU: QEMU Machine Protocol, docs/interop/qmp-spec. One command at a time. */
export class Qmp {
  readonly #socket: Socket;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      if (answer.return !== undefined || answer.error) this.#waiting.shift()?.(answer);
    });
    const gone = (): void => {
      for (const wait of this.#waiting.splice(0)) wait({ error: { desc: 'QEMU has ended' } });
    };
    socket.on('error', gone).on('close', gone);
  }

  /** @param path of its socket, which QEMU makes as it starts. */
  static async connect(path: string): Promise<Qmp> {
    for (const deadline = performance.now() + CONNECT_MS; ; await sleep(50)) {
      const socket = connect(path);
      try {
        await once(socket, 'connect');
        const qmp = new Qmp(socket);
        await qmp.do('qmp_capabilities');
        return qmp;
      } catch (error) {
        socket.destroy();
        if (performance.now() > deadline) throw error;
      }
    }
  }

  /** @returns what QEMU answers. @throws Error with its own words. */
  async do(command: string, args?: object): Promise<unknown> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}) })}\n`);
    });
    if (answer.error) throw new Error(`${command}: ${answer.error.desc}`);
    return answer.return;
  }

  close(): void {
    this.#socket.destroy();
  }
}
