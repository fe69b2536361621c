# shellcheck shell=bash
# Which compiler builds for wasm. Source it after common.sh and call
#     wasm_cargo TARGET ARGUMENTS...
# for `cargo ARGUMENTS... --target TARGET`, and wasm_target_dir for the folder it builds into.
#
# Two ways, tried in this order:
#   installed  the cargo on PATH, whose toolchain has the target or gets it from rustup;
#   debian     Debian's own compiler, which builds the standard library from source. It is another
#              compiler than rustup's, so its artifacts stand in target/debian.
# That rustup could not help is kept in .local/toolchain, so that it is asked once only.
# WASM_TOOLCHAIN=installed or =debian overrules.

DEBIAN_PACKAGES=(rustc-web cargo-web rust-web-src wasi-libc lld-19)
DEBIAN_LINKER=/usr/bin/wasm-ld-19

# Sets WASM_CHOICE for a target.
wasm_toolchain() {
    local target=$1 kept=$LOCAL/toolchain
    case ${WASM_TOOLCHAIN:-} in
    installed)
        has_target "$target" || add_target "$target" || die "WASM_TOOLCHAIN=installed has no $target"
        WASM_CHOICE=installed
        ;;
    debian)
        debian_ready || debian_install || die "$(advice "$target")"
        WASM_CHOICE=debian
        ;;
    '')
        if has_target "$target"; then
            WASM_CHOICE=installed
        elif [ "$(cat "$kept" 2>/dev/null)" = debian ] && debian_ready; then
            WASM_CHOICE=debian
        elif add_target "$target"; then
            WASM_CHOICE=installed
        elif debian_ready || debian_install; then
            WASM_CHOICE=debian
            printf 'debian\n' >"$kept"
        else
            die "$(advice "$target")"
        fi
        ;;
    *) die "WASM_TOOLCHAIN is \`$WASM_TOOLCHAIN\`; it can be \`installed\` or \`debian\`" ;;
    esac
}

has_target() { have rustc && [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]; }

add_target() {
    have rustup || return 1
    step "rustup target add $1"
    timeout 120 rustup target add "$1" >"$LOCAL/rustup.log" 2>&1 || {
        say "    rustup cannot: $(last_line "$LOCAL/rustup.log")"
        return 1
    }
    has_target "$1"
}

debian_ready() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -x "$DEBIAN_LINKER" ] &&
        [ -d /usr/lib/rustlib/src/rust/library ] && [ -f /usr/lib/wasm32-wasi/libc.a ]
}

debian_install() { apt_install "${DEBIAN_PACKAGES[@]}" && debian_ready; }

advice() {
    printf '%s\n' "no compiler for $1. Either" \
        "  rustup target add $1            (where rustup can download), or" \
        "  apt-get install ${DEBIAN_PACKAGES[*]}   (Debian 12 or newer, as root)"
}

# The folder that holds the artifacts of the chosen compiler. A build with features has one of its
# own: cargo gives the module the same name whatever the features, and would take one for the other.
wasm_target_dir() {
    local folder=$ROOT/target
    [ "$WASM_CHOICE" = installed ] || folder=$folder/debian
    printf '%s\n' "$folder${WASM_FEATURES:+/with-$WASM_FEATURES}"
}

wasm_cargo() {
    local target=$1 build_std=std,panic_abort flags="-L native=/usr/lib/wasm32-wasi"
    shift
    wasm_toolchain "$target"
    step "compiler for $target: $WASM_CHOICE"
    if [ "$WASM_CHOICE" = installed ]; then
        CARGO_TARGET_DIR=$(wasm_target_dir) cargo "$@" --target "$target"
        return
    fi
    if [ "$1" = test ]; then
        build_std=$build_std,test
        # Debian's C library has no threads, which the test harness names but does not start, and its
        # programs do not call the constructors: the runner does.
        flags="$flags -C link-arg=--allow-undefined -C link-arg=--export=__wasm_call_ctors"
    fi
    # CARGO, RUSTC and their like would lead back to the other compiler.
    env -u CARGO -u RUSTC -u RUSTDOC -u RUSTUP_TOOLCHAIN \
        PATH=/usr/bin:/bin RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$(wasm_target_dir)" \
        CARGO_TARGET_WASM32_WASIP1_LINKER="$DEBIAN_LINKER" \
        CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="$flags" \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$DEBIAN_LINKER" \
        /usr/bin/cargo "$@" -Zbuild-std="$build_std" --target "$target"
}
