# SPDX-License-Identifier: Apache-2.0
# bash completion for ovsdb-lite(8) and vswitchd(8): the options are those of --help.

_weir_daemon() { # PROGRAM WORD PREVIOUS
  local word=$2 option=$3 candidates=""
  [ "$option" = = ] && option=${COMP_WORDS[COMP_CWORD - 2]}
  [ "$word" = = ] && option=$3 word=""
  case $option in
  --user) candidates=$(compgen -u) ;;
  --read-only-group) candidates=$(compgen -g) ;;
  --ssl-protocols) candidates="TLSv1.2 TLSv1.3 TLSv1.2,TLSv1.3" ;;
  --remote) candidates="punix: ptcp: pssl: unix: tcp: ssl: db:" ;;
  *)
    if [[ $word == -* ]]; then
      candidates=$("$1" --help 2>/dev/null | grep -oE -- '--[a-z][-a-z]+=?' | sort -u)
      [ "${COMP_WORDS[1]}" != check ] || candidates="--repair --help"
    elif [ "$COMP_CWORD" = 1 ] && [ "${1##*/}" = ovsdb-lite ]; then
      candidates="check export create"
    fi
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
  [[ ${COMPREPLY[*]} == *[=:] ]] && compopt -o nospace 2>/dev/null
  return 0
}

# What is none of these is a file.
complete -o default -F _weir_daemon ovsdb-lite vswitchd
