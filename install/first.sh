# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of install.sh
# Part of install.sh, for --from: takes over from the first Argus, the bash program. What goes where `argus take-over`
# decides; nothing of the first one is ever run or sourced, and its folder stays as it is.

readonly first_units=(argus.timer argus.service)
taken=''     # a folder with copies, until they are where they belong
to_take=''

file_of() { if [ -e "$unit_dir/$1" ]; then echo "$unit_dir/$1"; else property "$1" FragmentPath; fi; }

# A service of the same name that is not ours; a timer of that name we never had, and one that is disabled does no harm.
is_firsts() {
  local file
  file=$(file_of "$1")
  [ -n "$file" ] && [ -e "$file" ] || return 1
  case $1 in
    *.timer) is_enabled "$1" || is_active "$1" || is_firsts argus.service ;;
    *) ! grep -qs 'dist/main\.js' "$file" ;;
  esac
}

check_first() {
  local unit found=()
  for unit in "${first_units[@]}"; do if is_firsts "$unit"; then found+=("$unit"); fi; done
  if [ -n "$from" ]; then
    [ -d "$from" ] ||
      fail "--from names $from, which is no folder; name that of the first Argus, the bash program: its checkout, or the folder of its state" 2
    from=$(realpath -- "$from")
    first_uid=$(stat -c %u -- "$from") first_gid=$(stat -c %g -- "$from")
    first_home=$(getent passwd "$first_uid" | cut -d: -f6 || true)
  elif [ "${#found[@]}" -gt 0 ]; then
    fail "$(printf '%s and ' "${found[@]}" | sed 's/ and $//') on this machine $(if [ "${#found[@]}" = 1 ]; then echo is; else echo are; fi) not of this Argus, most likely of the first one; name its folder (its checkout, or that of its state) with --from DIR, or stop and remove what is there: systemctl disable --now ${found[*]} && rm $(for unit in "${found[@]}"; do file_of "$unit"; done | tr '\n' ' ' | sed 's/ $//')"
  fi
}

take_over() {
  local file arguments=(--settings "$settings" --state "$state" --executor "$executor_state" --logs "$logs" --home "${first_home:-/}")
  for file in $(property argus.service EnvironmentFiles | sed 's/ (ignore_errors=.*//'); do arguments+=(--env "$file"); done
  "$node" "$source_dir/dist/main.js" take-over "$from" "${arguments[@]}" "$@"
}

plan_first() {
  local line unit
  to_take=''
  [ -n "$from" ] || return 0
  for unit in "${first_units[@]}"; do
    if is_firsts "$unit"; then
      plan_to "stop and disable $unit of the first Argus; its file stays as $(kept_name "$(file_of "$unit")")"
      to_take=1
    fi
    if is_users_own "$unit"; then
      plan_to "stop and disable $unit of the user $(id -un "$first_uid")"
      to_take=1
    fi
  done
  if [ ! -f "$source_dir/dist/main.js" ]; then
    plan_to "copy the settings, state and logs of the first Argus out of $from"
    return
  fi
  take_over >"$work/take" 2>"$work/take.errors" || fail "$(tail -n 1 "$work/take.errors" | sed 's/^argus: //')"
  while read -r line; do
    case $line in
      'step '*) plan_to "${line#step }" && to_take=1 ;;
      'note '*) note_that "${line#note }" ;;
    esac
  done <"$work/take"
  note_that "$(firsts_cron)"
  note_that "$(firsts_processes)"
  if [ -z "$to_take" ]; then return; fi
  if [ -d "$unit_dir/argus.service.d" ] && is_firsts argus.service; then
    note_that "what stands in $unit_dir/argus.service.d goes on applying to argus.service: look whether it fits"
  fi
}

# A unit out of a package is switched off, and stays where it is.
kept_name() {
  local path=$1.first number=2
  if [[ $1 != "$unit_dir"/* ]]; then echo "$1"; return; fi
  while [ -e "$path" ]; do path=$1.first-$((number++)); done
  echo "$path"
}

firsts_cron() {
  local who file line
  for who in root "$(id -un "$first_uid" 2>/dev/null)"; do
    if line=$(crontab -l -u "$who" 2>/dev/null | starts_first); then
      echo "cron of $who still starts it ($line); take that line out with crontab -e -u $who: two watchdogs get in each other's way"
      return
    fi
  done
  for file in /etc/crontab /etc/cron.d/*; do
    if [ ! -f "$file" ] || ! line=$(starts_first <"$file"); then continue; fi
    echo "$file still starts it ($line); take that line out: two watchdogs get in each other's way"
    return
  done
}

# The first such line of a crontab.
starts_first() { grep -v '^[[:space:]]*#' | grep -m 1 -F -e "$from/" -e /argus.sh; }

firsts_processes() {
  local file pid
  for file in $(grep -lsF -- "$from/" /proc/[0-9]*/cmdline || true); do
    pid=${file//[!0-9]/}
    if [ "$pid" = $$ ] || tr '\0' ' ' <"$file" 2>/dev/null | grep -qE 'install\.sh|take-over'; then continue; fi
    if grep -qs '/argus\.service$' "/proc/$pid/cgroup"; then continue; fi
    echo "process $pid runs out of $from ($(tr '\0' ' ' <"$file" | cut -c 1-80)); end it if it is the first Argus: two watchdogs get in each other's way"
    return
  done
}

# --- its units -------------------------------------------------------------------------------------------------------

as_first() {
  setpriv --reuid="$first_uid" --regid="$first_gid" --clear-groups env -i PATH="$PATH" HOME="$first_home" \
    XDG_RUNTIME_DIR="/run/user/$first_uid" systemctl --user "$@"
}

is_users_own() {
  is_root && [ "$first_uid" != 0 ] && [ -S "/run/user/$first_uid/systemd/private" ] || return 1
  is_enabled_there "$1" || as_first is-active --quiet "$1" 2>/dev/null
}

# One without [Install] is called static, which is neither.
is_enabled_there() { [ "$(as_first is-enabled "$1" 2>/dev/null)" = enabled ]; }

# Beside what note_present has noted; its files are back by the time at which this is undone.
stop_first() {
  local unit file kept enabled='' active=''
  [ -n "$to_take" ] || return 0
  doing="stopping the first Argus"
  for unit in "${first_units[@]}"; do
    if ! is_firsts "$unit"; then continue; fi
    if is_enabled "$unit"; then enabled+="$unit "; fi
    if is_up_or_starting "$unit"; then active+="$unit "; fi
  done
  on_failure as_before "$enabled" "$active"
  # The timer is still the first's when its service is gone.
  for unit in "${first_units[@]}"; do if is_firsts "$unit"; then file_of "$unit"; fi; done >"$work/first-files"
  while read -r file; do
    unit=${file##*/}
    systemctl disable --quiet "$unit" 2>/dev/null || true
    systemctl stop "$unit"
    kept=$(kept_name "$file")
    if [ "$kept" = "$file" ]; then continue; fi
    on_failure mv -T "$kept" "$file"
    mv -T "$file" "$kept"
  done <"$work/first-files"
  systemctl daemon-reload
  for unit in "${first_units[@]}"; do
    if ! is_users_own "$unit"; then continue; fi
    if as_first is-active --quiet "$unit"; then on_failure as_first start "$unit"; fi
    if is_enabled_there "$unit"; then on_failure as_first enable --quiet "$unit"; fi
    as_first disable --quiet --now "$unit"
  done
}

# --- its files -------------------------------------------------------------------------------------------------------

# The settings first: the new program is tried with them before anything is stopped.
take_settings() {
  local file=$settings/argus.env kept
  [ -n "$to_take" ] || return 0
  doing="taking over from $from"
  taken=$(mktemp -d /var/lib/argus-taken.XXXXXX)
  on_failure rm -rf "$taken"
  take_over --into "$taken/all" >"$work/take" 2>"$work/take.errors" ||
    fail "$(tail -n 1 "$work/take.errors" | sed 's/^argus: //')"
  if [ ! -f "$taken/all/argus.env" ]; then return; fi
  cp --preserve=all "$file" "$work/argus.env.present"
  on_failure cp --preserve=all "$work/argus.env.present" "$file"
  # It was the first one's own file: as it was it stays beside.
  if grep -q "^step take the settings of $file " "$work/take"; then
    kept=$(kept_beside "$file")
    on_failure rm -f "$kept"
    install -m 0600 "$file" "$kept"
  fi
  install -m 0600 "$taken/all/argus.env" "$file.argus-new"
  mv -T "$file.argus-new" "$file"
}

kept_beside() {
  local path=$1.first number=2
  while [ -e "$path" ]; do path=$1.first-$((number++)); done
  echo "$path"
}

as_argus() { setpriv --reuid=argus --regid=argus --clear-groups "$@"; }

# As the user argus, whose folders they are: root would follow a link that somebody put there.
take_state() {
  local part to path
  [ -n "$taken" ] || return 0
  doing="taking over from $from"
  chmod 0711 "$taken" "$taken/all"
  for part in state logs; do
    if [ ! -d "$taken/all/$part" ]; then continue; fi
    if [ "$part" = state ]; then to=$state; else to=$logs; fi
    if [ ! -e "$to" ]; then install -d -m 0750 -o argus -g argus "$to"; fi
    chown -hR argus:argus "$taken/all/$part"
    find "$taken/all/$part" -type f -printf '%P\n' >"$work/taken.files"
    while read -r path; do on_failure as_argus rm -f "$to/$path"; done <"$work/taken.files"
    as_argus cp -r --no-clobber --preserve=mode "$taken/all/$part/." "$to/"
  done
  path=$executor_state/restart-backoff.json
  if [ -f "$taken/all/executor/restart-backoff.json" ] && [ ! -e "$path" ]; then
    install -d -m 0700 "$executor_state"
    on_failure rm -f "$path"
    install -m 0600 "$taken/all/executor/restart-backoff.json" "$path"
  fi
  rm -rf "$taken"
}
