#!/bin/bash
# Runs a command as root under a Linux kernel that has WireGuard, VRF, dummy, veth, tun, nftables and
# network namespaces, on a machine whose own kernel may lack some of them.
#
#   kernel-lab.sh [options] [--] COMMAND [ARG...]    its output is printed, its exit status returned
#   kernel-lab.sh setup                              only fetch and unpack the kernel
#   kernel-lab.sh packages                           print the Debian packages that are missing here
#
#   --backend B    auto (default), native or qemu; auto is native where this kernel can make a
#                  WireGuard link, else qemu
#   --mem MB       memory of the guest (2048)        --smp N   its processors (1)
#   --timeout S    for the whole run (900)
#   --out DIR      DIR is writable inside and keeps what is written there
#   --env NAME     pass this variable on too (PATH, HOME, LANG, LC_*, TZ, CI, COLUMNS, NO_COLOR,
#                  VIRTUAL_ENV, PYTHON*, PYTEST_*, PYENV_*, HYPOTHESIS_*, TEXTUAL*, WGTUI_* go anyway)
#   --verbose      times, and the guest kernel's log, on stderr
#
# KLAB_CACHE       where the unpacked kernel is kept (~/.cache/kernel-lab, 50 MB)
# KLAB_BACKEND     the default of --backend
# KLAB_KERNEL_PKG  the exact Debian package to take the kernel from
# KLAB_ACCEL       qemu's accelerator (tcg,thread=multi). A /dev/kvm that is there need not work: on
#                  the machine this was written on a guest under it hung. So it is never tried unasked.
#
# Status: the command's own; 124 time-out; 125 the lab itself failed (the guest kernel's log is then on
# stderr). Inside, KLAB is the backend's name, stdin is empty, lo is up, and no other link is there.
#
# How qemu's guest comes about, without disk image, initramfs or NIC: virtiofsd shows it this machine's
# / read-only, a Debian cloud kernel (virtiofs and virtio-pci built in) mounts that as its root, and
# this file, started as its init, lays a throw-away overlay over it. The command runs there in the
# caller's directory; what it writes is gone afterwards. Its output leaves through two virtio ports.
set -euo pipefail
umask 022

self=$(readlink -f "$0")
cache=${KLAB_CACHE:-${HOME:-/root}/.cache/kernel-lab}
kernel=$cache/qemu                      # vmlinuz, lib/modules, and "ok" (the version) once complete
backend=${KLAB_BACKEND:-auto}
mem=2048 smp=1 limit=900 verbose=0 out='' quiet=quiet
names=()

die() { echo "kernel-lab: $*" >&2; exit 125; }
say() { [ $verbose = 0 ] || echo "kernel-lab: $*" >&2; }

# ─── inside: the guest's init ────────────────────────────────────────────────────────────────────
# KLAB_JOB=… on the kernel's command line is in init's environment; $job/conf holds out and modules.

# A process that ended leaves its last bytes in a pipe; but daemons the command left behind may keep
# the pipes open for ever. Two seconds, no more.
drain() {
    for _ in $(seq 40); do
        kill -0 "$1" 2>/dev/null || kill -0 "$2" 2>/dev/null || break
        sleep .05
    done
}

guest() {
    local job=$KLAB_JOB new=/mnt port to_out='' to_err='' out_cat err_cat status
    set +eu                             # whatever fails, get to the poweroff
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    # shellcheck disable=SC1091
    . "$job/conf"
    mount -t proc proc /proc
    mount -t devtmpfs dev /dev
    mount -t tmpfs -o size=90% tmpfs $new
    mkdir -p $new/{up,work,root}
    grep -qw overlay /proc/filesystems || modprobe -d "$modules" overlay
    mount -t overlay -o "lowerdir=/,upperdir=$new/up,workdir=$new/work" overlay $new/root || return
    cd $new/root || return
    mount -t devtmpfs dev dev
    mount -t sysfs sys sys
    mount -t proc proc proc
    mkdir -p dev/pts dev/shm
    mount -t devpts -o mode=620,ptmxmode=666 pts dev/pts
    mount -t tmpfs -o mode=1777 shm dev/shm
    mount -t tmpfs -o mode=755 run run
    mkdir -p run/lock
    ln -sfn /proc/self/fd dev/fd
    ln -sfn fd/0 dev/stdin
    ln -sfn fd/1 dev/stdout
    ln -sfn fd/2 dev/stderr
    mount --bind "$job" "./$job"
    [ -z "$out" ] || mount --bind "$out" "./$out"
    mkdir -p lib/modules
    mount --bind "$modules/lib/modules" lib/modules     # the kernel's own module requests find it here
    pivot_root . mnt
    umount -l /mnt/proc /mnt/dev
    ip link set lo up
    echo klab >/proc/sys/kernel/hostname

    for port in /sys/class/virtio-ports/*; do           # the number in vport<N>p<M> is not ours to know
        case $(cat "$port/name") in
        out) to_out=/dev/${port##*/} ;;
        err) to_err=/dev/${port##*/} ;;
        esac
    done
    exec {to_out}>"$to_out" {to_err}>"$to_err" </dev/null
    # Through cat: the command's stdout is then a pipe, which it may open again as /dev/stdout.
    mkfifo /run/.out /run/.err
    cat </run/.out >&"$to_out" & out_cat=$!
    cat </run/.err >&"$to_err" & err_cat=$!
    cut -d' ' -f1 /proc/uptime >"$job/uptime"
    (
        exec {to_out}>&- {to_err}>&-
        exec setsid -w env -i KLAB=qemu bash "$job/run"
    ) >/run/.out 2>/run/.err
    status=$?
    drain $out_cat $err_cat
    echo $status >"$job/status.new"
    mv "$job/status.new" "$job/status"
    sync "$job"
    [ -z "$out" ] || sync -f "$out"
}

if [ "$$" = 1 ] && [ -n "${KLAB_JOB:-}" ]; then
    guest
    busybox poweroff -f
    sleep 30
    exit
fi

# ─── outside: what was asked ─────────────────────────────────────────────────────────────────────

while [ $# -gt 0 ]; do
    case $1 in
    --backend) backend=$2; shift 2 ;;
    --mem) mem=$2; shift 2 ;;
    --smp) smp=$2; shift 2 ;;
    --timeout) limit=$2; shift 2 ;;
    --out) mkdir -p "$2"; out=$(readlink -f "$2"); shift 2 ;;
    --env) names+=("$2"); shift 2 ;;
    --verbose) verbose=1 quiet=''; shift ;;
    --help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "$self"; exit 0 ;;
    --) shift; break ;;
    -*) die "unknown option $1 (--help)" ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || die "no command (--help)"
PATH=$PATH:/usr/sbin:/sbin

native_has_wireguard() { unshare -n ip link add klabprobe type wireguard 2>/dev/null; }
if [ "$backend" = auto ]; then
    if native_has_wireguard; then backend=native; else backend=qemu; fi
fi

find_virtiofsd() {
    local path
    for path in "${KLAB_VIRTIOFSD:-}" /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
        [ -z "$path" ] || [ ! -x "$path" ] || { echo "$path"; return; }
    done
}

# COMMAND PACKAGE, for what the chosen backend calls.
needed() {
    printf '%s\n' 'ip iproute2' 'unshare util-linux'
    [ "$backend" = qemu ] || return 0
    printf '%s\n' 'qemu-system-x86_64 qemu-system-x86' 'busybox busybox-static' 'modprobe kmod' 'unxz xz-utils'
}

missing_packages() {
    local command package
    needed | while read -r command package; do
        command -v "$command" >/dev/null || echo "$package"
    done
    # Up to Debian 12 virtiofsd is in qemu's package, later it has its own.
    if [ "$backend" = qemu ] && [ -z "$(find_virtiofsd)" ] && apt-cache show virtiofsd >/dev/null 2>&1; then
        echo virtiofsd
    fi
}

if [ "$*" = packages ]; then
    missing_packages
    exit 0
fi
[ "$(id -u)" = 0 ] || die "must be root, to mount and to make network namespaces"
missing=$(missing_packages | tr '\n' ' ')
[ -z "$missing" ] || die "missing Debian packages: $missing"

# ─── the kernel ──────────────────────────────────────────────────────────────────────────────────

# Wanted is Debian's cloud kernel from 6.12 on: it has virtiofs and virtio-pci built in. In Debian 12
# it stands beside the standard one under its own name (from bookworm-security); later it is the standard one.
kernel_package() {
    local meta
    for meta in linux-image-6.12-cloud-amd64 linux-image-cloud-amd64; do
        apt-cache depends "$meta" 2>/dev/null |
            awk '/Depends: linux-image-[0-9]/ && !found {print $2; found = 1} END {exit !found}' && return
    done
    return 1
}

setup() {
    [ ! -e "$kernel/ok" ] || return 0
    local work=$cache/tmp.$$ package=${KLAB_KERNEL_PKG:-} version config option modules lock
    mkdir -p "$cache"
    exec {lock}>"$cache/lock"
    flock "$lock"
    [ ! -e "$kernel/ok" ] || return 0               # another run was quicker
    command -v apt-get >/dev/null ||
        die "no apt-get to fetch a Debian kernel with; put vmlinuz, lib/modules and ok into $kernel"
    [ "$(dpkg --print-architecture)" = amd64 ] || die "only the amd64 cloud kernel is known to work here"
    rm -rf "$work"
    mkdir -p "$work"
    # The package lists may be absent or older than the archive (which keeps no superseded kernel).
    [ -n "$package" ] || package=$(kernel_package) || {
        apt-get update >"$work/log" 2>&1 || { cat "$work/log" >&2; die "apt-get update failed"; }
        package=$(kernel_package)
    } || die "apt knows neither linux-image-6.12-cloud-amd64 (Debian 12, bookworm-security) nor" \
        "linux-image-cloud-amd64 (Debian 13 and later). Add that archive, or name a package in KLAB_KERNEL_PKG."
    say "fetching $package"
    (cd "$work" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; }) \
        >"$work/log" 2>&1 || { cat "$work/log" >&2; die "apt-get download $package failed"; }
    dpkg-deb -x "$work"/*.deb "$work/x"
    version=$(basename "$work"/x/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    config=$work/x/boot/config-$version
    for option in VIRTIO_FS VIRTIO_PCI VIRTIO_CONSOLE; do
        grep -q "^CONFIG_$option=y" "$config" || die "$package does not have $option built in; cloud kernels from 6.12 on do"
    done
    grep -q '^CONFIG_WIREGUARD=[ym]' "$config" || die "$package has no WireGuard"
    [ -d "$work/x/lib/modules" ] || { mkdir -p "$work/x/lib"; mv "$work/x/usr/lib/modules" "$work/x/lib/"; }
    # Only what a network test can ask for, and unpacked here: in the guest that costs more.
    modules='^\./(net|crypto|lib|arch/x86/crypto|fs/overlayfs|drivers/net/([^/]*\.ko|wireguard|ipvlan|bonding|team|vxlan))'
    (cd "$work/x/lib/modules/$version/kernel" && find . -name '*.ko*' | grep -vE "$modules" | xargs -r rm -f)
    find "$work/x/lib/modules" -name '*.ko.xz' -print0 | xargs -0r -P "$(nproc)" -n 16 unxz
    depmod -b "$work/x" "$version"                  # packages come without modules.dep
    mv "$work/x/boot/vmlinuz-$version" "$work/x/vmlinuz"
    rm -rf "$work/x/boot" "$work/x/usr"
    echo "$version" >"$work/x/ok"
    rm -rf "$kernel"
    mv "$work/x" "$kernel"
    rm -rf "$work"
    flock -u "$lock"
}

# ─── native ──────────────────────────────────────────────────────────────────────────────────────

say "backend $backend"
case $backend in
native)
    native_has_wireguard || die "this kernel cannot make a WireGuard link"
    [ "$*" != setup ] || exit 0
    export KLAB=native
    # A fresh network and mount namespace: this machine's links and its /run/netns are out of reach.
    # shellcheck disable=SC2016  # that $@ is the inner shell's
    exec timeout -k 5 "$limit" unshare -n -m --propagation private sh -c \
        'ip link set lo up; mount -t sysfs sys /sys; mount -t tmpfs run /run; exec "$@" </dev/null' klab "$@"
    ;;
qemu)
    setup
    [ "$*" != setup ] || { echo "kernel-lab: $(cat "$kernel/ok") in $kernel"; exit 0; }
    ;;
*) die "no backend $backend (auto, native, qemu)" ;;
esac

# ─── qemu ────────────────────────────────────────────────────────────────────────────────────────

job=$(readlink -f "$(mktemp -d "${TMPDIR:-/tmp}/klab.XXXXXX")")
pids=()
# shellcheck disable=SC2317  # the trap calls it
cleanup() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
    rm -rf "$job"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$job/root"
mkfifo "$job/out" "$job/err"
cp "$self" "$job/init"
chmod 755 "$job/init"
printf 'out=%q\nmodules=%q\n' "$out" "$kernel" >"$job/conf"
{
    echo 'PYTHONDONTWRITEBYTECODE=1'                # into an overlay that is about to vanish?
    while IFS= read -r -d '' variable; do
        case ${variable%%=*} in
        PATH | HOME | LANG | LC_* | TZ | CI | COLUMNS | NO_COLOR | VIRTUAL_ENV | PYTHON* | PYTEST_* | \
            PYENV_* | HYPOTHESIS_* | TEXTUAL* | WGTUI_*) printf '%s=%q\n' "${variable%%=*}" "${variable#*=}" ;;
        esac
    done < <(env -0)
    for name in "${names[@]}"; do printf '%s=%q\n' "$name" "${!name-}"; done
} | sed 's/^/export /' >"$job/run"
{
    printf 'cd %q || { echo "kernel-lab: the guest does not see this directory" >&2; exit 125; }\n' "$PWD"
    printf 'exec'
    printf ' %q' "$@"
    echo
} >>"$job/run"

# What the guest sees as its root: all mounts of this machine, read-only, but its /proc, /sys, /dev and
# /run; and, writable, the job's directory and --out. They live and end with their own mount namespace.
cat >"$job/view" <<'VIEW'
set -e
job=$1 out=$2
mount --rbind / "$job/root"
for top in proc sys dev run; do
    ! mountpoint -q "$job/root/$top" || umount -R -l "$job/root/$top"
done
awk -v root="$job/root" '$5 == root || index($5, root "/") == 1 {print $5}' /proc/self/mountinfo |
    while IFS= read -r mount; do
        mount=$(printf %b "$mount")
        mount -o remount,bind,ro "$mount" 2>/dev/null || umount -R -l "$mount" 2>/dev/null || [ "$mount" != "$job/root" ]
    done
mount --bind "$job" "$job/root$job"
[ -z "$out" ] || mount --bind "$out" "$job/root$out"
VIEW
# Ends in exec, so that $! is the program's pid. Hence only to be used with &.
in_view() {
    # shellcheck disable=SC2016  # those are the inner shell's
    exec unshare -m --propagation private \
        bash -c 'bash "$1/view" "$1" "$2" && shift 2 && exec "$@"' klab "$job" "$out" "$@"
}

virtiofsd=$(find_virtiofsd)
[ -n "$virtiofsd" ] || die "no virtiofsd (from Debian 13 on it is a package of its own)"
if "$virtiofsd" --help 2>&1 | grep -q shared-dir; then  # the one in Rust: Debian 13, Ubuntu 24.04
    export_root=(--socket-path="$job/vfs" --shared-dir="$job/root" --cache=always --sandbox=namespace
        --xattr --no-announce-submounts)                # announced submounts make overlayfs say EREMOTE
else                                                    # the one in C, of qemu up to 7.2: Debian 12
    export_root=(--socket-path="$job/vfs" -o source="$job/root" -o cache=always -o sandbox=namespace -o xattr)
fi

start=$(date +%s%N)
cat <"$job/out" & out_cat=$!
cat <"$job/err" >&2 & err_cat=$!
in_view "$virtiofsd" "${export_root[@]}" >"$job/vfs.log" 2>&1 </dev/null & vfs=$!
pids+=("$out_cat" "$err_cat" "$vfs")
for _ in $(seq 250); do
    [ ! -S "$job/vfs" ] || break
    kill -0 $vfs 2>/dev/null || break
    sleep .02
done
[ -S "$job/vfs" ] || { cat "$job/vfs.log" >&2; die "virtiofsd did not start"; }
# One processor: with two emulated ones the kernel, patching its own code (static keys), now and then
# panics in a half-patched instruction; it is hardly slower.
timeout -k 5 "$limit" qemu-system-x86_64 \
    -accel "${KLAB_ACCEL:-tcg,thread=multi}" -cpu max -smp "$smp" -m "$mem" \
    -object memory-backend-memfd,id=mem,size="${mem}M",share=on -numa node,memdev=mem \
    -nodefaults -no-user-config -display none -no-reboot -serial "file:$job/console" \
    -chardev socket,id=fs,path="$job/vfs" \
    -device vhost-user-fs-pci,chardev=fs,tag=klabroot,queue-size=1024 \
    -device virtio-serial-pci,max_ports=3 \
    -chardev file,id=out,path="$job/out" -device virtserialport,chardev=out,nr=1,name=out \
    -chardev file,id=err,path="$job/err" -device virtserialport,chardev=err,nr=2,name=err \
    -device virtio-rng-pci \
    -kernel "$kernel/vmlinuz" -append "console=ttyS0 $quiet panic=-1 nokaslr mitigations=off \
init_on_alloc=0 audit=0 apparmor=0 random.trust_cpu=1 root=klabroot rootfstype=virtiofs rw \
KLAB_JOB=$job init=$job/init" </dev/null >"$job/qemu.log" 2>&1 & qemu=$!
pids+=("$qemu")
qemu_status=0
wait $qemu || qemu_status=$?
drain $out_cat $err_cat
took=$((($(date +%s%N) - start) / 100000000))
say "$((took / 10)).$((took % 10)) s in all; the command began $(cat "$job/uptime" 2>/dev/null || echo '?') s after the kernel"
[ $verbose = 0 ] || cat "$job/console" >&2
[ ! -s "$job/status" ] || exit "$(cat "$job/status")"
case $qemu_status in
124 | 137) echo "kernel-lab: stopped after $limit s" >&2; exit 124 ;;
esac
tail -n 40 "$job/console" "$job/qemu.log" "$job/vfs.log" >&2 2>/dev/null || :
die "the guest ended (qemu's status $qemu_status) before the command had"
