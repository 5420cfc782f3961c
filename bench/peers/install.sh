#!/usr/bin/env bash
# Makes the peers of `deno task bench:peers` ready: installs the Debian and npm packages that they need, where that can
# be done, and builds them into .build/ beside this file. What cannot be built is said on stderr and left out. What is
# built already is left alone. Builds run one after another, each on one core. Debian's crates are used where they are,
# so nothing but apt and npm needs a network.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

build=$PWD/.build
load=$PWD/../load
crates=/usr/share/cargo/registry
jars=/usr/share/java
mkdir -p "$build"

missing() { printf 'Left out: %s\n' "$*" >&2; }

has() { command -v "$1" >/dev/null; }

has_crates() { compgen -G "$crates/tokio-util-*" >/dev/null && compgen -G "$crates/tokio-1.*" >/dev/null; }

has_netty() { [[ -e $jars/netty-codec.jar ]]; }

# True if $1 is missing or older than one of the other files.
outdated() {
  local built=$1 source
  shift
  [[ -e $built ]] || return 0
  for source; do
    [[ $source -nt $built ]] && return 0
  done
  return 1
}

install_debian_packages() {
  local packages=() as_root=()
  has gcc || packages+=(gcc libc6-dev)
  has go || packages+=(golang-go)
  has cargo || packages+=(cargo rustc)
  has_crates || packages+=(librust-tokio-dev librust-tokio-util-dev)
  has javac || packages+=(default-jdk-headless)
  has_netty || packages+=(libnetty-java)
  has python3 || packages+=(python3)
  ((${#packages[@]})) || return 0
  has apt-get || return 0
  if ((EUID != 0)); then
    sudo -n true 2>/dev/null || return 0
    as_root=(sudo -n)
  fi
  "${as_root[@]}" apt-get update -qq
  # One by one, since a release of Debian without one of them may have the others.
  local package
  for package in "${packages[@]}"; do
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null || missing "Debian package $package"
  done
}

install_npm_packages() {
  has npm || { missing "npm packages: there is no npm"; return; }
  outdated node/node_modules/.package-lock.json node/package.json || return 0
  (cd node && npm install --no-audit --no-fund --no-package-lock --loglevel=error >/dev/null) ||
    { missing "npm packages: npm install failed"; return; }
  touch node/node_modules/.package-lock.json
}

# Compiles the C source $1 to $2.
build_c() {
  outdated "$2" "$1" || return 0
  has gcc || { missing "${2##*/}: there is no gcc"; return; }
  gcc -std=gnu11 -O2 -Wall -pthread -o "$2.new" "$1" -lm && mv -- "$2.new" "$2" || missing "${2##*/}: gcc failed"
}

build_go() {
  outdated "$build/go-peer" go/peer.go || return 0
  has go || { missing "go-peer: there is no go"; return; }
  GO111MODULE=off GOMAXPROCS=1 go build -p 1 -o "$build/go-peer" go/peer.go || missing "go-peer: go build failed"
}

build_tokio() {
  outdated "$build/tokio-peer" tokio/* || return 0
  has cargo || { missing "tokio-peer: there is no cargo"; return; }
  has_crates || { missing "tokio-peer: Debian's librust-tokio-dev and librust-tokio-util-dev are not there"; return; }
  # Away from the sources, so that the lock file stays out of them.
  mkdir -p "$build/tokio"
  cp -p tokio/* "$build/tokio/"
  rm -f -- "$build/tokio/Cargo.lock"
  (
    cd "$build/tokio" &&
      cargo --config 'source.crates-io.replace-with="debian"' --config "source.debian.directory=\"$crates\"" \
        build --release --offline --quiet --jobs 1 --target-dir "$build/tokio/target" &&
      cp target/release/tokio-peer "$build/tokio-peer"
  ) || missing "tokio-peer: cargo build failed"
}

build_netty() {
  outdated "$build/netty-peer" netty/Peer.java "${BASH_SOURCE[0]##*/}" || return 0
  has javac || { missing "netty-peer: there is no javac"; return; }
  has_netty || { missing "netty-peer: Debian's libnetty-java is not there"; return; }
  local jar class_path=$build/netty
  for jar in buffer codec common resolver transport; do
    class_path+=:$jars/netty-$jar.jar
  done
  javac -J-XX:ActiveProcessorCount=1 -cp "$class_path" -d "$build/netty" netty/Peer.java ||
    { missing "netty-peer: javac failed"; return; }
  printf '#!/bin/sh\nexec java -cp "%s" Peer "$@"\n' "$class_path" >"$build/netty-peer"
  chmod +x "$build/netty-peer"
}

install_debian_packages
install_npm_packages
build_c "$load/load.c" "$build/load"
build_c c/peer.c "$build/c-peer"
build_go
build_tokio
build_netty
