import { createHash } from 'node:crypto';
import { type Client, endpoints } from '@bootswarm/controller/contract';
import {
  type Artefact,
  type ContentsDiff,
  type ContentsLine,
  ContentsUnreadable,
  diffContents,
  findArtefact,
  type Manifest,
  readContents,
  releaseId,
} from '@bootswarm/images/format';
import type { Command } from 'commander';
import { fetchSize } from './image-delta.ts';
import { type ArtefactChange, diffText } from './image-diff-text.ts';
import { problem } from './problems.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';

/** Files to name of each kind, unless all are asked for. */
const MOST_FILES = 10;

export function addDiff(image: Command): void {
  image
    .command('diff')
    .summary('what changed from one release to another')
    .description(
      'Compares two releases by what the controller knows of them: their packages, files and sizes. No root is downloaded.',
    )
    .argument('<older>', 'NAME/VERSION/ARCHITECTURE')
    .argument('<newer>', 'NAME/VERSION/ARCHITECTURE')
    .option('--files', `name every file, not only the ${MOST_FILES} largest of each kind`)
    .action((older: string, newer: string, options: { readonly files?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const controller = client();
        const manifestOf = async (text: string): Promise<Manifest> =>
          (await controller.call(endpoints.showRelease, { params: parseRelease(text) }, { signal })).manifest;
        const [before, after] = [await manifestOf(older), await manifestOf(newer)];
        const most = options.files ? Number.POSITIVE_INFINITY : MOST_FILES;
        const diff = {
          older: releaseId(before),
          newer: releaseId(after),
          artefacts: artefactChanges(before, after),
          edge: await fetchSize(controller, before, after, signal),
          contents: await contentsDiff(controller, before, after, most, signal),
        };
        output.result(diff, diffText);
      }),
    );
}

function artefactChanges(before: Manifest, after: Manifest): ArtefactChange[] {
  const roles = new Set([...before.artefacts, ...after.artefacts].map(({ role }) => role));
  return Array.from(roles, (role) => {
    const [from, to] = [findArtefact(before, role), findArtefact(after, role)];
    return {
      role,
      ...(from && { fromBytes: from.length }),
      ...(to && { toBytes: to.length }),
      same: from?.sha256 === to?.sha256,
    };
  });
}

/** undefined where one of the two has no list of what is in it. */
async function contentsDiff(
  controller: Client,
  before: Manifest,
  after: Manifest,
  most: number,
  signal: AbortSignal,
): Promise<ContentsDiff | undefined> {
  const [from, to] = [findArtefact(before, 'contents'), findArtefact(after, 'contents')];
  if (!from || !to) return undefined;
  // Ends the download of one where the other fails.
  const done = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  try {
    return await diffContents(
      contentsOf(controller, before, from, both),
      contentsOf(controller, after, to, both),
      most,
    );
  } finally {
    done.abort();
  }
}

async function* contentsOf(
  controller: Client,
  manifest: Manifest,
  artefact: Artefact,
  signal: AbortSignal,
): AsyncGenerator<ContentsLine> {
  const params = { sha256: artefact.sha256 };
  const response = await controller.fetch(endpoints.fetchArtefact, { params }, { signal });
  try {
    yield* readContents(verified(response, artefact));
  } catch (error) {
    if (!(error instanceof ContentsUnreadable)) throw error;
    throw problem('contents_unreadable', {
      facts: { release: releaseId(manifest), reason: error.message },
      cause: error,
    });
  }
}

/** The bytes of an artefact. @throws ContentsUnreadable at their end where they are not what the manifest says. */
async function* verified(
  response: Response,
  { length, sha256 }: Artefact,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > length) break;
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) throw new ContentsUnreadable('its SHA-256 is not that of the manifest');
}
