import { statSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Holds a data folder for this process alone, until it ends, however it ends: two controllers over one folder
 * would each miss what the other commits and write into the same partial artefacts. The name is a socket in
 * Linux's abstract namespace, which the kernel gives to one process and takes back itself (unix(7)). Processes
 * in other network namespaces are not seen.
 * @returns lets go.
 * @throws EADDRINUSE where another process holds the folder.
 */
export function holdFolder(folder: string): Promise<() => void> {
  const { dev, ino } = statSync(folder);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(`\0bootswarm-controller-${dev}-${ino}`, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}
