#!/bin/bash
# Build the machine that the tests of this folder run in: Debian's kernel with its vivid test camera, and
# v4l2loopback. Nothing of it is installed here: packages are downloaded and unpacked into a cache folder.
#
#   tests/vm/build.sh [--uml] [--newer DIR]
#
#   --uml        also build the kernel as a User Mode Linux program: without KVM it computes at this machine's own
#                speed, where QEMU's emulation is 10 to 40 times slower. 140 MB more to download, minutes to compile.
#   --newer DIR  also build the v4l2loopback whose source is in DIR (0.13 or later tells its writer about readers)
#
# Needs Debian, and root (or sudo) where one of the packages below is missing. Cache: $FRAMEFX_VM_CACHE, or
# framefx/vm in the user's cache folder. Exit 3: the machine cannot be built here; the last line says why.
set -euo pipefail

cache=${FRAMEFX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/framefx/vm}
here=$(dirname "$(readlink -f "$0")")
uml='' newer=''
while [ $# -gt 0 ]; do
    case $1 in
        --uml) uml=1; shift ;;
        --newer) newer=$(readlink -f "$2"); shift 2 ;;
        *) echo "build.sh: unknown option $1" >&2; exit 2 ;;
    esac
done

cannot() { echo "cannot build the machine: $*" >&2; exit 3; }
step() { echo "build.sh: $*" >&2; }
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

[ "$(uname -sm)" = 'Linux x86_64' ] || cannot "it is made for Linux on x86-64"
command -v apt-get >/dev/null && command -v dpkg >/dev/null || cannot "it is made of Debian packages, and apt-get is not here"

depends() { apt-cache depends "$1" 2>/dev/null | sed -n "s/.*Depends: <\?\($2\)>\?.*/\1/p" | head -1; }

image=$(depends linux-image-amd64 'linux-image-[0-9][^ >]*')
if [ -z "$image" ]; then
    root apt-get update -qq >&2 || true
    image=$(depends linux-image-amd64 'linux-image-[0-9][^ >]*')
fi
[ -n "$image" ] || cannot "apt knows no linux-image-amd64 (is this Debian?)"
release=${image#linux-image-}
headers=linux-headers-$release
compiler=$(depends "$headers" 'linux-compiler-gcc-[0-9]*-x86')
compiler=gcc-$(sed 's/linux-compiler-gcc-//; s/-x86//' <<<"${compiler:-linux-compiler-gcc-12-x86}")

install_missing() {
    local missing=() pair
    for pair in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio depmod:kmod make:make \
        v4l2-ctl:v4l-utils ffmpeg:ffmpeg "$compiler:$compiler" ${uml:+flex:flex bison:bison bc:bc}; do
        PATH=$PATH:/sbin:/usr/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ -x /bin/busybox ] || missing+=(busybox-static)
    [ ${#missing[@]} -gt 0 ] || return 0
    step "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive root apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
        { root apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive root apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2; } ||
        cannot "apt-get cannot install ${missing[*]}"
}

mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# unpack PACKAGE...: download packages and unpack them into $tree
unpack() {
    local package
    mkdir -p "$work/packages" "$tree"
    (cd "$work/packages" && apt-get download -qq "$@" >&2 2>/dev/null) || cannot "apt-get cannot download $*"
    for package in "$work"/packages/*.deb; do dpkg -x "$package" "$tree"; rm "$package"; done
}

# loopback KERNEL_TREE SOURCE TARGET [ARCH]: build v4l2loopback's module
loopback() {
    local source
    source=$(mktemp -d "$work/loopback.XXXX")
    cp -r "$2"/. "$source"
    nice make -C "$1" M="$source" ${4:+ARCH=$4} CC="$compiler" modules >"$work/log" 2>&1 ||
        { tail -20 "$work/log" >&2; cannot "v4l2loopback does not compile"; }
    mkdir -p "$(dirname "$3")"
    strip --strip-debug "$source/v4l2loopback.ko" -o "$3"
}

# ramdisk TARGET MODULE...: a first root file system that mounts this machine's own, read-only, under a layer in memory
ramdisk() {
    local target=$1 root number=100 module
    shift
    root=$(mktemp -d "$work/root.XXXX")
    mkdir -p "$root"/{bin,boot,dev,proc,sys,host,layer,new}
    cp /bin/busybox "$root/bin/"
    for module in "$@"; do number=$((number + 1)); cp "$module" "$root/boot/$number-$(basename "$module")"; done
    cp "$here/init.sh" "$root/init"
    chmod +x "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$target"
}

build_qemu() {
    local common kbuild out=$work/qemu modules names path
    step "downloading $image and its headers"
    common=$(depends "$headers" 'linux-headers-[^ >]*-common')
    kbuild=$(depends "$headers" 'linux-kbuild-[0-9.]*')
    unpack "$image" "$headers" "$common" "$kbuild" v4l2loopback-dkms
    # The headers' Makefile names where they would be installed.
    sed -i "s#include /usr/src/#include $tree/usr/src/#" "$tree/usr/src/$headers/Makefile"
    modules=$tree/lib/modules/$release
    step "compiling v4l2loopback"
    loopback "$tree/usr/src/$headers" "$(echo "$tree"/usr/src/v4l2loopback-*)" "$modules/updates/v4l2loopback.ko"
    PATH=$PATH:/sbin:/usr/sbin
    depmod -b "$tree" "$release"
    names() { local name; for name in "$@"; do modprobe -d "$tree" -S "$release" --show-depends "$name"; done |
        sed -n "s#^insmod .*/lib/modules/$release/\([^ ]*\).*#\1#p" | awk '!seen[$0]++'; }
    mkdir -p "$out/lib/modules/$release"
    names virtio_pci 9pnet_virtio 9p overlay videodev vivid v4l2loopback uvcvideo >"$work/list"
    (cd "$modules" && cpio -pdm --quiet "$out/lib/modules/$release" <"$work/list")
    cp "$modules"/modules.builtin* "$modules/modules.order" "$out/lib/modules/$release/"
    depmod -b "$out" "$release"
    if [ -n "$newer" ]; then loopback "$tree/usr/src/$headers" "$newer" "$out/newer/v4l2loopback.ko"; fi
    cp "$tree/boot/vmlinuz-$release" "$out/kernel"
    ramdisk "$out/ramdisk" $(names virtio_pci 9pnet_virtio 9p overlay | sed "s#^#$modules/#")
    rm -rf "$cache/qemu"
    mv "$out" "$cache/qemu"
}

build_uml() {
    local source kernel out=$work/uml version
    version=$(cut -d. -f1,2 <<<"$release")
    step "downloading the kernel's source and compiling it: minutes"
    unpack "linux-source-$version" v4l2loopback-dkms
    tar xf "$tree"/usr/src/linux-source-*.tar.xz -C "$work"
    source=$(echo "$work"/linux-source-*)
    (
        cd "$source"
        export ARCH=um
        # What it holds of a processor's registers: 2,696 bytes, and where there are AMX's tiles (11,008) it panics.
        sed -i 's/\(HOST_FP_SIZE\), 2696/\1, 12288/' arch/x86/um/user-offsets.c
        make -s defconfig
        scripts/kconfig/merge_config.sh -m .config "$here/uml.config"
        make -s olddefconfig
        nice make -s -j"$(nproc)" CC="$compiler" linux modules
    ) >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; cannot "User Mode Linux does not compile"; }
    kernel=$(cat "$source/include/config/kernel.release")
    mkdir -p "$out/lib/modules/$kernel/kernel"
    (cd "$source" && find drivers lib -name '*.ko' | cpio -pdm --quiet "$out/lib/modules/$kernel/kernel")
    loopback "$source" "$(echo "$tree"/usr/src/v4l2loopback-*)" "$out/lib/modules/$kernel/v4l2loopback.ko" um
    cp "$source"/modules.builtin* "$source/modules.order" "$out/lib/modules/$kernel/"
    find "$out" -name '*.ko' -exec strip --strip-debug {} +
    PATH=$PATH:/sbin:/usr/sbin depmod -b "$out" "$kernel"
    if [ -n "$newer" ]; then loopback "$source" "$newer" "$out/newer/v4l2loopback.ko" um; fi
    cp "$source/linux" "$out/kernel"
    ramdisk "$out/ramdisk"
    rm -rf "$cache/uml"
    mv "$out" "$cache/uml"
}

install_missing
build_qemu
if [ -n "$uml" ]; then build_uml; fi
step "ready: $cache ($(du -sh "$cache" | cut -f1))"
