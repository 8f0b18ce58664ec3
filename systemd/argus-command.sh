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
  CREDENTIALS_DIRECTORY=$(mktemp -d /run/argus.XXXXXXXXXX) || exit 1
  export CREDENTIALS_DIRECTORY
  trap 'rm -rf "$CREDENTIALS_DIRECTORY"' EXIT
  trap : INT TERM
  # Of a pipe there would be no end. As in the units, a file that is not there keeps nobody from starting.
  if [ -f /etc/argus/argus.env ]; then
    cp /etc/argus/argus.env "$CREDENTIALS_DIRECTORY/" || exit 1
  else
    echo '#not-found' >"$CREDENTIALS_DIRECTORY/argus.env" || exit 1
  fi
  chown -R argus:argus "$CREDENTIALS_DIRECTORY" || exit 1
  HOME=/var/lib/argus setpriv --reuid=argus --regid=argus --init-groups --no-new-privs -- "$@"
  exit
fi
exec "$@"
