# SPDX-License-Identifier: Apache-2.0
# bash completion for weir(8): commands, options, and the names of bridges, ports and tables.

_weir_commands="up restart down status cleanup help version
show init add-br del-br list-br br-exists br-to-vlan br-to-parent
set-fail-mode get-fail-mode del-fail-mode br-set-external-id br-get-external-id
add-port del-port list-ports list-ifaces port-to-br iface-to-br add-bond add-bond-iface del-bond-iface
set-controller get-controller del-controller set-manager get-manager del-manager
add-mirror del-mirror list-mirrors set-qos del-qos set-queue del-queue list-qos
set-ssl get-ssl del-ssl add-aa-mapping del-aa-mapping get-aa-mapping
add-zone-tp del-zone-tp list-zone-tp list-dp-cap emer-reset
list find get set add remove clear create destroy wait-until comment db
add-flow add-flows mod-flows del-flows replace-flows diff-flows dump-flows dump-aggregate flows bundle packet-out monitor snoop ofp-parse ofp-parse-pcap ofp-print
add-group add-groups mod-group del-groups insert-buckets remove-buckets
dump-groups dump-group-stats dump-group-features
add-meter mod-meter del-meter del-meters dump-meters meter-stats meter-features
dump-ports dump-ports-desc mod-port dump-tables dump-table-features dump-table-desc mod-table dump-desc
queue-stats queue-get-config get-frags set-frags probe ping benchmark add-tlv-map del-tlv-map dump-tlv-map
ports fdb trace cache verify drops coverage memory log call"

_weir_options="--rundir= --db= --database= --timeout= --retry --no-wait --dry-run --json --pretty --format= --data=
--no-headings --bare --max-column-width= --oneline --protocols= --flow-format= --packet-in-format= --more --names --no-names --private-key= --certificate=
--ca-cert= --bootstrap-ca-cert= --peer-ca-cert= --ssl-protocols= --ssl-ciphers= --ssl-ciphersuites=
--verbose --log-file --commands --options
--help --version"

_weir_tables="AutoAttach Bridge CT_Timeout_Policy CT_Zone Controller Datapath
Flow_Sample_Collector_Set Flow_Table IPFIX Interface Manager Mirror NetFlow Open_vSwitch Port QoS Queue
SSL sFlow"

# Asks the switch, with the options that say where it is, and gives up soon.
_weir_ask() {
  "${COMP_WORDS[0]}" ${_weir_where[@]+"${_weir_where[@]}"} --timeout=1 "$@" 2>/dev/null
}

_weir_ports() { # [BRIDGE]
  local bridge
  for bridge in ${1:-$(_weir_ask list-br)}; do
    _weir_ask list-ports "$bridge"
  done
}

_weir_records() { # TABLE
  case ${1,,} in
  br*) _weir_ask list-br ;;
  po* | int*) _weir_ask --no-headings --data=bare --format=csv --columns=name list "$1" ;;
  o*) echo . ;;
  esac
}

_weir_own_options() { # COMMAND
  case $1 in
  add-br | add-port | add-bond-iface | add-zone-tp) echo "--may-exist" ;;
  add-bond) echo "--may-exist --fake-iface" ;;
  list-br) echo "--real --fake" ;;
  del-port) echo "--if-exists --with-iface" ;;
  set-controller | set-manager) echo "--inactivity-probe=" ;;
  set-ssl) echo "--bootstrap" ;;
  del-br | del-mirror | del-bond-iface | del-zone-tp | set | add | remove | clear) echo "--if-exists" ;;
  list) echo "--if-exists --columns=" ;;
  find) echo "--columns=" ;;
  get) echo "--if-exists --id=@" ;;
  create) echo "--id=@" ;;
  destroy) echo "--if-exists --all" ;;
  mod-flows | del-flows) echo "--strict --bundle" ;;
  add-group | mod-group) echo "--bundle --may-create" ;;
  add-flow | add-flows | add-groups | del-groups | *-buckets) echo "--bundle" ;;
  dump-flows) echo "--stats --no-stats --strict --sort --rsort" ;;
  replace-flows) echo "--bundle --readd" ;;
  flows) echo "--interval= --count= --once --lines= --bytes" ;;
  monitor | snoop | ofp-parse-pcap) echo "--timestamp" ;;
  dump-tables) echo "--all" ;;
  up) echo "--db-file= --read-only-group=" ;;
  db) echo "--columns= --timestamp --force" ;;
  verify) echo "--sample= --target=" ;;
  fdb | trace | cache | drops | coverage | memory | log | call) echo "--target=" ;;
  esac
}

_weir_arguments() { # COMMAND ARGUMENT...: what may come next.
  local command=$1 n=$(($# - 1))
  case $command:$n in
  help:0) echo "$_weir_commands" ;;
  del-port:0) _weir_ask list-br; _weir_ports ;;
  port-to-br:0 | iface-to-br:0 | drops:0 | add-bond-iface:0 | del-bond-iface:0 | *-qos:0 | *-queue:0) _weir_ports ;;
  set-qos:1) echo "linux-htb linux-hfsc" ;;
  add-mirror:2) echo "output_port= output_vlan= select_src_port= select_dst_port= select_vlan=" ;;
  add-br:1) _weir_ask list-br ;;
  add-zone-tp:0 | del-zone-tp:0 | list-zone-tp:0 | list-dp-cap:0) echo "system netdev" ;;
  add-zone-tp:1 | del-zone-tp:1) echo "zone=" ;;
  del-port:1 | dump-ports:1 | dump-ports-desc:1 | queue-*:1 | mod-port:1) _weir_ports "$2" ;;
  add-port:1 | add-bond:[2-9] | add-bond-iface:1) [ -d /sys/class/net ] && ls /sys/class/net ;;
  set-fail-mode:1) echo "standalone secure" ;;
  mod-port:*) echo "up down flood no-flood receive no-receive forward no-forward packet-in no-packet-in" ;;
  fdb:0) echo "show flush stats add del" ;;
  db:0) echo "list-dbs schema dump transact monitor backup restore compact check convert wait list find get set" ;;
  db:1 | db:2)
    case $2 in
    dump | monitor) echo "$_weir_tables" ;;
    backup | restore | check | convert) compgen -f -- "${COMP_WORDS[COMP_CWORD]}" ;;
    wait) echo "added connected removed" ;;
    esac
    ;;
  cache:0) echo "show dump kernel flush" ;;
  log:0) echo "list set reopen" ;;
  fdb:1 | cache:1) _weir_ask list-br ;;
  fdb:2) _weir_ports "$3" ;;
  call:0) _weir_ask call list-commands | awk 'NR > 1 { print $1 }' ;;
  list:0 | find:0 | get:0 | set:0 | add:0 | remove:0 | clear:0 | create:0 | destroy:0 | wait-until:0)
    echo "$_weir_tables"
    ;;
  list:* | get:1 | set:1 | add:1 | remove:1 | clear:1 | destroy:* | wait-until:1) _weir_records "$2" ;;
  flows:0) echo "watch" ;;
  flows:1) _weir_ask list-br ;;
  monitor:[1-9]) echo "invalid_ttl watch: resume" ;;
  set-frags:1) echo "normal drop reassemble nx-match" ;;
  mod-table:2) echo "name: evict noevict vacancy: novacancy drop continue controller" ;;
  diff-flows:*) _weir_ask list-br; compgen -f -- "${COMP_WORDS[COMP_CWORD]}" ;;
  ofp-print:* | ofp-parse-pcap:[1-9]) ;;
  add-flows:1 | replace-flows:1 | ofp-parse:0 | ofp-parse-pcap:0 | bundle:1 | add-groups:1 | set-ssl:*) compgen -f -- "${COMP_WORDS[COMP_CWORD]}" ;;
  *-manager:* | *-ssl:* | emer-reset:* | comment:* | add-br:* | up:* | restart:* | down:* | status:* | cleanup:* | verify:* | version:* | init:* | list-br:* | coverage:* | memory:*) ;;
  *:0) _weir_ask list-br ;;
  esac
}

_weir() {
  local word=${COMP_WORDS[COMP_CWORD]} command="" i candidates
  local -a arguments=() _weir_where=()
  # Words after the last "--" are the command being typed; "=" is a word of its own to bash.
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    --) command="" arguments=() ;;
    --rundir | --db)
      if [ "${COMP_WORDS[i + 1]}" = = ]; then
        _weir_where+=("${COMP_WORDS[i]}=${COMP_WORDS[i + 2]}")
        i=$((i + 2))
      fi
      ;;
    -t | -O | -F | -P | -f | -d) i=$((i + 1)) ;;
    -*) [ "${COMP_WORDS[i + 1]}" = = ] && i=$((i + 2)) ;;
    *) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else arguments+=("${COMP_WORDS[i]}"); fi ;;
    esac
  done
  if [[ $word == -* ]]; then
    candidates="$_weir_options $(_weir_own_options "$command")"
  elif [ -z "$command" ]; then
    candidates=$_weir_commands
  else
    candidates=$(_weir_arguments "$command" ${arguments[@]+"${arguments[@]}"})
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
  [[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace
}

complete -F _weir weir
