#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TLS: who has a certificate of the CA gets in, at the database and at controllers, and nobody else does.
. "$(dirname "$0")/lib.sh"
for tool in openssl ovsdb-client ovs-testcontroller; do command -v $tool >/dev/null || skip "needs $tool"; done

# --- Certificates ---------------------------------------------------------------------------

pki=$work/pki
mkdir "$pki"
new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$pki/$1.key" 2>/dev/null; }
new_ca() { # NAME
  new_key "$1"
  openssl req -x509 -new -key "$pki/$1.key" -subj "/CN=$1" -days 2 -out "$pki/$1.pem" 2>/dev/null
}
new_certificate() { # NAME CA [OPTION...]
  local name=$1 ca=$2
  shift 2
  new_key "$name"
  openssl req -new -key "$pki/$name.key" -subj "/CN=$name" -out "$pki/$name.csr" 2>/dev/null
  openssl x509 -req -in "$pki/$name.csr" -CA "$pki/$ca.pem" -CAkey "$pki/$ca.key" -CAcreateserial -days 2 \
    "$@" -out "$pki/$name.pem" 2>/dev/null
}
new_ca ca
new_ca strangers
new_certificate server ca
new_certificate client ca
new_certificate expired ca -days -1
new_certificate stranger strangers
new_ca selfsigned
identity() { echo "-p $pki/$1.key -c $pki/$1.pem -C $pki/${2:-ca}.pem"; }

# --- The database ---------------------------------------------------------------------------

on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" --remote="punix:$work/db.sock" --remote=pssl:6640:127.0.0.1 \
  --remote=db:Open_vSwitch,Open_vSwitch,manager_options --private-key=db:Open_vSwitch,SSL,private_key \
  --certificate=db:Open_vSwitch,SSL,certificate --bootstrap-ca-cert=db:Open_vSwitch,SSL,ca_cert \
  --pidfile --detach --no-chdir --log-file="$work/ovsdb.log" -vconsole:off "$work/conf.db"
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
# shellcheck disable=SC2046
remote_vsctl() { on_switch ovs-vsctl -t 3 --no-wait --db=ssl:127.0.0.1:6640 $(identity "${@:1:1}") "${@:2}"; }
gets_in() { remote_vsctl "$1" list-br >/dev/null 2>&1; }

step "without a key nobody gets in"
! gets_in client || fail "a client gets in before there is a key"
vsctl init
! gets_in client || fail "a client gets in before there is a key"

step "set-ssl takes effect at once, and is what clients see"
vsctl set-ssl "$pki/server.key" "$pki/server.pem" "$pki/ca.pem"
gets_in client || fail "a client of the CA does not get in"
remote_vsctl client add-br br0
expect br0 "$(vsctl list-br)" "a bridge made over TLS"

step "who has no certificate of the CA"
for name in expired stranger selfsigned; do ! gets_in $name || fail "$name gets in"; done
accepts() { ip netns exec "$space" python3 "$(dirname "$0")/tls_client.py" 127.0.0.1 6640 "$@" 2>/dev/null; }
mine=("certificate=$pki/client.pem" "key=$pki/client.key")
accepts "${mine[@]}" || fail "another client does not get in"
! accepts || fail "a client without a certificate gets in"
for version in TLSv1 TLSv1_1; do
  ! accepts "version=$version" ciphers=ALL:@SECLEVEL=0 "${mine[@]}" || fail "$version is spoken"
done
! accepts version=TLSv1_2 ciphers=aNULL:@SECLEVEL=0 || fail "a cipher without certificates is spoken"
wait_until grep -q "unsupported protocol" "$work/ovsdb.log" || fail "old versions were not even tried"
for version in TLSv1_2 TLSv1_3; do
  accepts "version=$version" "${mine[@]}" || fail "$version is not spoken"
  ! accepts "version=$version" || fail "$version without a certificate gets in"
done

step "keys are read again when they change, and what does not fit leaves the old ones in use"
cp "$pki/ca.pem" "$pki/old.pem"
cp "$pki/strangers.pem" "$pki/ca.pem"
! gets_in client || fail "the CA was replaced, and its clients get in"
cp "$pki/old.pem" "$pki/ca.pem"
gets_in client || fail "the CA was put back"
echo nonsense >"$pki/ca.pem"
cp "$pki/old.pem" "$pki/ca.new" && accepts "${mine[@]}" || fail "half a change cuts off"
mv "$pki/ca.new" "$pki/ca.pem"
grep -q "stays in use" "$work/ovsdb.log" || fail "nothing is said about a file that makes no sense"

step "del-ssl"
vsctl del-ssl
! gets_in client || fail "a client gets in after del-ssl"
vsctl set-ssl "$pki/none.key" "$pki/server.pem" "$pki/ca.pem"
! gets_in client || fail "a client gets in without a key"
wait_until grep -q "private key $pki/none.key: No such file" "$work/ovsdb.log" || fail "a missing key is not named"
vsctl set-ssl "$pki/server.key" "$pki/server.pem" "$pki/ca.pem"
gets_in client || fail "a client does not get in again"

step "managers: pssl and ssl"
vsctl set-manager pssl:6641:127.0.0.1
wait_until eval "on_switch ovsdb-client -t 3 $(identity client) list-dbs ssl:127.0.0.1:6641" || fail "pssl manager"
vsctl set-manager ssl:127.0.0.1:6650
# shellcheck disable=SC2046
ip netns exec "$space" ovsdb-client -t 20 $(identity client) monitor pssl:6650:127.0.0.1 Bridge name >"$work/active" 2>&1 &
wait_until grep -q br0 "$work/active" || fail "the server does not connect by TLS"
row=$(vsctl --bare --columns=_uuid find Manager)
expect ACTIVE "$(vsctl get Manager "$row" status:state)" "state of a manager by TLS"
{ kill $! && wait $!; } 2>/dev/null || true
# shellcheck disable=SC2046
ip netns exec "$space" ovsdb-client -t 20 $(identity stranger strangers) monitor pssl:6650:127.0.0.1 Bridge name >"$work/active" 2>&1 &
wait_until eval "vsctl get Manager $row status:last_error | found 'the peer.s certificate'" || fail "a manager of strangers: $(vsctl get Manager "$row" status)"
! grep -q br0 "$work/active" || fail "the server talks to strangers"
{ kill $! && wait $!; } 2>/dev/null || true
vsctl del-manager

# --- The switch, and its controllers --------------------------------------------------------

weir() { on_switch "$WEIR_BUILD/cli/weir" --timeout=5 "$@"; }
# shellcheck disable=SC2046
tls_weir() { weir $(printf -- '--private-key=%s --certificate=%s' "$pki/$1.key" "$pki/$1.pem") "${@:2}"; }

step "vswitchd and weir reach the database by TLS"
start_forwarding_by_tls() {
  # shellcheck disable=SC2046
  on_switch "$WEIR_BUILD/vswitchd/vswitchd" $(identity client) ssl:127.0.0.1:6640 --pidfile --detach --no-chdir \
    --log-file="$work/vswitchd.log" -vconsole:off
}
start_forwarding_by_tls
expect br0 "$(tls_weir client --ca-cert="$pki/ca.pem" --db=ssl:127.0.0.1:6640 list-br)" "weir by TLS"
ovs-vsctl -t 10 add-br br1 || fail "vswitchd does not follow the database by TLS"
tls_weir stranger --ca-cert="$pki/ca.pem" --db=ssl:127.0.0.1:6640 list-br 2>"$work/said" && fail "a stranger's weir gets in"
found "unknown ca" <"$work/said" || fail "weir does not say why: $(cat "$work/said")"
tls_weir client --ca-cert="$pki/strangers.pem" --db=ssl:127.0.0.1:6640 list-br 2>"$work/said" && fail "weir believes a stranger"
found "the peer's certificate: " <"$work/said" || fail "weir does not say why: $(cat "$work/said")"

step "a CA that is learnt"
vsctl -- --bootstrap set-ssl "$pki/server.key" "$pki/server.pem" "$pki/ca.pem" # Of no effect: the file is there.
cat "$pki/server.pem" "$pki/ca.pem" >"$pki/chain.pem"
vsctl set-ssl "$pki/server.key" "$pki/chain.pem" "$pki/ca.pem"
expect br0 "$(tls_weir client --bootstrap-ca-cert="$pki/learnt.pem" --db=ssl:127.0.0.1:6640 list-br | head -n 1)" "weir that learns"
cmp <(openssl x509 -in "$pki/learnt.pem") <(openssl x509 -in "$pki/ca.pem") || fail "the CA that was learnt is another one"
tls_weir client --bootstrap-ca-cert="$pki/strangers.pem" --db=ssl:127.0.0.1:6640 list-br 2>/dev/null && fail "a CA that is there is not believed"

step "controllers by TLS, both ways"
bridge_has() { [ "$(ovs-vsctl get Controller "$(ovs-vsctl get Bridge br0 controller | tr -d '[]')" "$1" 2>/dev/null | tr -d '"')" = "$2" ]; }
controller() { # NAME CA OPTION...
  # shellcheck disable=SC2046
  ip netns exec "$space" ovs-testcontroller $(identity "$1" "$2") --no-chdir --unixctl=none "pssl:6653:127.0.0.1" &
}
controller client ca
ovs-vsctl set-controller br0 ssl:127.0.0.1:6653
wait_until bridge_has is_connected true || fail "no controller by TLS"
{ kill $! && wait $!; } 2>/dev/null || true
wait_until bridge_has is_connected false || fail "a controller that has gone"
controller stranger strangers
blames_certificate() { ovs-vsctl --columns=status list Controller | found "TLS: the peer's certificate"; }
wait_until blames_certificate ||
  fail "a strange controller: $(ovs-vsctl get Controller . status 2>&1)"
bridge_has is_connected false || fail "a strange controller is believed"
{ kill $! && wait $!; } 2>/dev/null || true
ovs-vsctl set-controller br0 pssl:6654:127.0.0.1
# shellcheck disable=SC2046
wait_until eval "on_switch ovs-ofctl $(identity client) show ssl:127.0.0.1:6654" || fail "ovs-ofctl by TLS"
expect "$(weir dump-flows br0 | wc -l)" "$(tls_weir client --ca-cert="$pki/ca.pem" dump-flows ssl:127.0.0.1:6654 | wc -l)" "flows by TLS"
! tls_weir stranger --ca-cert="$pki/ca.pem" dump-flows ssl:127.0.0.1:6654 2>/dev/null || fail "a stranger sees flows"

step "nonsense and stalled handshakes disturb nobody"
ip netns exec "$space" python3 "$(dirname "$0")/tls_strangers.py" 127.0.0.1 6640 "${WEIR_STALLED:-200}" "$work/stalled" &
wait_until test -e "$work/stalled" || fail "no stalled handshakes"
gets_in client || fail "stalled handshakes keep a client out"
vsctl list-br >/dev/null || fail "stalled handshakes keep a local client out"
first=$!
ip netns exec "$space" python3 "$(dirname "$0")/tls_strangers.py" 127.0.0.1 6654 100 "$work/stalled_too" &
wait_until test -e "$work/stalled_too" || fail "no stalled handshakes at the switch"
ovs-vsctl -t 2 add-br br2 || fail "stalled handshakes keep the switch busy"
# shellcheck disable=SC2046
on_switch ovs-ofctl $(identity client) show ssl:127.0.0.1:6654 >/dev/null || fail "stalled handshakes keep a controller out"
wait $! || fail "stalled handshakes are kept by the switch"
wait $first || fail "stalled handshakes are kept for longer than they should"
gets_in client || fail "a client does not get in afterwards"
