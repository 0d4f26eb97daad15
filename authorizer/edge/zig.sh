# shellcheck shell=sh
# What `authorizer/edge/build` and `authorizer/cli/release/build` share: zig and cargo-zigbuild, installed in the
# project's ignored folder .tools/zig with the versions and hashes in build-requirements.txt, and an environment that gives
# the same bytes in any folder. To be sourced, with $root, $triple, and `say` and `stop`. Afterwards $target is cargo's
# target folder, $dest the folder of zig, and $flags the flags of rustc, which the caller may add to and must export
# (CARGO_ENCODED_RUSTFLAGS; $sep is between them).

tools=$root/.tools
dest=$tools/zig
stage=$tools/zig.partial
log=$tools/zig.log
requirements=$root/authorizer/edge/build-requirements.txt

python_usable() { python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

command -v cargo >/dev/null || stop "cargo is not installed: see https://rustup.rs"
# Uses rustc, because rustup may not be installed.
libdir=$(rustc --print target-libdir --target "$triple")
[ -d "$libdir" ] || stop "Rust's standard library for $triple is not installed: rustup target add $triple"

install_zig() {
    python3 -m venv "$stage" &&
        "$stage/bin/python" -m pip install --no-input --disable-pip-version-check \
            --require-hashes --only-binary :all: -r "$requirements" &&
        # A path that does not depend on Python's version.
        "$stage/bin/python" -c 'import os, sys, ziglang
os.symlink(os.path.relpath(os.path.dirname(ziglang.__file__), sys.prefix), os.path.join(sys.prefix, "ziglang"))'
}

works() { "$1/ziglang/zig" version >/dev/null 2>&1 && "$1/bin/cargo-zigbuild" --version >/dev/null 2>&1; }

inputs() { cksum <"$requirements"; cksum <"$root/authorizer/edge/zig.sh"; }

install_once() {
    [ "$(inputs)" = "$(cat "$dest/stamp" 2>/dev/null)" ] && works "$dest" && return 0
    python_usable || stop "Python 3.10 or newer with venv is not installed (Debian: apt-get install python3-venv)"
    # Installed in a temporary folder and moved when it is complete, so that an interrupted install cannot be
    # mistaken for a complete one.
    rm -rf "$stage"
    say "installing zig and cargo-zigbuild"
    if ! install_zig >"$log" 2>&1 || ! works "$stage"; then
        tail -n 20 "$log" >&2
        stop "cannot install zig and cargo-zigbuild: see $log"
    fi
    inputs >"$stage/stamp"
    rm -rf "$dest"
    mv "$stage" "$dest"
}

# One build at a time. The lock ends with the process.
mkdir -p "$tools"
if command -v flock >/dev/null; then
    exec 9>"$tools/zig.lock"
    flock -n 9 || { say "waiting for another build to finish"; flock 9; }
fi
install_once

# Without the caller's flags, compiler and profile, which would change the bytes.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
    case $name in
    CARGO_BUILD_JOBS) ;;
    RUSTFLAGS | CARGO_ENCODED_RUSTFLAGS | CARGO_INCREMENTAL | CARGO_BUILD_* | CARGO_PROFILE_* | \
        CARGO_TARGET_X86_64_* | CARGO_TARGET_AARCH64_* | *CFLAGS | *CFLAGS_* | CXXFLAGS* | CPPFLAGS | LDFLAGS | CC | CC_* | CXX | CXX_* | AR | AR_* | \
        AWS_LC_* | CMAKE_* | CARGO_ZIGBUILD_* | ZIG_* | SOURCE_DATE_EPOCH) unset "$name" ;;
    esac
done

target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
mkdir -p "$target"
target=$(cd "$target" && pwd)
cargo_home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd)
sysroot=$(rustc --print sysroot)
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')

# The replacements for this machine's paths in the binary. The last match wins. With the component rust-src,
# the standard library has a path of this machine too; without it, it has the one given here.
sep=$(printf '\037')
flags="--remap-path-prefix=$root=/authorizer"
flags="$flags$sep--remap-path-prefix=$target=/target"
flags="$flags$sep--remap-path-prefix=$cargo_home=/cargo"
flags="$flags$sep--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"

export CARGO_TARGET_DIR="$target"
export CARGO_ZIGBUILD_ZIG_PATH="$dest/ziglang/zig" CARGO_ZIGBUILD_CACHE_DIR="$dest/cache"
export ZIG_GLOBAL_CACHE_DIR="$dest/cache/zig" ZIG_LOCAL_CACHE_DIR="$dest/cache/zig"
