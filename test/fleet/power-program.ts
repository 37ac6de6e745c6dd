import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../boot/index.ts';

/**
 * Puts a program that switches the machines of a socket into the folder of a controller's power commands.
 * @param name of the program there.
 */
export function installPowerCommand(folder: string, name: string, socket: string): void {
  const argv = program('test/fleet/power.ts', socket);
  const words = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  writeFileSync(join(folder, name), `#!/bin/sh\nexec ${words}\n`, { mode: 0o755 });
}
