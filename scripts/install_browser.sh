#!/usr/bin/env bash
# Debian's chromium, without its windows where there is that package, and Chinese fonts for the browser tests, where they are
# missing and may be installed. Elsewhere the browser tests are skipped and say so; CI fails on that skip.
set -u
browser() { command -v chromium-headless-shell >/dev/null 2>&1 || { [ "$1" = any ] && command -v chromium >/dev/null 2>&1; }; }
fonts() { fc-list 2>/dev/null | grep -qi 'noto.*cjk'; }
if browser shell && fonts; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium and Chinese fonts for the browser tests (once) ..."
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  install() { apt-get install -y -qq --no-install-recommends "$@" fonts-noto-cjk fontconfig >>"$log" 2>&1; }
  apt-get update -qq >"$log" 2>&1
  install chromium-headless-shell || browser any && fonts || install chromium \
    || { tail -n 5 "$log"; echo "chromium could not be installed: the browser tests will be skipped"; }
  rm -f "$log"
elif ! { browser any && fonts; }; then
  echo "No chromium here: the browser tests will be skipped. As root: apt install chromium-headless-shell fonts-noto-cjk"
fi
exit 0
