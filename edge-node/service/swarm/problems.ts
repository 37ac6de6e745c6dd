import { defineProblems } from '@bootswarm/images/format';

/** Why the tracker refuses an announce, or the edge gives no torrent. */
export const problem = defineProblems({
  announce_unreadable: {
    status: 400,
    message: 'the announce is none: {reason}',
    remedy: 'Announce as BEP 3 says.',
  },
  announce_from_outside: {
    status: 403,
    message: 'no segment of this edge has the address {address}',
    remedy: 'Fetch by HTTP, or ask the edge of your own segment.',
  },
  swarm_unknown: {
    status: 404,
    message: 'no release here has the infohash {infohash}',
    remedy: 'Take the torrent from this edge: /torrents/SHA256.torrent.',
  },
  torrent_unknown: {
    status: 404,
    message: 'no release here has a swarm for {sha256}',
    remedy: 'Name an artefact whose manifest tells its infohash; others are fetched by HTTP alone.',
  },
  torrent_not_ready: {
    status: 503,
    message: '{reason}',
    remedy: 'Ask again in {retrySeconds} s.',
  },
  torrent_other_infohash: {
    status: 409,
    message: 'the manifest tells the infohash {told}, and the bytes have {found}',
    remedy:
      'Build the release anew: who made its manifest hashed something else. Machines fetch it all the same.',
  },
});
