# shellcheck shell=bash
# Shared by the scripts beside this file: where the project is, how to speak, how to install.
# Source it; it changes into the project's root.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit 1
# Everything the scripts fetch or decide is kept here; removing the folder starts afresh.
LOCAL=$ROOT/.local
mkdir -p "$LOCAL"

# All crates with everything they can do: one set of features for all suites, so that nothing is
# built twice.
# shellcheck disable=SC2034 # for the scripts that source this
NATIVE=(--workspace --features "parapet-waf/cli,parapet-waf/wasm-host")

say() { printf '%s\n' "$*" >&2; }
step() { printf '==> %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# `with_progress WHAT LOG COMMAND...` runs a long program with its output in LOG and says every
# 20 seconds that it is still at work. Ctrl-C ends the program and all that it started.
with_progress() {
    local what=$1 log=$2 pid status=0 start=$SECONDS group=
    shift 2
    mkdir -p "$(dirname "$log")"
    ! have setsid || group=setsid
    $group "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    # shellcheck disable=SC2064 # the process as it is now
    trap "kill -- ${group:+-}$pid 2>/dev/null; exit 130" INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        if (((SECONDS - start) % 20 == 19)); then
            say "    $what: $((SECONDS - start)) s; $(last_line "$log")"
        fi
    done
    trap - INT TERM
    wait "$pid" || status=$?
    return "$status"
}

# The last line of a log that says something, cut to a screen's width.
last_line() {
    tail -c 2000 "$1" | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-100
}

# `apt_install PACKAGE...` installs Debian packages where that can be done without asking.
apt_install() {
    have apt-get || return 1
    [ "$(id -u)" = 0 ] || return 1
    local log=$LOCAL/apt.log
    step "installing Debian packages: $*"
    with_progress "apt-get update" "$log" timeout 300 apt-get update -q || true
    DEBIAN_FRONTEND=noninteractive with_progress "apt-get install" "$log" \
        timeout 900 apt-get install -q -y --no-install-recommends "$@" || {
        tail -n 5 "$log" >&2
        return 1
    }
}

# `need COMMAND PACKAGE...` makes sure that a command is there.
need() {
    local command=$1
    shift
    have "$command" || apt_install "$@" || true
    have "$command" || die "this needs \`$command\`; install it (Debian: apt-get install $*)"
}

# `unpack_debian PACKAGE FOLDER` brings a Debian package and unpacks it: nothing outside the project
# changes.
unpack_debian() {
    local stage status=0
    have apt-get && have dpkg-deb || return 1
    stage=$(mktemp -d "$LOCAL/debian.XXXXXX")
    step "fetching Debian's $1"
    {
        download_debian "$1" "$stage" || {
            # A fresh machine has no lists of packages yet.
            [ "$(id -u)" = 0 ] && timeout 300 apt-get update -q >"$LOCAL/apt.log" 2>&1 &&
                download_debian "$1" "$stage"
        }
    } && dpkg-deb -x "$stage"/*.deb "$stage/files" && rm -rf "$2" && mv "$stage/files" "$2" || status=1
    rm -rf "$stage"
    return "$status"
}

download_debian() {
    (cd "$2" && timeout 300 apt-get download -q "$1" >"$LOCAL/apt.log" 2>&1)
}
