/** Moving and keeping the bytes of artefacts: used by controller, edge and agent. */
export { type ArtefactFile, ArtefactFolder } from './artefact-folder.ts';
export type { ArtefactSource } from './artefact-source.ts';
export { type Fetched, fetchArtefact, isWrongHash } from './fetch-artefact.ts';
export { sendBytes, sendFile } from './send-file.ts';
