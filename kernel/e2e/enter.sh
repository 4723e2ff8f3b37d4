#!/bin/bash
# enter.sh ROOT [FOLDER]... -- COMMAND...  runs COMMAND in ROOT with the kernel's
# file systems and the given folders mounted. It must be started in new mount and process namespaces (unshare). When
# these end, everything is unmounted.
set -euo pipefail
root=$1; shift
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
	mkdir -p "$root$1"
	mount --bind "$1" "$root$1"
	shift
done
shift
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
