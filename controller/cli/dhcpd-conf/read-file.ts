import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type NotTaken, notTaken } from './not-taken.ts';
import { parseDhcpdConf, type Statement } from './syntax.ts';

/** Files that include each other go on for ever; no configuration is as deep. */
const DEEPEST = 16;

export interface ConfFile {
  readonly statements: readonly Statement[];
  /** Files that are not there. */
  readonly notTaken: readonly NotTaken[];
}

/**
 * A dhcpd.conf with the files that it includes in their places; a relative name is looked for beside the file that
 * names it.
 * @throws Problem dhcpd_conf_syntax, and what the system says where `file` cannot be read.
 */
export async function readDhcpdConf(file: string): Promise<ConfFile> {
  const missing: NotTaken[] = [];

  async function read(path: string, depth: number): Promise<readonly Statement[]> {
    return expand(parseDhcpdConf(await readFile(path, 'latin1'), path), path, depth);
  }

  async function expand(
    statements: readonly Statement[],
    path: string,
    depth: number,
  ): Promise<readonly Statement[]> {
    const expanded: Statement[] = [];
    for (const statement of statements) {
      const { tokens, block } = statement;
      const included = tokens[0]?.text.toLowerCase() === 'include' && !block ? tokens[1]?.text : undefined;
      if (included === undefined)
        expanded.push(block ? { ...statement, block: await expand(block, path, depth) } : statement);
      else
        expanded.push(
          ...(await include(
            statement,
            isAbsolute(included) ? included : join(dirname(path), included),
            depth + 1,
          )),
        );
    }
    return expanded;
  }

  async function include(statement: Statement, path: string, depth: number): Promise<readonly Statement[]> {
    if (depth > DEEPEST) {
      missing.push(notTaken(statement, `files include each other more than ${DEEPEST} deep`));
      return [];
    }
    try {
      return await read(path, depth);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      missing.push(notTaken(statement, `${path} cannot be read: ${error.message}`));
      return [];
    }
  }

  return { statements: await read(file, 0), notTaken: missing };
}
