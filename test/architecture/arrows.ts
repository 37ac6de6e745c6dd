import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { FRONT_DOORS, ROOMS, type Room } from './rooms.ts';

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
/** What a pure room must not touch. */
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\bprocess\.|\bfetch\(|\bsetTimeout\(/;

/** Every arrow in the tree below `top` that the rooms do not allow, as `file: why`. */
export function findViolations(top: string): readonly string[] {
  const files = globSync('{controller,edge-node,images,ipxe,test,deploy}/**/*.ts', {
    cwd: top,
    exclude: (path) => path === 'node_modules' || path === 'planted',
  });
  return files.toSorted().flatMap((file) => violationsOf(file, readFileSync(join(top, file), 'utf8')));
}

function violationsOf(file: string, text: string): readonly string[] {
  const roomName = roomOf(file);
  const room = roomName === undefined ? undefined : ROOMS[roomName];
  if (roomName === undefined || room === undefined) return [`${file}: lies in no room of rooms.ts`];
  // Fixtures and tests of a pure room read files.
  const isTest = /\.test\.ts$|\/testing\//.test(file);
  const imports = Array.from(text.matchAll(IMPORT), (match) => match[1] ?? match[2] ?? '');
  const bad = imports.map((specifier) => objectionTo(specifier, file, roomName, room, isTest));
  if (room.pure && !isTest && IMPURE.test(withoutComments(text)))
    bad.push('is in a pure room and uses a clock, chance, a process or the network');
  return bad.flatMap((why) => (why === undefined ? [] : [`${file}: ${why}`]));
}

function objectionTo(
  specifier: string,
  file: string,
  roomName: string,
  room: Room,
  isTest: boolean,
): string | undefined {
  if (specifier.startsWith('node:'))
    return room.pure && !isTest ? `is in a pure room and imports ${specifier}` : undefined;
  const target = targetOf(specifier, file);
  if (target === undefined)
    return specifier.startsWith('@bootswarm/') ? `imports ${specifier}, which is no front door` : undefined;
  if (!isTest && target.includes('/testing/')) return `ships ${target}, which is for tests`;
  const targetRoom = roomOf(target);
  if (targetRoom === roomName || targetRoom?.startsWith(`${roomName}/`)) return undefined;
  if (targetRoom === undefined || !room.uses.includes(targetRoom))
    return `imports ${target}, and ${roomName} may not use ${targetRoom ?? 'what is in no room'}`;
  const doors = [`${targetRoom}/index.ts`, ...(ROOMS[targetRoom]?.doors ?? [])];
  return doors.includes(target) ? undefined : `reaches past the front door into ${target}`;
}

/** The file that a specifier means, or undefined for a package from elsewhere. */
function targetOf(specifier: string, file: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : FRONT_DOORS[specifier];
}

/** The innermost room around a file. */
function roomOf(file: string): string | undefined {
  const around = Object.keys(ROOMS).filter((name) => file.startsWith(`${name}/`));
  return around.toSorted((a, b) => b.length - a.length)[0];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
