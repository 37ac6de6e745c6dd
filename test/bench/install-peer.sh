#!/bin/sh
# What an installation takes without an agent: the first process in the mini image in the place of its own. It tells
# each step on the console with the seconds since the kernel started: `PEER STEP SECONDS`.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
exec </dev/console >/dev/console 2>&1
began() { echo "PEER $1 $(cut -d' ' -f1 /proc/uptime)"; }
trap 'began failed; sleep 5; reboot -f' EXIT
given() { tr ' ' '\n' </proc/cmdline | sed -n "s/^peer\.$1=//p"; }

echo /usr/bin/modprobe >/proc/sys/kernel/modprobe
modprobe af_packet
# Devices behind others show up once those have their drivers.
for _ in 1 2 3; do
  find /sys/devices -name modalias -exec cat {} + | sort -u | tr '\n' '\0' | xargs -0 -r modprobe -q -b -a
done
for name in loop squashfs ext4; do modprobe -q "$name"; done
set -e
ip link set eth0 up
udhcpc -i eth0 -s /usr/lib/bootswarm/udhcpc-script -q -n -t 10

began partition
wipefs --all --force /dev/vda
sfdisk --wipe always --wipe-partitions always --no-reread /dev/vda <<'END'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
END
blockdev --rereadpt /dev/vda
mkfs.ext4 -q -F /dev/vda2
began mount
mkdir -p /mnt/target /run/hold
mount /dev/vda2 /mnt/target
began fetch
mount -t tmpfs -o size=90% tmpfs /run/hold
wget -q -O /run/hold/root "$(given url)"
began verify
echo "$(given sha256)  /run/hold/root" | sha256sum -c
began unpack
unsquashfs -force -no-progress -dest /mnt/target /run/hold/root >/dev/null
rm /run/hold/root
umount /run/hold
began boot-loader
sync
grub-install --target=i386-pc --boot-directory=/mnt/target/boot --no-floppy --recheck /dev/vda
began unmount
sync
umount /mnt/target
sync
began end
trap - EXIT
sleep 1
reboot -f
