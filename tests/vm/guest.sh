#!/bin/bash
# Inside the machine, as its process 1: load the drivers, run the job's command, say how it ended, switch off.
job=$1 kind=$2
. "$job/settings" # modules, loopback, newer, folder
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
exec </dev/null >/dev/console 2>&1
stty -F /dev/console -onlcr -icanon -echo 2>/dev/null
echo "framefx-machine: up"
busybox ifconfig lo up 2>/dev/null
release=$(uname -r)
mkdir -p "/lib/modules/$release"
mount --bind "$modules/lib/modules/$release" "/lib/modules/$release"
modprobe vivid n_devs=1 node_types=0x1 num_inputs=2 input_types=0xC vid_cap_nr=0 || echo "vivid does not load"
modprobe videodev
if [ -n "$newer" ]; then insmod "$modules/newer/v4l2loopback.ko" "${loopback[@]}"
else modprobe v4l2loopback "${loopback[@]}"; fi || echo "v4l2loopback does not load"
. "$job/environment"
cd "$folder" || exit
. "$job/command"
echo "framefx-machine: exit $?"
sync
if [ "$kind" = uml ]; then busybox poweroff -f; else busybox reboot -f; fi
sleep 60
