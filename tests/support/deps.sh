#!/usr/bin/env bash
# Installs what is missing, by group: build | run | test | spark | check | bench | docker. Debian and its kin;
# asks for sudo only when something is missing and we are not root.
set -euo pipefail

build="gcc make pkg-config libmicrohttpd-dev libuv1-dev libsqlite3-dev libcjson-dev libcsv-dev
       libmariadb-dev libssl-dev zlib1g-dev libzstd-dev libexpat1-dev libzip-dev"
run="mariadb-server-core mariadb-client python3 python3-venv"
test="libcmocka-dev awscli curl"
spark="openjdk-17-jre-headless curl python3-venv"
check="clang clang-tidy libclang-rt-14-dev"
bench="nginx-light python3-venv"
docker="buildah mmdebstrap python3-venv"

want=""
for group in "$@"; do
    case "$group" in
    build | run | test | spark | check | bench | docker) want="$want ${!group}" ;;
    *)
        echo "deps.sh: unknown group '$group' (build run test spark check bench docker)" >&2
        exit 2
        ;;
    esac
done

missing=""
for package in $want; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "These packages are missing and apt-get isn't here to install them:$missing" >&2
    echo "Install their counterparts by hand, then run the command again." >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Missing packages:$missing. Run as root: apt-get install$missing" >&2; exit 1; }
    echo "Installing (sudo may ask for your password):$missing"
    as_root="sudo"
else
    echo "Installing:$missing"
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "Installing$missing failed; the lines above say why." >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
