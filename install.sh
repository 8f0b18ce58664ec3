#!/usr/bin/env bash
# Installs Argus below /opt/argus with its own copy of Node and runs it under systemd.
# Idempotent: run it again to upgrade; settings, local rules and state stay as they are.
set -euo pipefail

program=/opt/argus
settings=/etc/argus

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

usage() {
  cat <<'TEXT'
usage: ./install.sh [--uninstall]

  (nothing)     build and install to /opt/argus, settings in /etc/argus, start argus.service
  --uninstall   stop and remove the program; settings, rules and state stay
TEXT
}

uninstall() {
  systemctl disable --now argus.service 2>/dev/null || true
  rm -f /etc/systemd/system/argus.service /usr/local/bin/argus
  rm -rf "$program"
  systemctl daemon-reload
  printf 'Argus is removed. Kept: %s (settings, rules), /var/lib/argus (state), /var/log/argus (logs).\n' "$settings"
}

install_program() {
  # Into a folder beside it first: a failed build or copy leaves the running version alone.
  local new="$program.new" old="$program.old"
  (cd "$source_dir" && npm ci --silent && npm run --silent build) || fail "the build failed; see the message above"
  rm -rf "$new" "$old"
  install -d -m 0755 "$new" "$new/bin"
  install -m 0755 "$(readlink -f "$(command -v node)")" "$new/bin/node"
  cp -r "$source_dir/dist" "$source_dir/rules" "$source_dir/docs" "$source_dir/prompt.md" "$source_dir/package.json" "$new/"
  chown -R root:root "$new"
  if [ -e "$program" ]; then mv "$program" "$old"; fi
  mv "$new" "$program"
  rm -rf "$old"
}

install_settings() {
  install -d -m 0755 "$settings" "$settings/rules.d"
  [ -e "$settings/argus.json" ] || install -m 0644 "$source_dir/argus.json" "$settings/argus.json"
  [ -e "$settings/argus.env" ] || install -m 0600 "$source_dir/argus.env.example" "$settings/argus.env"
}

install_service() {
  install -m 0644 "$source_dir/argus.service" /etc/systemd/system/argus.service
  # The command line looks at the daemon's state unless the environment names another.
  cat >/usr/local/bin/argus <<TEXT
#!/bin/sh
export ARGUS_STATE_DIR="\${ARGUS_STATE_DIR:-/var/lib/argus}" ARGUS_LOG_DIR="\${ARGUS_LOG_DIR:-/var/log/argus}"
exec $program/bin/node $program/dist/main.js "\$@"
TEXT
  chmod 0755 /usr/local/bin/argus
  systemctl daemon-reload
  systemctl enable --quiet argus.service
  systemctl restart argus.service
}

source_dir=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  --uninstall | "") ;;
  *) usage >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || fail "must run as root: sudo ./install.sh $*"
[ -d /run/systemd/system ] || fail "systemd is not running here; run 'npm start' instead, or 'node dist/main.js run' under your own supervisor"

if [ "${1:-}" = --uninstall ]; then
  uninstall
  exit 0
fi
command -v node >/dev/null || fail "node is not installed; install Node.js 20 or newer"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || fail "node is older than 20; install Node.js 20 or newer"
install_program
install_settings
"$program/bin/node" "$program/dist/main.js" check || fail "the settings or rules have an error; mend it and run install.sh again (the service was left as it was)"
install_service
systemctl --no-pager --lines=0 status argus.service || fail "argus.service did not start; see: journalctl -u argus"
printf '\nInstalled. Next: edit %s/argus.json and %s/argus.env, then: argus check && systemctl reload argus\n' "$settings" "$settings"
