import { defineProblems } from '@bootswarm/images/format';

/** Why a peer was let go, or a swarm could not go on. None of them crosses HTTP: the status is for the logs' sake. */
export const peerProblem = defineProblems({
  not_bittorrent: {
    status: 400,
    message: 'what came from the peer is no BitTorrent handshake',
    remedy: 'see what else speaks to the swarm port; the connection was closed',
  },
  unknown_swarm: {
    status: 404,
    message: 'the peer asks for {infohash}, which is not shared here',
    remedy: 'nothing, where a machine is behind; otherwise see who announces it',
  },
  message_too_long: {
    status: 413,
    message: 'the peer declared a message {id} of {bytes} bytes, which is more than it may have',
    remedy: 'see what program the peer runs; nothing of the message was kept, and the connection was closed',
  },
  message_malformed: {
    status: 400,
    message: 'the peer sent a malformed message: {reason}',
    remedy: 'see what program the peer runs; the connection was closed',
  },
  message_unasked: {
    status: 400,
    message: 'the peer sent what nobody asked for: {reason}',
    remedy: 'see what program the peer runs; the connection was closed',
  },
  too_much_noise: {
    status: 429,
    message: 'the peer sends messages that lead to nothing, faster than anyone should',
    remedy: 'see what program the peer runs; the connection was closed',
  },
  peer_silent: {
    status: 408,
    message: 'the peer was silent for {seconds} s ({state})',
    remedy: 'nothing: it is tried again when it announces itself',
  },
  peer_banned: {
    status: 403,
    message: '{address} gave wrong pieces and is banned from this swarm',
    remedy: 'inspect that machine: its memory or disk spoils bytes, or someone tampers with it',
  },
  peer_refused: {
    status: 403,
    message: '{address} is not let in: {reason}',
    remedy: 'nothing, unless it should be: then see the segment that it belongs to',
  },
  swarm_left: {
    status: 410,
    message: 'the swarm of {name} was left before all of it had come',
    remedy: 'join it again: what is there is kept',
  },
  swarm_joined: {
    status: 409,
    message: 'the swarm of {name} is already joined by this node',
    remedy: 'use the swarm that is there, or leave it first',
  },
  piece_unreadable: {
    status: 500,
    message: 'piece {index} of {name} could not be read back as it was written',
    remedy: 'look at the disk that holds it; peers get the piece from elsewhere',
  },
});
