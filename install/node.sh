# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of install.sh
# Part of install.sh: which Node.js is copied. Sets `node`, `node_version`, `node_folders`.

# What a candidate really is, as "VERSION PATH": a starter (volta, asdf, snap) names the program that it starts. As its
# owner where it is the caller's own: root runs nothing out of a home before it was copied.
probe_node() {
  local as=()
  if is_root && [ -n "${callers_home:-}" ] && [[ $1 == "$callers_home"/* ]]; then as=(runuser -u "$SUDO_USER" -- env HOME="$callers_home"); fi
  # shellcheck disable=SC2016  # JavaScript
  (cd / && timeout 20 "${as[@]}" "$1" -p \
    'process.release.name === "node" && !process.versions.bun ? `${process.version} ${process.execPath}` : ""') 2>/dev/null </dev/null |
    grep -E '^v[0-9]+\.[0-9]+\.[0-9]+[^ ]* /'
}

# The copy that is installed comes first: of two that are equally good it stays.
node_candidates() {
  local home homes=("${HOME:-/root}")
  if [ -n "$callers_home" ]; then homes+=("$callers_home"); fi
  printf '%s\n' "$1/bin/node"
  command -v node || true
  if is_root && [ -n "${SUDO_USER:-}" ]; then
    runuser -u "$SUDO_USER" -- env HOME="$callers_home" bash -lc 'command -v node' 2>/dev/null </dev/null || true
  fi
  printf '%s\n' /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /opt/node*/bin/node /opt/node/*/bin/node \
    /usr/local/lib/nodejs/*/bin/node /usr/local/n/versions/node/*/bin/node
  for home in "${homes[@]}"; do
    printf '%s\n' "$home"/.nvm/versions/node/*/bin/node "$home"/.volta/tools/image/node/*/bin/node \
      "$home"/{.local/share/fnm,.fnm}/node-versions/*/installation/bin/node "$home"/.asdf/installs/nodejs/*/bin/node \
      "$home"/.local/share/mise/installs/node/*/bin/node "$home"/.nodenv/versions/*/bin/node "$home"/n/n/versions/node/*/bin/node
  done
}

major_of() { local version=${1#v}; echo "${version%%.*}"; }

is_new_enough() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  [ "$major" -gt 20 ] || { [ "$major" = 20 ] && [ "$minor" -ge 11 ]; }
}

# The day on which its makers' support ended; nothing while it has not, and for one that is newer than the table.
support_ended() {
  local end
  end=$(sed -n "s/^ *\"$(major_of "$1")\": *\"\([0-9-]*\)\".*/\1/p" "$source_dir/docs/node-releases.json")
  [ -z "$end" ] || [[ ! $(date -u +%F) > $end ]] || echo "$end"
}

# As text that sorts: with support before without, a line with long support before one of a few months, then the newest.
rank_of() {
  local major minor patch supported=1 lasting=1
  IFS=. read -r major minor patch <<<"${1#v}"
  [ -z "$(support_ended "$1")" ] || supported=0
  if [[ $1 == *-* ]]; then supported=0; fi # a nightly or a release candidate
  # From 27 on every line has long support.
  if [ "$major" -lt 27 ] && [ $((major % 2)) = 1 ]; then lasting=0; fi
  printf '%d%d%05d%05d%05d' "$supported" "$lasting" "$major" "$minor" "${patch%%[!0-9]*}"
}

# With the program that is installed, or nothing: its copy is a candidate too.
choose_node() {
  local path found rank best='' best_rank='' too_old='' seen=' '
  callers_home=''
  if is_root && [ -n "${SUDO_USER:-}" ]; then callers_home=$(getent passwd "$SUDO_USER" | cut -d: -f6); fi
  node_folders=''
  if [ -n "$node" ]; then
    [ -x "$node" ] && [ ! -d "$node" ] || fail "$node is no program; name a Node.js of version 20.11 or newer with --node FILE"
    best=$(probe_node "$(realpath -s -- "$node")") || fail "$node does not run here; name another Node.js with --node FILE"
    is_new_enough "${best%% *}" || too_old=$best best=''
  else
    node_candidates "$1" >"$work/candidates"
    while read -r path; do
      [ -x "$path" ] && [ ! -d "$path" ] && [[ $seen != *" $path "* ]] || continue
      seen+="$path "
      found=$(probe_node "$path") && [ -x "${found#* }" ] || continue
      is_new_enough "${found%% *}" || { too_old=$found; continue; }
      node_folders+=":${path%/*}"
      rank=$(rank_of "${found%% *}")
      if [[ $rank > $best_rank ]]; then best=$found best_rank=$rank; fi
    done <"$work/candidates"
  fi
  if [ -z "$best" ] && [ -n "$too_old" ]; then
    fail "Node.js at ${too_old#* } is ${too_old%% *}, and Argus needs 20.11 or newer; install that, or name another with --node FILE"
  fi
  [ -n "$best" ] || fail "Node.js is not found; install version 20.11 or newer, or name the program with --node FILE"
  node_version=${best%% *} node=${best#* }
}

# Nothing while its makers support it.
say_support() {
  local end
  end=$(support_ended "$node_version")
  [ -z "$end" ] ||
    echo "This Node $(major_of "$node_version") has been out of its makers' support since $(LC_ALL=C date -d "$end" '+%B %Y'); install a newer one on this machine and run install.sh again, or name it: --node FILE"
}
