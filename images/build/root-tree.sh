#!/bin/sh
# What the builder does with the tree of a root, outside of it. Runs in a mount and a PID namespace of its own.
set -eu
export LC_ALL=C

# copy FROM TO: TO is as FROM, shares no byte that could be written with it, and keeps all times.
copy() {
  cp --archive --reflink=auto -- "$1" "$2"
}

# settle ROOT SECONDS SINCE: what was written from SINCE on gets the time SECONDS, both since 1970.
# What packages unpacked has the time that the package says, and keeps it.
settle() {
  find "$1" -xdev -newermt "@$3" -exec touch --no-dereference --date="@$2" -- {} +
}

# newest ROOT SINCE FILE: writes the time of the newest file of a package: of those older than SINCE, without what apt
# downloaded, which has the time that a server said.
newest() {
  find "$1" -xdev -path "$1/var/lib/apt" -prune -o -type f ! -newermt "@$2" -printf '%T@\n' |
    sort -n | tail -n 1 > "$3"
}

# changed ROOT MARK FILE: the paths, ended by NUL, that were made or changed since MARK was written; below
# a changed folder all names in it, since a removal changes nothing else.
changed() {
  ( cd "$1"
    find . -xdev -mindepth 1 -cnewer "$2" -printf '%P\0'
    find . -xdev -type d -cnewer "$2" -exec find {} -maxdepth 1 -mindepth 1 -printf '%P\0' \;
  ) | sed -z 's|^\./||' | sort -zu > "$3"
}

# digest ROOT LIST FILE: hash of all that the paths of LIST are, but for their times.
digest() {
  tar --create --directory="$1" --no-recursion --null --verbatim-files-from --files-from="$2" \
    --xattrs --xattrs-include='*' --numeric-owner --mtime=@0 --format=posix \
    --pax-option='exthdr.name=%d/%f,delete=atime,delete=ctime' | sha256sum | cut -c1-64 > "$3"
}

# size ROOT FILE: writes how many bytes its files take on a disk of blocks of 4 KiB.
size() {
  find "$1" -xdev -printf '%s\n' | awk '{ sum += int(($1 + 4095) / 4096) * 4096 } END { printf "%d", sum }' > "$2"
}

# prune ROOT PATTERN...: removes what the patterns of the shell, relative to ROOT, name.
prune() {
  cd "$1"
  shift
  for pattern in "$@"; do
    # Unquoted, so that it is expanded.
    rm -rf -- $pattern
  done
}

# enter ROOT COMMAND...: runs it in the root, with what a chroot needs and no daemon started.
enter() {
  root=$1
  shift
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755,size=1M dev "$root/dev"
  for node in null zero full random urandom tty; do
    : > "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666,gid=5,mode=620 devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  policy=$root/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod 755 "$policy"; fi
  status=0
  chroot "$root" "$@" || status=$?
  if [ -n "$policy" ]; then rm -f "$policy"; fi
  return "$status"
}

"$@"
