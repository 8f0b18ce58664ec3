#!/bin/sh
# What the test says to the machine: a line with a script in base64 comes in through a port, and a line
# `STATUS:STDOUT:STDERR` goes out, the last two in base64. One script after the other.
set -u
port=/dev/virtio-ports/$1
work=/run/test-agent.$1
mkdir -p "$work"
# What runs a machine out of memory must not end its test.
echo -1000 >/proc/self/oom_score_adj
# udev makes the port when the kernel has found it.
until [ -c "$port" ]; do sleep 0.2; done
# Opened once: the kernel lets nobody open it a second time.
exec <>"$port"
while read -r request; do
  printf %s "$request" | base64 -d >"$work/script"
  (
    echo 0 >/proc/self/oom_score_adj
    exec setsid --wait sh "$work/script"
  ) </dev/null >"$work/out" 2>"$work/err"
  status=$?
  printf '%s:%s:%s\n' "$status" "$(base64 -w0 "$work/out")" "$(base64 -w0 "$work/err")" >&0
done
