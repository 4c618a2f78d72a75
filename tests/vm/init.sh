#!/bin/busybox sh
# The machine's first program, from its ramdisk: makes this host's own files the machine's root, read-only under a
# layer in memory, and goes on with guest.sh, whose folder the kernel's command line names.
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
for word in $($b cat /proc/cmdline); do
    case $word in framefx.*) eval "${word#framefx.}" ;; esac
done
for module in /boot/*.ko; do
    [ ! -e "$module" ] || $b insmod "$module"
done
if [ "$kind" = uml ]; then
    $b mount -t hostfs -o ro,/ none /host
else
    tries=0
    until $b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose,noatime host /host; do
        tries=$((tries + 1))
        [ $tries -lt 50 ] || $b reboot -f
        $b sleep 0.1
    done
fi
$b mount -t tmpfs -o mode=755,size=80% layer /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new
for folder in dev proc sys; do $b mount --move /$folder /new/$folder; done
exec $b switch_root /new /bin/bash "$job/guest.sh" "$job" "$kind"
