#!/bin/sh
# The installed Argus on its own state, unless the environment names another.
if [ -z "${ARGUS_STATE_DIR:-}" ]; then
  export ARGUS_STATE_DIR=/var/lib/argus
  export ARGUS_LOG_DIR="${ARGUS_LOG_DIR:-/var/log/argus}"
  export ARGUS_EXECUTOR_STATE_DIR="${ARGUS_EXECUTOR_STATE_DIR:-/var/lib/argus-executor}"
  export ARGUS_EXECUTOR_SOCKET="${ARGUS_EXECUTOR_SOCKET:-/run/argus-executor.sock}"
fi
set -- /opt/argus/bin/node /opt/argus/dist/main.js "$@"

# Cycles write the state, and it belongs to the user argus: a cycle by root's hand is done as that user too, with the
# secrets that systemd hands to the service. So is a test message: no program of a channel is ever run as root.
if { [ "${3:-}" = run ] || [ "${3:-}" = notify ]; } && [ "$(id -u)" = 0 ] && [ "$ARGUS_STATE_DIR" = /var/lib/argus ]; then
  # Of a pipe there would be no end.
  if [ ! -f /etc/argus/argus.env ]; then
    echo 'argus: /etc/argus/argus.env is not a regular file; put one there (it may be empty), and chmod 600 it' >&2
    exit 2
  fi
  CREDENTIALS_DIRECTORY=$(mktemp -d /run/argus.XXXXXXXXXX) || exit 1
  export CREDENTIALS_DIRECTORY
  trap 'rm -rf "$CREDENTIALS_DIRECTORY"' EXIT
  trap : INT TERM
  cp /etc/argus/argus.env "$CREDENTIALS_DIRECTORY/" && chown -R argus:argus "$CREDENTIALS_DIRECTORY" || exit 1
  HOME=/var/lib/argus setpriv --reuid=argus --regid=argus --init-groups --no-new-privs -- "$@"
  exit
fi
exec "$@"
