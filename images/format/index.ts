/** What a release is, byte by byte: the manifest, piece arithmetic, torrents, digests and signatures. */
export {
  type Announce,
  type AnnounceAnswer,
  type AnnounceEvent,
  AnnounceRefused,
  AnnounceUnreadable,
  announceQuery,
  COMPACT_PEER_BYTES,
  compactPeers,
  decodeAnnounceAnswer,
  encodeAnnounceAnswer,
  encodeAnnounceRefusal,
  type PeerAddress,
  parseAnnounce,
  peerAddresses,
} from './announce.ts';
export {
  type Bencode,
  type BencodeLimits,
  BencodeUnreadable,
  decodeBencode,
  encodeBencode,
} from './bencode.ts';
export { BOOT_ROLES, BOOT_STYLES, type BootRole, BootStyle, isBootRole } from './boot-style.ts';
export { canonicalJson, manifestBytes } from './canonical.ts';
export { type ChannelId, ChannelName, ChannelPointer, channelId, isChannelId } from './channel.ts';
export {
  ChunkIndex,
  ChunkIndexUnreadable,
  type Delta,
  deltaOf,
  isChunkIndex,
  MOST_CHUNK_INDEX_BYTES,
  makeChunkIndex,
} from './chunks.ts';
export {
  type Contents,
  ContentsFile,
  type ContentsLine,
  ContentsPackage,
  ContentsUnreadable,
  MOST_CONTENTS_FILES,
  readContents,
  writeContents,
} from './contents.ts';
export {
  type ContentsDiff,
  diffContents,
  type FileChange,
  type FileChanges,
  type PackageChange,
} from './contents-diff.ts';
export { type Digest, Digester, digestOf, sha256Of, type TorrentDigest, torrentDigestOf } from './digest.ts';
export { isZstdDiskImage, unpackDiskImage } from './disk-image.ts';
export { InstallMedium, MEDIUM_PATHS, mediumId } from './install-medium.ts';
export {
  Architecture,
  Artefact,
  ArtefactRole,
  artefactOf,
  edgeArtefacts,
  findArtefact,
  Infohash,
  isSwarmed,
  KernelArgument,
  Manifest,
  PIECE_BYTES,
  pieceCount,
  pieceRange,
  type ReleaseId,
  ReleaseName,
  ReleaseVersion,
  releaseId,
  Sha256,
} from './manifest.ts';
export { defineProblems, type Facts, Problem, type ProblemBody, type ProblemDetail } from './problem.ts';
export {
  makeSigningKey,
  readSigningKey,
  Signed,
  type SigningKey,
  signText,
  verifySigned,
} from './signature.ts';
export {
  artefactTorrent,
  type TorrentContent,
  type TorrentFile,
  type TorrentSources,
  torrentFile,
} from './torrent.ts';
export { TreeIndex, TreePath } from './tree-index.ts';
