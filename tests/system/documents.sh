#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# READMEs list every file of their directory, links lead somewhere, and man pages have no mistakes.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/../.."
n_failed=0
wrong() { echo "FAILED: $*" && n_failed=$((n_failed + 1)); }

# What stands in `backticks`, without endings: names of files, with * for several.
names_in() { grep -o '`[^`]*`' "$1" | tr -d '`' | sed -E 's/(\.bpf)?\.[ch]$//'; }

is_listed() { # NAME README
  local pattern
  while read -r pattern; do
    # shellcheck disable=SC2053
    [[ $1 == $pattern ]] && return
  done < <(names_in "$2")
  return 1
}

readmes=$(find . -name README.md -not -path './build/*' -printf '%P\n' | sort)
for readme in $readmes; do
  directory=$(dirname "$readme")
  case $directory in . | tests | scripts | docs) continue ;; esac
  for file in "$directory"/*.[ch] "$directory"/*/*.[ch]; do
    inside=$(dirname "$file")
    [ "$inside" = "$directory" ] || [ ! -e "$inside/README.md" ] || continue
    name=$(echo "${file#"$directory"/}" | sed -E 's/(\.bpf)?\.[ch]$//')
    is_listed "$name" "$readme" || is_listed "${name##*/}" "$readme" || wrong "$readme does not list $file"
  done
done

for document in $readmes docs/*.md; do
  while read -r link; do
    [[ $link == *://* ]] || [ -e "$(dirname "$document")/${link%%#*}" ] || wrong "$document: $link does not exist"
  done < <(grep -o '](\([^)#]*\)' "$document" | cut -c3-)
done

if command -v groff >/dev/null; then
  for page in docs/*.[1-8]; do
    complaints=$(groff -t -man -Tutf8 -ww "$page" 2>&1 >/dev/null)
    [ -z "$complaints" ] || wrong "$page: $complaints"
  done
fi

[ $n_failed = 0 ] && echo "PASS: documents"
