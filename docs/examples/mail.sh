#!/bin/sh
# A channel of Argus that sends mail. It speaks SMTP itself, by curl: a local `mail` or `sendmail` needs the rights of
# another user, which the sandbox of argus.service takes from every program. docs/channels.md, "Mail", has the settings.
#
# usage: mail.sh SETTINGS FROM TO...   with the message at standard input
# SETTINGS is a file for curl (curl(1), --config): the server, and the password, which so stands in no command line.
set -eu
LC_ALL=C.UTF-8
export LC_ALL

[ $# -ge 3 ] || {
  echo "usage: mail.sh SETTINGS FROM TO..." >&2
  exit 2
}
settings=$1 from=$2
shift 2
to=$(printf ', %s' "$@")
for each; do
  shift
  set -- "$@" --mail-rcpt "$each"
done
text=$(cat)

# An encoded word may have 75 characters (RFC 2047), and holds whole characters: 11 of four bytes fit in any case.
encoded() {
  printf '%s' "$1" | sed 's/.\{11\}/&\n/g' | while IFS= read -r part || [ -n "$part" ]; do
    printf ' =?UTF-8?B?%s?=\n' "$(printf '%s' "$part" | base64 -w 0)"
  done
}

subject=$(printf '%s\n' "$text" | sed -n '/^(delivered late/!{p;q}' | sed 's/^\(.\{150\}\).*/\1.../')
case $subject in
  *[!\ -~]*) subject=$(encoded "$subject") ;;
  *) subject=" $subject" ;;
esac

# In base64 no line is too long for SMTP, and none begins with a dot.
{
  printf 'From: %s\nTo: %s\nSubject:%s\n' "$from" "${to#, }" "$subject"
  printf 'Date: %s\n' "$(LC_ALL=C date -R)"
  printf 'Message-ID: <%s@%s>\n' "$(cat /proc/sys/kernel/random/uuid)" "${from#*@}"
  printf 'Auto-Submitted: auto-generated\nMIME-Version: 1.0\n'
  printf 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n'
  printf '%s\n' "$text" | base64
} | sed 's/$/\r/' |
  curl --disable --silent --show-error --ssl-reqd --config "$settings" --mail-from "$from" "$@" --upload-file -
