# shellcheck shell=bash
# What every script here shares. Sourced, never run; expects `set -euo pipefail` and a function `usage`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PRESETS=(release debug asan tsan fuzz)

# Bad input: one sentence, exit status 2.
refuse() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# Something that was asked for did not work: one sentence, exit status 1.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The answer to the flags that all scripts know; call it first with all arguments.
help_if_asked() {
  local argument
  for argument in "$@"; do
    case $argument in
      -h | --help)
        usage
        exit 0
        ;;
      --) return 0 ;;
    esac
  done
}

# value_of FLAG ARGUMENTS...: the value that follows a flag, or a refusal if there is none.
value_of() {
  [[ $# -ge 3 ]] || refuse "$1 needs a value; see --help."
  printf '%s' "$3"
}

check_preset() {
  local preset
  for preset in "${PRESETS[@]}"; do
    [[ $1 == "$preset" ]] && return 0
  done
  refuse "there is no preset '$1'; the presets are: ${PRESETS[*]}."
}

# configure PRESET: once, and again only if the build directory is gone. Ninja sees later changes itself.
configure() {
  local build=$ROOT/build/$1 log
  [[ -f $build/build.ninja ]] && return 0
  log=$(mktemp)
  if ! cmake -S "$ROOT" --preset "$1" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "the build could not be configured (preset $1)."
  fi
  rm -f "$log"
}

# build PRESET [TARGET ...]: everything, or these targets. Ninja draws one moving line on a terminal and prints
# plain lines elsewhere, there without the line that says that there was nothing to do.
build() {
  local preset=$1
  shift
  configure "$preset"
  (
    cd "$ROOT/build/$preset"
    export NINJA_STATUS="[$preset %f/%t, %es] "
    if [[ -t 1 ]]; then
      ninja "$@"
    else
      ninja "$@" | sed -u '/^ninja: no work to do\.$/d'
    fi
  ) || fail "the build failed (preset $preset); its output above says why."
}
