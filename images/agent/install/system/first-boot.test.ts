import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { FIRST_BOOT_PROGRAMS, firstBootChanges } from './first-boot.ts';

/** The distribution's own, and no shims of a person's. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const SHELL_TOOLS = ['sh', 'sed', 'tail', 'sleep'];

describe('the script of an installed system tells the edge that it is up', () => {
  let server: Server;
  let folder: string;
  let url = '';
  let answers: number[] = [];
  let asked = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-first-boot-'));
    server = createServer((_, response) => {
      response.writeHead(answers[asked] ?? 200).end();
      asked += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/first-boot/m-1.2.abc?x=y`;
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  /** Runs the script, but for its last line, where nothing but one of the programs is to be had. */
  async function run(program: string): Promise<void> {
    const [change] = firstBootChanges(url);
    assert.ok(change?.kind === 'file');
    const script = change.content.slice(0, change.content.indexOf('\nrm -f '));
    const bin = join(folder, program);
    const link = `mkdir -p "$0"; for name in "$@"; do ln -sf "$(command -v "$name")" "$0/$name"; done`;
    await promisify(execFile)('sh', ['-ec', link, bin, program, ...SHELL_TOOLS], { env });
    await promisify(execFile)(join(bin, 'sh'), ['-c', script], { env: { PATH: bin }, timeout: 30_000 });
  }

  for (const program of FIRST_BOOT_PROGRAMS) {
    const has = promisify(execFile)('sh', ['-c', `command -v ${program}`], { env }).then(
      () => true,
      () => false,
    );
    test(`by ${program}: again where it fails, and no more once it was heard or is not awaited`, async (t) => {
      if (!(await has)) return t.skip(`this host has no ${program}`);
      for (const statuses of [[200], [500, 404, 200], [410]]) {
        [answers, asked] = [statuses, 0];
        await run(program);
        assert.equal(asked, statuses.length, `${statuses}`);
      }
    });
  }
});
