#!/usr/bin/env bash
# Installs the Debian packages that the tests use, only those that are missing.
# As root it asks apt; otherwise it names them and ends with status 1.
set -euo pipefail

browser=(chromium-headless-shell libatomic1 # which the node that drives it links to
  fonts-noto-core)                             # Latin and Armenian, serif and sans
mail=(postfix)                                    # also smtp-sink and smtp-source
signatures=(libmail-dkim-perl)                    # verifies by another hand than dkimpy
filters=(spamassassin)                            # judges issues by its local rules
# MariaDB's core package holds the server without a service of its own.
site=(wordpress wordpress-theme-twentytwentythree mariadb-server-core
  php-cli php-mysql php-gd php-xml)
logs=(nginx-light)                                # writes real access logs
feeds=(golang-github-mmcdole-gofeed-dev # its test data: feeds of every kind
  hugo)                                  # writes a site with its feed and sitemap
wanted=("${logs[@]}" "${browser[@]}" "${mail[@]}" "${signatures[@]}" "${filters[@]}" "${site[@]}" "${feeds[@]}" openssl)

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "tests/packages.sh: apt is not here; bring what these Debian packages bring: ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# WordPress depends on a web server and on PHP within it. These two stand for
# them (the server is disabled by its own package); without them, and named
# first, apt would choose Apache.
if ! is_installed wordpress; then
  missing=(php-cgi mini-httpd php "${missing[@]}")
fi

if [ "$(id -u)" -ne 0 ]; then
  echo "tests/packages.sh: the tests need packages that only root can install; run:" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

log=$(mktemp)
guard=/usr/sbin/policy-rc.d
own_guard=
clean_up() {
  rm -f "$log"
  if [ -n "$own_guard" ]; then rm -f "$guard"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# No package may start a service (policy-rc.d answers 101: not allowed).
if [ ! -e "$guard" ]; then
  own_guard=yes
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod 755 "$guard"
fi

ask_apt() {
  apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    "$@" >"$log" 2>&1 </dev/null || {
    echo "tests/packages.sh: \"apt-get $1\" failed, with these last words:" >&2
    tail -n 15 "$log" >&2
    exit 1
  }
}

echo "installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
if ! is_installed postfix; then
  # "No configuration": each test brings its own, the machine's mail stays as it is.
  echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
fi
ask_apt update
# --no-remove: better to stop than to replace a machine's own mail server.
ask_apt install --yes --no-remove --no-install-recommends "${missing[@]}"
