/** What goes wrong with releases, uploads, channels and who signs them; a part of the catalogue. */
export const CATALOGUE_ERRORS = {
  artefact_unknown: {
    status: 404,
    message: 'no artefact with SHA-256 {sha256} has arrived in full',
    remedy: "Publish the release that it belongs to: 'bootswarm image publish FOLDER'.",
  },
  release_immutable: {
    status: 409,
    message: 'release {release} is published already, with other contents',
    remedy: 'A release never changes: give the new build another version.',
  },
  release_artefact_missing: {
    status: 409,
    message: "artefact '{name}' ({sha256}) has not arrived",
    remedy: "Publish with 'bootswarm image publish FOLDER', which uploads what is missing.",
  },
  release_artefact_differs: {
    status: 422,
    message: "artefact '{name}' is not what the manifest says: its {what} differs",
    remedy: 'Build or import the image again: the manifest and the files do not belong together.',
  },
  release_in_use: {
    status: 409,
    message: 'release {release} is needed: {uses}',
    remedy:
      "Let those name another release first. 'bootswarm image show {release}' tells what names it, and 'image unpin' takes a pin away.",
  },
  release_removed: {
    status: 409,
    message: 'release {release} was removed on {removedAt}, and had other contents',
    remedy: 'What a version is never changes, even once it is gone: give this build another version.',
  },
  trust_missing: {
    status: 409,
    message: 'nobody has said yet whose signatures edges and machines are to believe',
    remedy: "Run 'bootswarm trust init' once: it makes the keys and signs what is published already.",
  },
  trust_file_unknown: {
    status: 404,
    message: 'there is no signed metadata {file} here',
    remedy:
      "Ask for timestamp.json, or for the versions that it and the root name; 'bootswarm trust show' tells them.",
  },
  trust_online_keys: {
    status: 422,
    message: "the root does not name the controller's own {role} key",
    remedy: "Make the root with 'bootswarm trust', which asks the controller for it.",
  },
  trust_change_unexpected: {
    status: 422,
    message: 'the targets metadata also changes {path}, which this call is not about',
    remedy: 'Take the metadata again, change what is meant alone, and repeat the command.',
  },
  trust_target_missing: {
    status: 422,
    message: 'the targets metadata does not vouch for {path} as it is here',
    remedy: "Publish with 'bootswarm image publish', which signs the manifest that it sends.",
  },
  channel_unknown: {
    status: 422,
    message: 'there is no channel {channel}',
    remedy: "Make it by promoting a release to it: 'bootswarm channel promote RELEASE CHANNEL'.",
  },
  channel_malformed: {
    status: 422,
    message: '{path} of the targets metadata is no pointer of that channel',
    remedy: "Move channels with 'bootswarm channel'.",
  },
  channel_release_unknown: {
    status: 422,
    message: 'channel {channel} would point to {release}, which is not published',
    remedy: "Publish it first, or choose one of 'bootswarm image list'.",
  },
  channel_pinned: {
    status: 409,
    message: 'channel {channel} is pinned to version {version}',
    remedy: "Let it move again first: 'bootswarm channel unpin NAME CHANNEL'.",
  },
  channel_in_use: {
    status: 409,
    message: 'channel {channel} is named by {user}',
    remedy: 'Give that another release or channel first.',
  },
  mini_not_mini: {
    status: 422,
    message: 'release {release} is no mini image: it boots as {bootStyle}',
    remedy: "Build one with 'bootswarm mini build' and publish it.",
  },
  machine_release_unknown: {
    status: 422,
    message: 'there is no published release {release}',
    remedy: "Publish it first, or choose one of 'bootswarm image list'.",
  },
  release_not_bootable: {
    status: 422,
    message: 'release {release} is a disk image: nothing boots it over the network',
    remedy:
      "Install it: name it in a profile of kind image ('bootswarm profile apply FILE'), then 'bootswarm machine boot MACHINE install PROFILE'.",
  },
  upload_offset: {
    status: 409,
    message: 'the upload stands at byte {received}, not at {offset}',
    remedy: 'Ask for the upload and go on at what it says.',
  },
  upload_busy: {
    status: 409,
    message: 'another client is sending this artefact now',
    remedy: 'Wait for it, then publish again: what it sent need not be sent twice.',
  },
  upload_wrong_hash: {
    status: 422,
    message: 'what arrived has SHA-256 {actual}, not {sha256}; it was discarded',
    remedy: "The file changed or was damaged on its way: publish again, and check it with 'sha256sum'.",
  },
  upload_too_long: {
    status: 422,
    message: 'more bytes came than the {length} that were announced; they were discarded',
    remedy: 'The file grew while it was sent: build it again and publish the new one.',
  },
} as const;
