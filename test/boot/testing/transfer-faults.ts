import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from './install-edge.ts';

/** Remembers from which byte on the root was asked for, and lets another fault see to it. */
export function watched(starts: number[], fault?: Fault): Fault {
  return (artefact, start, response) => {
    if (artefact.role === 'root') starts.push(start);
    return fault?.(artefact, start, response);
  };
}

/** Breaks the first transfer of the root off in its middle, and refuses the next ones. @param folder of the release. */
export function breakingOff(folder: string, refusals: number): Fault {
  let transfers = 0;
  return ({ role, name, length }, start, response) => {
    if (role !== 'root' || transfers > refusals) return undefined;
    transfers += 1;
    if (transfers > 1) response.destroy();
    else {
      response.writeHead(200, { 'content-length': length - start });
      const half = readFileSync(join(folder, name)).subarray(start, length / 2);
      response.write(half, () => setTimeout(() => response.destroy(), 2_000));
    }
    return 'handled';
  };
}

/** Sends one byte of the middle of the root wrong, so often. @param folder of the release. */
export function damaging(folder: string, times: number): Fault {
  let left = times;
  return ({ role, name, length }, start, response) => {
    const at = Math.floor(length / 2);
    if (role !== 'root' || left === 0 || start > at) return undefined;
    left -= 1;
    const bytes = readFileSync(join(folder, name));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': length - start });
    response.end(bytes.subarray(start));
    return 'handled';
  };
}
