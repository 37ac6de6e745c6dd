#!/bin/sh
# Runs inside the new root once its packages are installed, from /.bootswarm (see plan.ts).
# Each file in steps/ holds one step as NUL-ended words, so that no shell ever reads a word of a recipe.
set -eu

apply() {
  verb=$1 name=$2 data=$3
  shift 3
  echo "bootswarm: $verb $name" >&2
  case $verb in
    user)
      getent passwd "$name" >/dev/null || useradd --create-home -- "$name"
      usermod --shell "$1" -- "$name"
      if [ -n "$2" ]; then usermod --append --groups "$2" -- "$name"; fi
      # By stdin, because the arguments of a program are public on the build host.
      (printf %s: "$name"; cat "$data/passwordHash") | chpasswd --encrypted
      if [ -s "$data/sshKeys" ]; then
        home=$(getent passwd "$name" | cut -d: -f6)
        group=$(id -gn "$name")
        install -d -m 0700 -o "$name" -g "$group" "$home/.ssh"
        install -m 0600 -o "$name" -g "$group" "$data/sshKeys" "$home/.ssh/authorized_keys"
      fi
      ;;
    file)
      # Else install(1) would put the file into a directory of that name.
      if [ -d "$name" ] && [ ! -L "$name" ]; then echo "$name is a directory" >&2; exit 1; fi
      # Else it would write through a symbolic link, such as that of a masked unit to /dev/null.
      rm -f -- "$name"
      install -D -m "$1" -o "$2" -g "$3" -- "$data/content" "$name"
      ;;
    service)
      # systemctl takes it for a mistake to disable what is not there; a recipe may well mean to be sure.
      state=$(systemctl is-enabled -- "$name" 2>/dev/null || true)
      case $1:$state in disable: | disable:not-found) return ;; esac
      systemctl "$1" -- "$name"
      ;;
    hook)
      cd /
      /bin/sh -eu "$data/script"
      ;;
  esac
}

# One image serves many machines: nothing in it may identify one.
forget_identity() {
  rm -f /etc/ssh/ssh_host_*
  # open-iscsi makes up a name when it starts and finds this.
  if grep -qs '^InitiatorName=' /etc/iscsi/initiatorname.iscsi; then
    echo 'GenerateName=yes' > /etc/iscsi/initiatorname.iscsi
  fi
  if [ -x /usr/sbin/sshd ]; then
    mkdir -p /etc/systemd/system/ssh.service.d
    cat > /etc/systemd/system/ssh.service.d/host-keys.conf <<'EOF'
# The image holds no host keys: each machine makes its own at boot, before sshd checks that it has some.
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
EOF
  fi
}

# Last, so that files and hooks of the recipe can configure the initramfs.
make_initramfs() {
  rm -f /boot/initrd.img-*
  for kernel in /boot/vmlinuz-*; do
    version=${kernel#/boot/vmlinuz-}
    echo "bootswarm: initramfs $version" >&2
    env -u INITRD update-initramfs -c -k "$version" >&2
  done
}

if [ $# -gt 0 ]; then
  apply "$@"
  exit
fi

if [ "$BOOTSWARM_PHASE" = initramfs ]; then
  make_initramfs
  # Its hash is of no use to a machine that never had that file, and only some builds make one.
  rm -rf /var/lib/initramfs-tools/*
  exit
fi

here=/.bootswarm
for step in "$here"/steps/*; do
  if [ -f "$step" ]; then xargs --null --exit --arg-file="$step" /bin/sh -eu "$here/configure.sh" >&2; fi
done
# Hooks may need the name servers of the build host; machines get theirs by DHCP.
if cmp -s /etc/resolv.conf "$here/resolv.conf"; then rm /etc/resolv.conf; fi
forget_identity
