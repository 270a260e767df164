#!/usr/bin/env bash
# Debian's chromium and Chinese fonts for the browser tests, where they are missing and may be installed.
# Elsewhere the browser tests are skipped and say so; CI fails on that skip.
set -u
if command -v chromium >/dev/null 2>&1 && fc-list 2>/dev/null | grep -qi 'noto.*cjk'; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium and Chinese fonts for the browser tests (once) ..."
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig; } >"$log" 2>&1 \
    || { tail -n 5 "$log"; echo "chromium could not be installed: the browser tests will be skipped"; }
  rm -f "$log"
else
  echo "No chromium here: the browser tests will be skipped. As root: apt install chromium fonts-noto-cjk"
fi
exit 0
