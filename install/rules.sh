# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of install.sh
# Part of install.sh: what somebody changed among the shipped rules stays, as local rules. `argus keep-rules` decides.

keep_rules() {
  env -u ARGUS_CONFIG -u ARGUS_RULES_DIR -u ARGUS_LOCAL_RULES_DIR "$@" >"$work/kept.said" 2>"$work/kept.errors"
}

# A program that does not even start is found out, and said, when it is tried.
plan_rules() {
  local line
  rm -rf "$work/kept" && mkdir "$work/kept"
  if [ -z "$present" ] || [ ! -f "$source_dir/dist/main.js" ]; then return; fi
  keep_rules "$node" "$source_dir/dist/main.js" keep-rules "$present" "$work/kept" || return 0
  tail -n +2 "$work/kept.said" >"$work/kept.lines"
  while read -r line; do plan_to "$line"; done <"$work/kept.lines"
}

# Once more, because somebody may have changed a rule while the question was on the screen.
stage_rules() {
  doing='keeping what was changed among the shipped rules'
  rm -rf "$work/kept" && mkdir "$work/kept"
  if [ -z "$present" ]; then return; fi
  keep_rules "$node" "$source_dir/dist/main.js" keep-rules "$present" "$work/kept" && return
  set_rules_aside
  tail -n +2 "$work/kept.said" >&2
}

# Without an answer the folder is set aside as it is: nobody goes without a watchdog for that, and nothing is lost.
set_rules_aside() {
  local to number=2
  cat "$work/kept.errors" >&2
  rm -rf "$work/kept" && mkdir -p "$work/kept/set-aside"
  to=$settings/rules.d/set-aside/rules
  while [ -e "$to" ]; do to=$settings/rules.d/set-aside/rules-$((number++)); done
  printf '%s\n' "$settings/rules.d" >"$work/kept.said"
  if [ ! -d "$present/rules" ] || [ -L "$present/rules" ]; then return; fi
  copy_rules "$work/kept/set-aside/${to##*/}"
  printf '%s\n' "set aside $present/rules as $to, but for links in it: what was changed in it could not be told, as said above" >>"$work/kept.said"
}

# The files alone, with their modes: a link may lead to what nobody else is to read. Odd names get a number instead.
copy_rules() {
  local path to number=1
  while IFS= read -r -d '' path; do
    to=$1/$path
    if [[ $path == *[[:cntrl:]]* ]]; then to=$1/file-$((number++)); fi
    mkdir -p "$(dirname "$to")"
    cp --no-dereference --preserve=mode,timestamps "$present/rules/$path" "$to"
  done < <(find "$present/rules" -type f -printf '%P\0')
}

# After the old version was stopped: it would take them for its own.
put_kept_rules() {
  local path folder mode_here paths=()
  find "$work/kept" -type f -printf '%P\0' >"$work/kept.files"
  mapfile -d '' -t paths <"$work/kept.files"
  if [ "${#paths[@]}" = 0 ]; then return; fi
  folder=$(head -n 1 "$work/kept.said")
  for path in "${paths[@]}"; do
    make_folder "$(dirname "$folder/$path")"
    on_failure rm -f "$folder/$path"
    mode_here=$(stat -c '%a' "$work/kept/$path")
    install -m "$(printf '%o' $((8#$mode_here & 8#644)))" "$work/kept/$path" "$folder/$path"
  done
}

make_folder() {
  if [ -d "$1" ]; then return; fi
  on_failure rmdir "$1"
  install -d -m "${2:-0755}" "$1"
}

# Before the program goes, its rules and its prompt with it.
plan_rules_of_removed() {
  local line
  rm -rf "$work/kept" && mkdir "$work/kept"
  present=$prefix
  if ! is_program "$prefix"; then return; fi
  if [ -d "$prefix/rules.shipped" ] && ! diff -rq "$prefix/rules" "$prefix/rules.shipped" >/dev/null 2>&1; then
    keep_rules "$prefix/bin/node" "$prefix/dist/main.js" keep-rules "$prefix" "$work/kept" --next "$prefix/rules.shipped" || set_rules_aside
    tail -n +2 "$work/kept.said" >"$work/kept.lines"
    while read -r line; do plan_to "$line"; done <"$work/kept.lines"
  fi
  if [ -e "$prefix/prompt.md.shipped" ] && ! cmp -s "$prefix/prompt.md" "$prefix/prompt.md.shipped"; then
    plan_to "keep your prompt.md as $(kept_prompt); ARGUS_PROMPT_FILE names it to another installation"
  fi
}

kept_prompt() {
  local path=$settings/prompt.md number=2
  while [ -e "$path" ] && ! cmp -s "$prefix/prompt.md" "$path"; do path=$settings/prompt-$((number++)).md; done
  echo "$path"
}

keep_prompt() {
  if [ -e "$prefix/prompt.md.shipped" ] && ! cmp -s "$prefix/prompt.md" "$prefix/prompt.md.shipped"; then
    install -m 0644 "$prefix/prompt.md" "$(kept_prompt)"
  fi
}
