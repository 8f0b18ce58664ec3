#!/usr/bin/env bash
# Installs Argus with its own copy of Node and runs it under systemd, or upgrades it, or removes it.
# Run it as often as you like: what is as it should be is left alone; settings, local rules and state are always kept.
# Whatever goes wrong is undone: `on_failure` notes beside each change how, and `finish` does it.
set -euo pipefail
umask 022

readonly settings=/etc/argus state=/var/lib/argus executor_state=/var/lib/argus-executor logs=/var/log/argus
readonly unit_dir=/etc/systemd/system
readonly wrapper=/usr/local/bin/argus
readonly completion=/usr/local/share/bash-completion/completions/argus
readonly manual=/usr/local/share/man/man8/argus.8
readonly timer_stamp=/var/lib/systemd/timers/stamp-argus-daily.timer
readonly units=(
  argus.service argus-executor.socket argus-executor.service argus-once.service argus-once.timer
  argus-daily.service argus-daily.timer
)
readonly program_parts=(dist rules docs package.json argus.json)
readonly healthy_within_seconds=90

usage() {
  cat <<'TEXT'
usage: ./install.sh [options]

  --yes            ask nothing; without --mode, Argus may then act as argus.json
                   says
  --mode MODE      act: look, alert and repair; watch: look and alert, and
                   change nothing (argus mode changes it later)
  --from DIR       take over from the first Argus, the bash program: its
                   argus.env, state and logs are copied out of DIR (its checkout
                   or the folder of its state), its argus.timer and service are
                   stopped and disabled
  --dry-run        say what would be done, and change nothing
  --timer          a cycle every five minutes instead of the daemon
  --daemon         the daemon again, after --timer
  --prefix DIR     folder of the program (default: where it is now, else
                   /opt/argus)
  --node FILE      the Node.js that is copied (default: the newest on this
                   machine that its makers support; also looked for in the home
                   of the user who called sudo)
  --downgrade      install a version older than the one that is installed; what
                   it cannot read of the newer one's state is set aside
  --uninstall      stop Argus and remove the program; settings, local rules,
                   edited rules, state and logs stay
  --help

Exit status: 0 done, 1 it failed and everything is as it was, 2 wrong usage.
TEXT
}

# --- ending, whichever way -------------------------------------------------------------------------------------------

work=''        # a scratch folder
sentence=''    # what went wrong
doing='starting'
undo=()

# For the width of the terminal, less the columns that the lines are moved to the right.
folded() { fold -s -w "$((columns - 5))" | sed 's/ *$//'; }

terminal_columns() {
  local size
  size=$(stty size 2>/dev/null </dev/tty || true)
  if [ "${size#* }" -ge 40 ] 2>/dev/null; then echo "${size#* }"; else echo 80; fi
}

fail() {
  sentence=$1
  exit "${2:-1}"
}

on_failure() {
  local line
  printf -v line '%q ' "$@"
  undo+=("$line")
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  local status=$? i
  trap '' INT TERM HUP
  set +e
  for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
    eval "${undo[i]}" || printf 'install.sh: this could not be undone: %s\n' "${undo[i]}" >&2
  done
  [ -z "$work" ] || rm -rf -- "$work"
  if [ "$status" != 0 ]; then
    case $status in
      129 | 130 | 143) : "${sentence:=it was interrupted while $doing; everything is as it was before}" ;;
      *) : "${sentence:=it failed while $doing, as the message above says; everything is as it was before}" ;;
    esac
    # One line for a log, and the lines of a terminal for a person.
    if [ -t 2 ]; then
      columns=$(terminal_columns)
      printf 'install.sh: %s\n' "$sentence" | folded | sed '2,$s/^/  /' >&2
    else
      printf 'install.sh: %s\n' "$sentence" >&2
    fi
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# --- what is wanted --------------------------------------------------------------------------------------------------

present='' node_version='' node_folders='' # of what is there
action=install assume_yes='' dry_run='' runs_as='' mode='' prefix='' node='' from='' downgrade='' given=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --yes | -y) assume_yes=1 ;;
    --dry-run) dry_run=1 ;;
    --timer) runs_as=timer ;;
    --daemon) runs_as=daemon ;;
    --downgrade) downgrade=1 ;;
    --uninstall) action=uninstall ;;
    --prefix | --node | --from)
      [ $# -gt 1 ] && [ -n "$2" ] || fail "$1 needs a path; see --help" 2
      case $1 in --prefix) prefix=$2 ;; --node) node=$2 ;; --from) from=$2 ;; esac
      shift
      ;;
    --mode)
      [ $# -gt 1 ] || fail "--mode needs act or watch; see --help" 2
      [[ ${2:-} =~ ^(watch|act)$ ]] || fail "--mode is '${2:-}', but must be watch or act" 2
      mode=$2
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "there is no option $1; see --help" 2 ;;
  esac
  shift
done

# --- what is there ---------------------------------------------------------------------------------------------------

is_root() { [ "$(id -u)" = 0 ]; }
is_active() { systemctl is-active --quiet "$1"; }
is_enabled() { systemctl is-enabled --quiet "$1" 2>/dev/null; }
is_user() { getent passwd argus >/dev/null; }
is_group() { getent group argus >/dev/null; }
property() { systemctl show --value --property="$2" "$1"; }

# A program folder that this script made: anything else is never removed or replaced.
is_program() { [ -x "$1/bin/node" ] && grep -qs '"name": "argus-watchdog"' "$1/package.json"; }

installed_prefix() {
  [ ! -e "$unit_dir/argus.service" ] || sed -n 's#^ExecStart=\(/.*\)/bin/node .*#\1#p' "$unit_dir/argus.service" | head -n 1
}

# The folder of the program that was last seen to work, also after an installation that was cut off; nothing without one.
present_program() {
  local path
  for path in "$prefix.old" "$(installed_prefix)" "$prefix"; do
    if is_program "${path:-/nowhere}"; then echo "$path"; return; fi
  done
}

version_in() { sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$1/package.json" | head -n 1; }

check_host() {
  is_root || [ -n "$dry_run" ] || fail "it must run as root; run: sudo ./install.sh ${given[*]}"
  [ -d /run/systemd/system ] ||
    fail "systemd is not running here; run 'npm start' for a look, or 'node dist/main.js run' under your own supervisor"
  local version
  version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 247 ] ||
    fail "systemd is version ${version:-unknown}, and Argus's units need 247 or newer; upgrade the system, or run 'node dist/main.js run' under your own supervisor"
}

choose_prefix() {
  local installed above
  installed=$(installed_prefix)
  prefix=${prefix:-${installed:-/opt/argus}}
  while [[ $prefix == ?*/ ]]; do prefix=${prefix%/}; done
  [[ $prefix =~ ^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$ ]] ||
    fail "--prefix is '$prefix', but must be an absolute path of letters, digits and . _ + -" 2
  [[ ! $prefix =~ ^(/var|/dev)?/(tmp|shm)/ ]] || fail "--prefix must not lie in a folder that is emptied; name one such as /opt/argus" 2
  [ ! -e "$prefix" ] || is_program "$prefix" || [ -z "$(ls -A "$prefix" 2>&1)" ] ||
    fail "$prefix holds something else than Argus; move it away, or name another folder with --prefix"
  above=${prefix%/*}
  while [ -n "$above" ]; do
    only_root_writes "$above" ||
      fail "others than root can write $above, and so could replace the program that runs as root; name another folder with --prefix"
    above=${above%/*}
  done
}

only_root_writes() {
  local owner group mode
  [ -e "$1" ] || return 0
  read -r owner group mode <<<"$(stat -L -c '%u %g %A' "$1")"
  [ "$owner" = 0 ] && [[ $mode != ????????w* ]] && [[ $group = 0 || $mode != ?????w* ]]
}

# What ARGUS_MODE is set to, read as the program reads it (byte order mark, carriage returns, quotes); nothing where it is
# not set, and "unclear" where it is set twice or to something else: the program refuses that, and it stays as it is.
present_mode() {
  local values
  [ -f "$settings/argus.env" ] || return 0
  values=$(LC_ALL=C sed -n "1s/^\xEF\xBB\xBF//
    s/[[:space:]]*\$//
    s/^[[:space:]]*\(export[[:space:]]*\)\{0,1\}ARGUS_MODE[[:space:]]*=[[:space:]]*//p" "$settings/argus.env" |
    sed "s/^\([\"']\)\(.*\)\1\$/\2/")
  case $values in
    '' | watch | act) printf '%s' "$values" ;;
    *) printf unclear ;;
  esac
}

# The mode that is set stays, unless --mode says another; an Argus from before there were modes goes on acting. Sets
# `asks_mode` where a person is to say.
choose_mode() {
  local present installed
  present=$(present_mode)
  installed=$(installed_prefix)
  asks_mode=''
  if [ "$present" = unclear ] && [ -z "$mode" ]; then
    echo "ARGUS_MODE in $settings/argus.env is set twice, or to something else than watch or act; it stays as it is: argus check" >&2
  fi
  mode=${mode:-$present}
  if [ -n "$mode" ] || is_program "${installed:-/nowhere}"; then return; fi
  # An Argus that was here before, and whose settings are lost.
  if grep -qs '"mode": *"watch"' "$executor_state/mode.json"; then mode=watch; return; fi
  if [ -n "$assume_yes" ]; then mode=act; else asks_mode=1; fi
}

readonly may_act='restart the services with "restart": true in argus.json, kill what processes.killable names when it is abandoned, kill stale tmux sessions on the sockets of tmuxSockets, and clean old files of the fixed safelist, all within hourly budgets'
readonly may_watch='look, alert, and record what it would have done; it changes nothing on this machine'

ask_mode() {
  local answer
  [ -n "$asks_mode" ] || return 0
  printf '%s\n' "" "May Argus act on this machine, or only watch it? (argus mode changes it later)"
  printf '%s\n' "act: $may_act" "watch: $may_watch" | folded | sed '/^\(act\|watch\): /!s/^/    /; s/^/  /'
  until [[ $mode =~ ^(watch|act)$ ]]; do
    read -r -p "watch or act? " mode || fail "nothing was changed, because there was no answer"
  done
}

check_masked() {
  local unit
  for unit in "${units[@]}"; do
    [ "$(property "$unit" LoadState)" != masked ] ||
      fail "$unit is masked, so somebody wants it not to run; systemctl unmask $unit first"
  done
}

# An older version does not know what a newer one writes into its state and settings.
check_downgrade() {
  local installed own
  if [ -z "$present" ] || [ -n "$downgrade" ]; then return; fi
  installed=$(version_in "$present") own=$(version_in "$source_dir")
  is_older "$own" "$installed" || return 0
  fail "Argus $installed is installed in $present, and this is the older $own, which may not read the state that $installed wrote; run the install.sh of $installed or newer, or add --downgrade: what $own cannot read is then set aside, so backoffs, budgets and silences may begin anew"
}

# 1.0.0-rc.1 comes before 1.0.0; sort has ~ for that.
is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | tr - '~' | sort -V | head -n 1 | tr '~' -)" = "$1" ]; }

check_user() {
  local uid shell
  is_user || return 0
  IFS=: read -r _ _ uid _ _ _ shell <<<"$(getent passwd argus)"
  [[ $uid -lt 1000 && $shell == */nologin ]] ||
    fail "the user argus is somebody's account here (uid $uid, shell $shell), and Argus needs a system user of that name; rename that account first"
}

# --- the build -------------------------------------------------------------------------------------------------------

needs_build() {
  local built=$source_dir/dist/main.js
  [ -f "$built" ] || return 0
  [ -d "$source_dir/src" ] || return 1 # a package without sources: what it brings is what there is
  [ -n "$(cd "$source_dir" && find src scripts/build.mjs package.json package-lock.json -newer "$built" -print -quit)" ]
}

# As the owner of the clone: root would leave files behind that its owner can neither change nor remove.
as_owner() {
  local uid gid home
  read -r uid gid <<<"$(stat -c '%u %g' "$source_dir")"
  if [ "$uid" = "$(id -u)" ]; then
    (cd "$source_dir" && "$@")
    return
  fi
  home=$(getent passwd "$uid" | cut -d: -f6)
  (cd "$source_dir" && setpriv --reuid="$uid" --regid="$gid" --clear-groups env HOME="${home:-/}" "$@")
}

build() {
  local path npm
  path="$(dirname "$node")$node_folders:$PATH"
  npm=$(PATH=$path command -v npm) || fail "npm is not found, and Argus is not built yet; install npm, or build elsewhere (npm ci && npm run build) and copy the folder here"
  doing="building in $source_dir"
  if [ ! -d "$source_dir/node_modules" ] || [ "$source_dir/package-lock.json" -nt "$source_dir/node_modules/.package-lock.json" ]; then
    as_owner env PATH="$path" "$npm" ci --no-audit --no-fund >"$work/build.log" 2>&1 ||
      fail_build "npm ci failed in $source_dir as said above; look whether the network is there, and run it by hand"
  fi
  as_owner env PATH="$path" "$npm" run build >"$work/build.log" 2>&1 ||
    fail_build "npm run build failed in $source_dir as said above; run 'npm ci && npm run build' there by hand"
}

fail_build() {
  tail -n 20 "$work/build.log" >&2
  fail "$1"
}

# --- what is to be done ----------------------------------------------------------------------------------------------

# Every file outside of the program's folder, as it should be, below $work/files.
render() {
  local files=$work/files unit
  rm -rf "$files"
  mkdir -p "$files$unit_dir" "$files${wrapper%/*}" "$files${completion%/*}" "$files${manual%/*}"
  for unit in "${units[@]}"; do
    sed "s#/opt/argus/#$prefix/#g" "$(unit_source "$unit")" >"$files$unit_dir/$unit"
  done
  sed "s#/opt/argus/#$prefix/#g" "$source_dir/systemd/argus-command.sh" >"$files$wrapper"
  cp "$source_dir/docs/argus.8" "$files$manual"
  if [ -f "$source_dir/dist/main.js" ]; then
    "$node" "$source_dir/dist/main.js" completion >"$files$completion" || rm "$files$completion"
  fi
}

unit_source() {
  if [ -e "$source_dir/$1" ]; then echo "$source_dir/$1"; else echo "$source_dir/systemd/$1"; fi
}

mode_of() { if [ "$1" = "$wrapper" ]; then echo 0755; else echo 0644; fi; }

changed_files() {
  local path
  find "$work/files" -type f -printf '/%P\n' | sort | while read -r path; do
    cmp -s "$work/files$path" "$path" && [ "$(stat -c '0%a' "$path")" = "$(mode_of "$path")" ] || echo "$path"
  done
}

missing_settings() {
  local path
  for path in "$settings/argus.json" "$settings/argus.env" "$settings/rules.d"; do
    [ -e "$path" ] || echo "$path"
  done
}

is_same_program() {
  local part
  is_program "$prefix" || return 1
  for part in "${program_parts[@]}"; do diff -rq "$source_dir/$part" "$prefix/$part" >/dev/null 2>&1 || return 1; done
  diff -rq "$source_dir/rules" "$prefix/rules.shipped" >/dev/null 2>&1 || return 1
  cmp -s "$source_dir/prompt.md" "$prefix/prompt.md.shipped" && cmp -s "$node" "$prefix/bin/node"
}

# In force now: the daemon or the timer.
present_run() { if is_enabled argus-once.timer; then echo timer; else echo daemon; fi; }
main_unit() { if [ "$runs_as" = timer ]; then echo argus-once.timer; else echo argus.service; fi; }
other_unit() { if [ "$runs_as" = timer ]; then echo argus.service; else echo argus-once.timer; fi; }

wanted_units() { echo "argus-executor.socket $(main_unit) argus-daily.timer"; }

is_running_as_wanted() {
  local unit
  for unit in $(wanted_units); do is_enabled "$unit" && is_active "$unit" || return 1; done
  ! is_enabled "$(other_unit)" && ! is_active "$(other_unit)"
}

# Fills `plan` with a line for each step, and the variables that the steps look at.
make_plan() {
  local missing
  doing='looking at what is there'
  plan=() notes=() to_build='' to_put=''
  if needs_build; then
    to_build=1
    plan_to "build it in $source_dir: npm ci && npm run build, as user $(stat -c %U "$source_dir")"
  fi
  if ! is_user || ! is_group; then plan_to "make the system user argus and its group; members of the group may read Argus's state and logs"; fi
  missing_settings >"$work/missing"
  mapfile -t missing <"$work/missing"
  [ "${#missing[@]}" = 0 ] || plan_to "make ${missing[*]}"
  plan_first
  if [ -n "$asks_mode" ]; then
    plan_to "ask whether Argus may act or only watch (--mode says it beforehand), and write it into $settings/argus.env"
  elif [ "$mode" != "$(present_mode)" ]; then
    if [ "$mode" = watch ]; then
      plan_to "write ARGUS_MODE=watch into $settings/argus.env: Argus may then $may_watch"
    else
      plan_to "write ARGUS_MODE=act into $settings/argus.env: Argus may then $may_act (--mode watch makes it only look and alert)"
    fi
  fi
  if [ -n "$to_build" ] || ! is_same_program; then
    to_put=1
    if [ -n "$downgrade" ] && [ -n "$present" ] && is_older "$(version_in "$source_dir")" "$(version_in "$present")"; then
      note_that "$(version_in "$source_dir") is older than $(version_in "$present"): what it cannot read of the state is set aside beside it as FILE.corrupt-N; settings that it does not know make it refuse before anything is changed"
    fi
    if is_program "$prefix"; then
      local what="version $(version_in "$source_dir") in the place of $(version_in "$prefix")"
      [ "$(version_in "$source_dir")" != "$(version_in "$prefix")" ] || what="the program anew"
      plan_to "put $what in $prefix, with its own Node $node_version"
    else
      plan_to "put the program into $prefix, with its own Node $node_version (a copy of $node)"
    fi
    note_that "$(say_support)"
    plan_rules
  fi
  render
  changed_files >"$work/changed"
  mapfile -t files <"$work/changed"
  [ "${#files[@]}" = 0 ] || plan_to "write ${files[*]}"
  old_prefix=$(installed_prefix)
  if [ "$old_prefix" = "$prefix" ] || ! is_program "${old_prefix:-/nowhere}"; then old_prefix=''; fi
  [ -z "$old_prefix" ] || plan_to "remove $old_prefix, once the one in $prefix is up"
  if [ -n "${mended:-}$to_put$to_take${files[*]}" ] || ! is_running_as_wanted; then
    plan_to "start $(main_unit) and wait until a first cycle is complete; if it does not come up, undo all of this"
  fi
}

# What a person should know beside the steps; nothing for an empty text.
note_that() { [ -z "$1" ] || notes+=("$1"); }

# A function, because bash 5.2 cannot run a trap while it expands $(...) inside of an array's brackets.
plan_to() { plan+=("$1"); }

print_plan() {
  local line
  for line in "${plan[@]}"; do printf '%s\n' "$line" | folded | sed '1s/^/  - /; 2,$s/^/    /'; done
  for line in "${notes[@]}"; do printf '%s\n' "$line" | folded | sed '1s/^/  ! /; 2,$s/^/    /'; done
}

confirm() {
  local answer
  [ -z "$assume_yes" ] || return 0
  [ -t 0 ] || fail "there is no terminal to ask on; run it with --yes"
  read -r -p "Go on? [y/N] " answer || true
  [[ $answer =~ ^[yY]([eE][sS])?$ ]] || fail "nothing was changed, because the answer was not yes"
}

# --- the steps -------------------------------------------------------------------------------------------------------

make_user() {
  doing='making the user argus'
  if is_user; then
    is_group && return
    groupadd --system argus
    on_failure groupdel argus
    return
  fi
  local group=(--user-group)
  if is_group; then group=(--gid argus); fi
  useradd --system "${group[@]}" --no-create-home --home-dir "$state" --shell /usr/sbin/nologin --comment 'Argus watchdog' argus
  on_failure userdel argus
}

make_settings() {
  doing="making $settings"
  if [ ! -e "$settings" ]; then
    on_failure rmdir "$settings"
    install -d -m 0755 "$settings"
  fi
  if [ ! -e "$settings/rules.d" ]; then
    on_failure rmdir "$settings/rules.d"
    install -d -m 0755 "$settings/rules.d"
  fi
  if [ ! -e "$settings/argus.json" ]; then
    on_failure rm -f "$settings/argus.json"
    # An editor finds the schema in the program's folder.
    sed "s#\"\./docs/#\"$prefix/docs/#" "$source_dir/argus.json" >"$work/argus.json"
    install -m 0644 "$work/argus.json" "$settings/argus.json"
  fi
  if [ ! -e "$settings/argus.env" ]; then
    on_failure rm -f "$settings/argus.env"
    install -m 0600 "$source_dir/argus.env.example" "$settings/argus.env"
  fi
}

# With the program itself, which keeps the rest of the file and notes who asked. It stands where it will run by now.
set_mode() {
  doing="setting the mode in $settings/argus.env"
  local path
  if [ -z "$mode" ] || [ "$mode" = "$(present_mode)" ]; then return; fi
  for path in "$settings/argus.env" "$executor_state/mode.json"; do
    if [ -e "$path" ]; then
      cp --preserve=all "$path" "$work/${path##*/}.before"
      on_failure cp --preserve=all "$work/${path##*/}.before" "$path"
    else
      on_failure rm -f "$path"
    fi
  done
  env -u ARGUS_CONFIG -u ARGUS_MODE "$wrapper" mode "$mode" >"$work/mode" 2>&1 || {
    cat "$work/mode" >&2
    fail "the mode could not be set, as said above; everything is as it was before"
  }
}

# Beside the present program, which runs on undisturbed until this one has been tried.
stage_program() {
  doing="putting the program into $prefix.new"
  local new=$prefix.new part
  on_failure rm -rf "$new"
  install -d -m 0755 "${prefix%/*}" "$new" "$new/bin"
  install -m 0755 "$node" "$new/bin/node"
  "$node" --version >"$new/bin/node.version"
  for part in "${program_parts[@]}"; do cp -r "$source_dir/$part" "$new/"; done
  cp "$source_dir/prompt.md" "$new/prompt.md"
  cp "$source_dir/prompt.md" "$new/prompt.md.shipped"
  cp -r "$source_dir/rules" "$new/rules.shipped"
  # The prompt belongs to whoever runs Argus: what was written into it stays.
  if [ -e "$present/prompt.md.shipped" ] && ! cmp -s "$present/prompt.md" "$present/prompt.md.shipped"; then
    cp "$present/prompt.md" "$new/prompt.md"
    echo "Your prompt.md was changed and is kept; the shipped one is $prefix/prompt.md.shipped."
  fi
  if ldd "$new/bin/node" 2>/dev/null | grep -q libnode; then
    echo "This Node needs the system's libnode, so a system upgrade can break it; one from nodejs.org or nvm needs none (--node FILE)."
  fi
  chown -R root:root "$new"
  chmod -R u=rwX,go=rX "$new"
  try_out "$new" ||
    fail "the new version does not start with its own copy of Node, as said above; everything is as it was before; try another Node.js with --node FILE"
}

try_out() {
  local status=0
  "$1/bin/node" "$1/dist/main.js" --version >"$work/tried" 2>&1 || {
    cat "$work/tried" >&2
    return 1
  }
  "$1/bin/node" "$1/dist/main.js" check >"$work/tried" 2>&1 || status=$?
  case $status in
    0) ;;
    1) sed 's/^/  /' "$work/tried" ;; # a rule test of theirs fails: no reason to go without a watchdog
    *)
      cat "$work/tried" >&2
      fail "the settings or rules have an error, as said above; fix it ${taken:+in the argus.env of $from }and run install.sh again; everything is as it was before"
      ;;
  esac
}

is_up_or_starting() { [[ $(property "$1" ActiveState) =~ ^(active|activating|reloading)$ ]]; }

stop_all() {
  local unit
  for unit in argus-once.timer argus-daily.timer argus-daily.service argus-once.service argus.service argus-executor.socket argus-executor.service; do
    if is_up_or_starting "$unit"; then systemctl stop "$unit"; fi
  done
}

# shellcheck disable=SC2317  # these two are called through on_failure
as_before() {
  local unit
  systemctl daemon-reload
  for unit in $1; do systemctl enable --quiet "$unit"; done
  for unit in $2; do timeout "$healthy_within_seconds" systemctl start "$unit"; done
}

away_with_units() {
  stop_all
  systemctl disable --quiet "${units[@]}" 2>/dev/null || true
  systemctl reset-failed "${units[@]}" 2>/dev/null || true
}

note_present() {
  local unit active='' enabled=''
  for unit in "${units[@]}"; do
    if is_up_or_starting "$unit" && [[ $unit != *@(executor|once|daily).service ]]; then active+="$unit "; fi
    if is_enabled "$unit"; then enabled+="$unit "; fi
  done
  [ -e "$timer_stamp" ] || on_failure rm -f "$timer_stamp"
  on_failure as_before "$enabled" "$active"
}

put_files() {
  doing='writing the units and the command'
  local path
  for path in "${files[@]}"; do
    if [ -e "$path" ]; then
      install -D -m 0600 "$path" "$work/before$path"
      on_failure put "$work/before$path" "$path"
    else
      on_failure rm -f "$path"
    fi
    put "$work/files$path" "$path"
  done
}

# In one step: nobody ever reads half a file.
put() {
  install -D -m "$(mode_of "$2")" "$1" "$2.argus-new"
  mv -T "$2.argus-new" "$2"
}

# Before the two units there was one, run by root, and its state belonged to root.
hand_over_state() {
  local path name
  doing='handing the state over to the user argus'
  [ -e "$executor_state" ] || on_failure rm -rf "$executor_state"
  for name in executor.json restart-backoff.json pause.json; do
    # What lies in the folder of the user argus is no memory of the executor's, whatever it is called.
    if [ "$(stat -c %U "$state" 2>/dev/null)" != root ] || [ "$(stat -c '%U %F' "$state/$name" 2>/dev/null)" != 'root regular file' ]; then continue; fi
    if [ -e "$executor_state/$name" ]; then continue; fi
    install -d -m 0700 "$executor_state"
    on_failure mv "$executor_state/$name" "$state/$name"
    mv "$state/$name" "$executor_state/$name"
  done
  for path in "$state" "$logs"; do
    if [ ! -e "$path" ]; then
      on_failure rm -rf "$path"
      continue
    fi
    if [ "$(stat -c %U "$path")" = argus ]; then continue; fi
    on_failure chown -hR "$(stat -c '%u:%g' "$path")" "$path"
    chown -hR argus:argus "$path"
  done
}

# What an older version wrote was closed to the group. Done by the user argus: root would follow a link that somebody put
# there. The daemon writes meanwhile, so a file may be gone by now.
share_state() {
  setpriv --reuid=argus --regid=argus --clear-groups find "$state" "$logs" -user argus ! -name last_response.json \
    \( -type d ! -perm -050 -exec chmod g+rx {} + -o -type f ! -perm -040 -exec chmod g+r {} + \) 2>/dev/null || true
}

swap_program() {
  doing="putting the new program into $prefix"
  if [ -e "$prefix" ]; then
    rm -rf "$prefix.old"
    on_failure mv -T "$prefix.old" "$prefix"
    mv -T "$prefix" "$prefix.old"
  fi
  on_failure rm -rf "$prefix"
  mv -T "$prefix.new" "$prefix"
}

start_all() {
  local unit trouble=''
  doing="waiting for the first cycle"
  systemctl daemon-reload
  if is_enabled "$(other_unit)" || is_active "$(other_unit)"; then systemctl disable --quiet --now "$(other_unit)"; fi
  for unit in $(wanted_units); do systemctl enable --quiet "$unit"; done
  systemctl start argus-executor.socket argus-executor.service argus-daily.timer
  if [ "$runs_as" = timer ]; then
    systemctl start argus-once.timer
    timeout "$healthy_within_seconds" systemctl start argus-once.service || trouble="argus-once.service did not get through a cycle"
  else
    systemctl start --no-block argus.service
    wait_for_daemon || trouble="argus.service $trouble"
  fi
  if [ -z "$trouble" ] && ! is_active argus-executor.service; then trouble="argus-executor.service does not stay up"; fi
  [ -z "$trouble" ] && return
  last_words >&2
  fail "$trouble, so $undone_by_now; the lines above are its last words"
}

# What the programs of this start have said; what systemd says about them tells less.
last_words() {
  local unit id matches=()
  for unit in argus.service argus-once.service argus-executor.service; do
    id=$(property "$unit" InvocationID)
    matches+=(+ "_SYSTEMD_INVOCATION_ID=$id")
  done
  journalctl --sync
  journalctl "${matches[@]:1}" --lines=8 --output=cat --no-pager | sed 's/^/  /'
}

# Sets `trouble` when it gives up.
wait_for_daemon() {
  local end=$((SECONDS + healthy_within_seconds)) active
  while [ "$SECONDS" -lt "$end" ]; do
    active=$(property argus.service ActiveState)
    case $active/$(property argus.service SubState) in
      active/*) return 0 ;;
      failed/* | */auto-restart)
        trouble="ended at once ($(property argus.service Result), status $(property argus.service ExecMainStatus))"
        return 1
        ;;
    esac
    sleep 0.2
  done
  trouble="had no complete cycle within $healthy_within_seconds s"
  return 1
}

# A run that was killed before it could clean up. What stands in .old is the last version that was seen to work.
mend_interrupted() {
  mended=''
  doing='cleaning up after an installation that was cut off'
  rm -rf "$prefix.new"
  if is_program "$prefix.old"; then
    rm -rf "$prefix"
    mv -T "$prefix.old" "$prefix"
    mended=1
    echo "An installation was cut off earlier; the version before it stands in $prefix again."
  fi
}

install_argus() {
  check_masked
  check_user
  check_first
  runs_as=${runs_as:-$(present_run)}
  choose_mode
  [ -n "$dry_run" ] || mend_interrupted
  present=$(present_program)
  check_downgrade
  choose_node "$present"
  make_plan
  if [ "${#plan[@]}" = 0 ]; then
    echo "Argus $(version_in "$prefix") is installed in $prefix and running; nothing to change."
    return
  fi
  if [ -n "$dry_run" ]; then
    echo "This would be done (nothing was changed):"
    print_plan
    return
  fi
  echo "Argus $(version_in "$source_dir"). This is going to be done:"
  print_plan
  confirm
  ask_mode
  asks_mode=''
  if [ -n "$to_build" ]; then
    build
    make_plan
    if [ "${#plan[@]}" = 0 ]; then return; fi
  fi
  if is_program "${old_prefix:-$prefix}"; then
    undone_by_now="version $(version_in "${old_prefix:-$prefix}") runs again"
  else
    undone_by_now="all that was installed is removed again"
  fi
  make_user
  make_settings
  take_settings
  if [ -n "$to_put" ]; then
    stage_program
    stage_rules
  fi
  note_present
  stop_first
  # One that hangs in its start is not started by starting it once more.
  if [ -n "$mended$to_put$to_take${files[*]}" ] || ! is_active "$(main_unit)"; then stop_all; fi
  hand_over_state
  take_state
  if [ -n "$to_put" ]; then
    put_kept_rules
    swap_program
  fi
  put_files
  set_mode
  on_failure away_with_units
  start_all
  undo=()
  share_state
  rm -rf "$prefix.old"
  if [ -n "$old_prefix" ]; then rm -rf "$old_prefix"; fi
}

say_what_next() {
  local reload='systemctl reload argus' restart='sudo systemctl restart argus, which hands the daemon a new copy'
  if [ "$runs_as" = timer ]; then
    reload='systemctl reload argus-executor'
    restart='the next cycle reads it'
  fi
  echo
  "$wrapper" doctor || true
  printf '\nNext\n'
  step 1 "name your services in $settings/argus.json, then: sudo argus check && sudo $reload"
  step 2 "put keys and tokens into $settings/argus.env, then: $restart"
  step 3 "argus status, argus explain; man argus"
  if [ "$(present_mode)" = watch ]; then
    echo "Argus only watches: what it would have done stands in its alerts and in argus explain. argus mode act lets it act." | folded
  fi
}

step() { printf '%s\n' "$2" | folded | sed "1s/^/  $1. /; 2,\$s/^/     /"; }

# --- away with it ----------------------------------------------------------------------------------------------------

uninstall() {
  local there=() path
  for path in "$prefix" "$prefix.old" "$prefix.new"; do if is_program "$path"; then there+=("$path"); fi; done
  for path in "${units[@]/#/$unit_dir/}" "$wrapper" "$completion" "$manual" "$timer_stamp"; do
    if [ -e "$path" ]; then there+=("$path"); fi
  done
  if [ "${#there[@]}" = 0 ]; then
    echo "Argus is not installed in $prefix; nothing to remove."
    return
  fi
  plan=() notes=()
  plan_to "stop argus and its executor"
  plan_rules_of_removed
  plan_to "remove $(printf '%s, ' "${there[@]}" | sed 's/, $//')"
  if is_user; then plan_to "remove the user argus; what is kept of its files is root's from then on"; fi
  plan_to "keep $settings, $state, $executor_state and $logs"
  if [ -n "$dry_run" ]; then
    echo "This would be done (nothing was changed):"
    print_plan
    return
  fi
  echo "This is going to be done:"
  print_plan
  confirm
  doing='removing Argus'
  away_with_units
  put_kept_rules
  keep_prompt
  undo=()
  rm -rf -- "${there[@]}"
  systemctl daemon-reload
  for path in "$state" "$logs"; do if [ -d "$path" ]; then chown -hR root:root "$path"; fi; done
  if is_user && ! userdel argus 2>"$work/userdel"; then
    echo "The user argus is still there: $(head -n 1 "$work/userdel")"
  fi
  cat <<TEXT
Argus is removed. Kept, and yours to remove:
  $settings  settings, secrets and local rules
  $state, $executor_state  state
  $logs  logs
TEXT
}

# --- all of it -------------------------------------------------------------------------------------------------------

check_host
columns=80
if [ -t 1 ]; then columns=$(terminal_columns); fi
work=$(mktemp -d)
if is_root; then
  exec 9<"$unit_dir"
  flock -n 9 || fail "another install.sh is at work; wait until it has ended"
fi
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]:-.}")" && pwd)
[ -n "${BASH_SOURCE[0]:-}" ] && [ -f "$source_dir/argus.service" ] && [ -f "$source_dir/install/node.sh" ] ||
  fail "install.sh must lie in the folder of Argus; clone the repository and run it there"
for part in "$source_dir"/install/*.sh; do
  # shellcheck disable=SC1090
  . "$part"
done
choose_prefix
[ "$action" = install ] || [ -z "$from$downgrade" ] || fail "--from and --downgrade are for an installation, not for --uninstall; see --help" 2
if [ "$action" = uninstall ]; then
  uninstall
  exit 0
fi
install_argus
if [ -z "$dry_run" ]; then say_what_next; fi
