import { defineProblems } from '@bootswarm/images/format';

/** Everything that can go wrong between a recipe and a build folder. */
export const problem = defineProblems({
  recipe_unreadable: {
    status: 422,
    message: 'cannot read the recipe {file}: {reason}',
    remedy: 'Name a recipe file that exists and that you may read.',
  },
  recipe_not_yaml: {
    status: 422,
    message: '{list}',
    remedy: 'Correct the YAML there; the position is line:column.',
  },
  recipe_invalid: {
    status: 422,
    message: '{list}',
    remedy: '{remedy}',
  },
  recipe_source_missing: {
    status: 422,
    message: 'the recipe takes {source} from its folder, but {reason}',
    remedy: 'Put the file there, or correct the path.',
  },
  recipe_source_outside: {
    status: 422,
    message: '{source} leads out of the folder of the recipe by a symbolic link',
    remedy: 'Copy the file into the folder of the recipe.',
  },
  mirror_invalid: {
    status: 422,
    message: '{mirror} is not the address of a Debian mirror',
    remedy: 'Give an http or https address, such as the one in your apt sources.',
  },
  mirror_failed: {
    status: 502,
    message: 'apt could not read the package lists of {suite}: {reason}',
    remedy:
      'Check the network, the proxy of apt and that the mirror serves {suite}, or name another with --mirror. Log: {log}',
  },
  mirror_unreachable: {
    status: 502,
    message: 'cannot ask for newer packages of {suite}: {reason}',
    remedy: 'Check the network and the proxy of apt, or name another mirror with --mirror.',
  },
  lock_invalid: {
    status: 422,
    message: '{file} is no lock of packages for this recipe: {reason}',
    remedy: 'Name the packages.lock of a build folder of this recipe, or build without --locked.',
  },
  lock_unmet: {
    status: 422,
    message: 'the archive no longer gives what the lock says:\n{list}',
    remedy:
      'Build from a mirror that keeps old versions, such as one of snapshot.debian.org with --mirror, or without --locked to take what there is.',
  },
  package_missing: {
    status: 422,
    message: 'there is no package {package} in {suite} for {architecture}',
    remedy: 'Correct its name, or add the component that holds it to `components` of the recipe.',
  },
  tool_missing: {
    status: 500,
    message: 'the program {tool} is not on this host',
    remedy: 'Install it: apt install {package}',
  },
  not_root: {
    status: 500,
    message: 'building an image needs root: it makes device nodes, mounts and a chroot',
    remedy: 'Run the command as root, for example with sudo.',
  },
  medium_architecture: {
    status: 422,
    message: 'bootable media are made for amd64, and this recipe is for {architecture}',
    remedy: 'Build without --iso and --disk: machines of {architecture} boot over the network.',
  },
  medium_release_another: {
    status: 422,
    message: 'the install profile is for {wanted}, and the medium holds {release}',
    remedy: 'Leave `release` out of the profile, or name this one there.',
  },
  medium_mini_unfit: {
    status: 422,
    message: '{folder} holds {found}, and what installs from a medium is a mini image for {architecture}',
    remedy: "Name a folder that 'bootswarm mini build' made, or none: then one is made.",
  },
  architecture_foreign: {
    status: 500,
    message: 'this host cannot run programs of {architecture}: {reason}',
    remedy:
      'Build on a host of that architecture, or apt install qemu-user-static binfmt-support arch-test, which teaches the kernel to.',
  },
  disk_full: {
    status: 500,
    message: 'the disk of {folder} is full',
    remedy: 'Free some space there (a small image needs about 1 GB while it builds) and build again.',
  },
  step_failed: {
    status: 422,
    message: '{step} failed in the new root:\n{tail}',
    remedy: 'Correct that part of the recipe. The full log: {log}',
  },
  kernel_unclear: {
    status: 422,
    message: 'the new root holds {found} in /boot where one kernel and its initramfs were expected',
    remedy: 'Let the recipe install exactly one kernel, by `kernel`.',
  },
  build_failed: {
    status: 500,
    message: '{tool} failed:\n{tail}',
    remedy: 'Read the full log: {log}',
  },
  build_stopped: {
    status: 409,
    message: 'the build was stopped; nothing of it is left',
    remedy: 'Start it again when you like.',
  },
  out_exists: {
    status: 409,
    message: '{folder} exists already',
    remedy: 'Choose another folder, or ask to replace this one.',
  },
  manifest_unreadable: {
    status: 422,
    message: 'there is no readable manifest.json in {folder}: {reason}',
    remedy: 'Name a folder made by `image build` or `image import`.',
  },
  manifest_invalid: {
    status: 422,
    message: 'manifest.json in {folder} is not a manifest: {reason}',
    remedy: 'Build or import the image again.',
  },
  artefact_missing: {
    status: 422,
    message: '{file} is named by the manifest but cannot be read: {reason}',
    remedy: 'Build or import the image again.',
  },
  artefact_wrong_length: {
    status: 422,
    message: '{file} has {found} bytes where the manifest says {expected}',
    remedy: 'The copy is incomplete or not of this release: copy it again, or build the image again.',
  },
  artefact_wrong_hash: {
    status: 422,
    message:
      '{file} is not what the manifest describes: piece {piece} of {pieces} (from byte {offset}) differs',
    remedy: 'The file was damaged or changed: copy it again, or build the image again.',
  },
  root_contents_unreadable: {
    status: 422,
    message: 'the contents of the root cannot be told: {reason}',
    remedy: 'Build or import the image again; if it happens again, the root is damaged.',
  },
});
