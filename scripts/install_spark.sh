#!/usr/bin/env bash
# pyspark and a Java for the tests of the third engine, where they are missing and may be installed.
# Elsewhere those tests are skipped and say so.
set -u
bin=${1:-.venv/bin}
quiet=--quiet
if [ -t 1 ]; then quiet=; fi
if ! "$bin/python" -c 'import pyspark' 2>/dev/null; then
  echo "Installing Spark for the tests (once, 430 MB) ..."
  # It comes as source; its setup.py needs nothing but the setuptools of the lock.
  { "$bin/pip" install $quiet --disable-pip-version-check --require-hashes -r requirements/spark-build.lock \
    && "$bin/pip" install $quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements/spark.lock; } \
    || echo "pyspark could not be installed: the tests of Spark will be skipped"
fi
if command -v java >/dev/null 2>&1 || [ -x "${JAVA_HOME:-}/bin/java" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Java for the tests of Spark (once) ..."
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless; } >"$log" 2>&1 \
    || { tail -n 5 "$log"; echo "Java could not be installed: the tests of Spark will be skipped"; }
  rm -f "$log"
else
  echo "No Java here: the tests of Spark will be skipped. As root: apt install default-jre-headless"
fi
exit 0
