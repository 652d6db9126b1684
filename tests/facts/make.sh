#!/bin/bash
# Builds the hosts of this folder for real, in throw-away namespaces with wireguard-go, and writes down
# what the standard tools say of them (contract §3).
#
#   make.sh [NAME...]      as root; without names: all of them. expected.json is written by hand.
#
#                      eth0 ┌─────────────────────────┐
#        the host ──────────┤ "net": gateways, peers  │     every other link of the host ends there too
#                      ethN └─────────────────────────┘
#
# The keys are made from the names, so only counters and times differ from run to run.
set -euo pipefail
here=$(readlink -f "$(dirname "$0")")

if [ -z "${FACTS_MOUNTS:-}" ]; then # wireguard-go's sockets shall be nobody else's (S-E21)
    mkdir -p /run/wireguard
    FACTS_MOUNTS=1 exec unshare --mount "$(readlink -f "$0")" "$@"
fi
mount -t tmpfs tmpfs /run/wireguard

host=facts-host-$$ net=facts-net-$$ pids=()

private() { printf %s "$1" | openssl dgst -sha256 -binary | base64; }
public() { private "$1" | wg pubkey; }
on() { ip netns exec "$host" "$@"; }
far() { ip netns exec "$net" "$@"; }

begin() {
    name=$1 links=0 folder=$here/$1
    mkdir -p "$folder/conf"
    ip netns add "$host"
    ip netns add "$net"
    on ip link set lo up
    far ip link set lo up
    # A new namespace takes rp_filter and others from the initial one; begin with the kernel's own.
    for key in rp_filter forwarding src_valid_mark; do
        for link in all default; do on sysctl -qw "net.ipv4.conf.$link.$key=0"; done
    done
}

end() {
    local pid
    for pid in "${pids[@]}"; do # no function may stand between: $! must be wireguard-go itself
        kill "$pid" && wait "$pid" || true
    done
    pids=()
    ip netns del "$host"
    ip netns del "$net"
}

# link NAME FAR-ADDRESS[,…] ADDRESS… : a cable to "net"
link() {
    local link=$1 theirs=$2 address
    shift 2
    links=$((links + 1))
    ip -n "$host" link add "$link" address "02:00:00:00:00:0$links" type veth \
        peer name "far$links" address "02:00:00:00:01:0$links" netns "$net"
    on ip link set "$link" up
    far ip link set "far$links" up
    for address in "$@"; do on ip address add "$address" dev "$link" nodad 2>/dev/null || on ip address add "$address" dev "$link"; done
    for address in ${theirs//,/ }; do far ip address add "$address" dev "far$links" 2>/dev/null || true; done
}

# wireguard NAME ADDRESS… : wireguard-go, configured by conf/NAME.conf (on stdin)
wireguard() {
    local link=$1 address
    shift
    ip netns exec "$host" wireguard-go -f "$link" >/dev/null 2>&1 &
    pids+=($!)
    until on wg show "$link" >/dev/null 2>&1; do sleep 0.1; done
    cat >"$folder/conf/$link.conf"
    on wg addconf "$link" <(grep -viE '^(Address|MTU|Table|DNS)' "$folder/conf/$link.conf")
    on wg set "$link" private-key <(private "$link")
    for address in "$@"; do on ip address add "$address" dev "$link"; done
    on ip link set "$link" mtu 1420 up
}

# wg-quick's rules for a full tunnel (S-F3), and what it puts into nftables (S-F4)
full_tunnel() {
    local link=$1 family
    on wg set "$link" fwmark 51820
    for family in -4 -6; do
        on ip $family rule add not fwmark 51820 table 51820
        on ip $family rule add table main suppress_prefixlength 0
        on ip $family route add default dev "$link" table 51820
    done
    on sysctl -qw net.ipv4.conf.all.src_valid_mark=1
    on nft -f - <<NFT
table ip wg-quick-$link {
    chain preraw { type filter hook prerouting priority -300;
        iifname != "$link" ip daddr 10.64.0.2 fib saddr type != local drop; }
    chain premangle { type filter hook prerouting priority -150; meta l4proto udp meta mark set ct mark; }
    chain postmangle { type filter hook postrouting priority -150;
        meta l4proto udp meta mark 0xca6c ct mark set meta mark; }
}
NFT
}

collect() {
    sleep 1.5 # carrier changes reach the routes a second late (S-B5)
    cd "$folder"
    on ip -j -d -s link show >link.json
    on ip -j address show >address.json
    on ip -N -j -4 rule show >rule4.json
    on ip -N -j -6 rule show >rule6.json
    on ip -N -j -d -4 route show table all >route4.json
    on ip -N -j -d -6 route show table all >route6.json
    on ip -N -j -d nexthop show >nexthop.json
    on wg show all dump | sed /^far/d | awk -F'\t' -v OFS='\t' '{ $(NF == 5 ? 2 : 3) = "(hidden)" } 1' >wg.dump
    on sysctl -a 2>/dev/null | grep -E \
        'net\.ipv4\.(ip_forward|fib_multipath_[a-z_]+|conf\..*\.(rp_filter|forwarding|src_valid_mark|accept_local|route_localnet|send_redirects|ignore_routes_with_linkdown|log_martians)) |net\.ipv6\.conf\..*\.(forwarding|use_tempaddr|ignore_routes_with_linkdown|disable_ipv6) ' \
        >sysctl.txt
    on nft -j list ruleset >nft.json
    local table
    table=$(on ip -N -j route get fibmatch 127.0.0.1 | sed -n 's/.*"table":"\?\([0-9]*\).*/\1/p')
    printf '{"host": "%s", "kernel": "%s", "taken_at": "%s", "ipv4_local_in": %s}\n' \
        "$name" "$(uname -r)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${table:-254}" >host.json
    cd "$here"
}

# ------------------------------------------------------------------------------------- the hosts

full-tunnel() { # C32, C51, G11: wg-quick's full tunnel with a strict filter on the wire, really talking
    link eth0 192.0.2.1/24,2001:db8:0:1::1/64 192.0.2.10/24 2001:db8:0:1::10/64
    on ip route add default via 192.0.2.1 dev eth0
    on ip -6 route add default via 2001:db8:0:1::1 dev eth0
    on sysctl -qw net.ipv4.conf.eth0.rp_filter=1
    far ip address add 198.51.100.4/32 dev lo
    ip netns exec "$net" wireguard-go -f far0 >/dev/null 2>&1 &
    pids+=($!)
    until far wg show far0 >/dev/null 2>&1; do sleep 0.1; done
    far wg set far0 private-key <(private fra1) listen-port 51820 peer "$(public wg0)" allowed-ips 10.64.0.2/32
    far ip address add 203.0.113.1/32 dev far0
    far ip link set far0 up
    far ip route add 10.64.0.2 dev far0
    wireguard wg0 10.64.0.2/32 fd64::2/128 <<CONF
[Interface]
Address = 10.64.0.2/32, fd64::2/128

[Peer] # fra1
PublicKey = $(public fra1)
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 198.51.100.4:51820
PersistentKeepalive = 25
CONF
    full_tunnel wg0
    on ping -q -c 3 -i 0.2 203.0.113.1 >/dev/null
}

phone-and-laptop() { # C02, G3: the same /24 on two peers; no rule was ever added
    link eth0 192.0.2.1/24 192.0.2.10/24
    on ip route add default via 192.0.2.1 dev eth0
    wireguard wg0 192.168.43.1/24 <<CONF
[Interface]
Address = 192.168.43.1/24
ListenPort = 51820

# PHONE
[Peer]
PublicKey = $(public phone)
AllowedIPs = 192.168.43.0/24
Endpoint = 198.51.100.218:2187

# LAPTOP
[Peer]
PublicKey = $(public laptop)
AllowedIPs = 192.168.43.3/24
Endpoint = 198.51.100.77:40000
CONF
}

allowed-but-not-routed() { # C23: AllowedIPs are not routes; strict filter on wg0
    link eth0 169.254.1.1/32 10.11.12.13/32
    on ip route add 169.254.1.1 dev eth0
    on ip route add default via 169.254.1.1 dev eth0
    wireguard wg0 100.255.1.1/24 <<CONF
[Interface]
Address = 100.255.1.1/24
ListenPort = 51820

[Peer]
# Name = SITE
PublicKey = $(public site)
AllowedIPs = 100.255.1.2/32, 192.168.120.0/22
Endpoint = 152.53.180.45:48126
CONF
    on sysctl -qw net.ipv4.conf.wg0.rp_filter=1
}

tunnel-in-tunnel() { # C36: wg1 has no mark, so its encrypted packets ride in wg0
    link eth0 192.0.2.1/24 192.0.2.10/24
    on ip route add default via 192.0.2.1 dev eth0
    wireguard wg0 10.64.0.2/32 <<CONF
[Interface]
Address = 10.64.0.2/32

[Peer] # EXIT
PublicKey = $(public exit)
AllowedIPs = 0.0.0.0/0
Endpoint = 198.51.100.4:51820
CONF
    full_tunnel wg0
    wireguard wg1 10.9.0.2/24 <<CONF
[Interface]
Address = 10.9.0.2/24

[Peer] # OFFICE
PublicKey = $(public office)
AllowedIPs = 10.9.0.0/24
Endpoint = 203.0.113.7:51820
CONF
}

hub-with-four-mistakes() { # C55: forwarding off, strict, and an older tunnel claims the prefix
    link eth0 192.168.50.1/24 192.168.50.2/24
    on ip route add default via 192.168.50.1 dev eth0
    link tun0 172.30.1.1/16 172.30.0.1/16
    wireguard wg0 172.30.0.2/16 <<CONF
[Interface]
Address = 172.30.0.2/16
ListenPort = 51820

[Peer] # SPOKE
PublicKey = $(public spoke)
AllowedIPs = 172.30.0.9/32
Endpoint = 198.51.100.4:51820
CONF
    on sysctl -qw net.ipv4.conf.wg0.rp_filter=1
}

loop() { # C54, G10: the endpoint lies inside AllowedIPs, and nothing leads around the tunnel
    link veth0 10.200.1.1/24 10.200.1.2/24
    wireguard wg0 10.7.0.2/32 <<CONF
[Interface]
Address = 10.7.0.2/32

[Peer] # VPN
PublicKey = $(public vpn)
AllowedIPs = 0.0.0.0/0
Endpoint = 198.51.100.20:51820

[Peer] # NOBODY
PublicKey = $(public nobody)
AllowedIPs = 10.7.0.9/32
CONF
    on ip route add default dev wg0
}

every-kind-of-route() { # S-A6 … S-B12: rules, types, next-hop objects, links without carrier, IPv6
    link eth0 192.0.2.1/24,2001:db8:0:1::1/64 192.0.2.10/24 2001:db8:0:1::10/64
    link eth1 10.1.0.9/24,fd00:1::9/64 10.1.0.1/24 fd00:1::1/64
    link eth2 '' 10.2.0.1/24
    far ip link set far3 down
    on ip route add default via 192.0.2.1 dev eth0 proto static
    on ip -6 route add default via 2001:db8:0:1::1 dev eth0 proto static
    on ip nexthop add id 1 via 192.0.2.1 dev eth0
    on ip nexthop add id 2 via 10.1.0.9 dev eth1
    on ip nexthop add id 3 blackhole
    on ip nexthop add id 10 group 1/2,2
    on ip nexthop add id 6 via fd00:1::9 dev eth1
    on ip route add 10.21.0.0/16 nhid 2
    on ip route add 10.22.0.0/16 nhid 10
    on ip route add 10.23.0.0/16 nhid 3
    on ip -6 route add 2001:db8:21::/48 nhid 6
    on ip route add 10.24.0.0/16 nexthop via 192.0.2.1 dev eth0 weight 3 nexthop via 10.1.0.9 dev eth1
    on ip -6 route add 2001:db8:24::/48 \
        nexthop via 2001:db8:0:1::1 dev eth0 nexthop via fd00:1::9 dev eth1
    on ip route add blackhole 10.31.0.0/16
    on ip route add unreachable 10.32.0.0/16
    on ip route add prohibit 10.33.0.0/16
    on ip -6 route add blackhole 2001:db8:31::/48
    on ip -6 route add unreachable 2001:db8:32::/48
    on ip -6 route add prohibit 2001:db8:33::/48
    on ip route add throw 10.34.0.0/16 table 100
    on ip route add default via 10.1.0.9 dev eth1 table 100 proto bird metric 7
    on ip route add 10.41.0.0/16 via 192.0.2.1 dev eth0 metric 20
    on ip route add 10.41.0.0/16 via 10.1.0.9 dev eth1 metric 10
    on ip route add 10.41.0.0/16 via 192.0.2.1 dev eth0 tos 0x10 metric 30
    on ip route add 10.42.0.0/16 via inet6 fd00:1::9 dev eth1
    on ip rule add pref 100 fwmark 0x1/0xf goto 400
    on ip rule add pref 200 iif nosuch lookup 200
    on ip rule add pref 300 to 10.50.0.0/16 ipproto tcp dport 8000-8080 lookup 100
    on ip rule add pref 310 to 10.51.0.0/16 uidrange 1000-1999 lookup 100
    on ip rule add pref 320 to 10.52.0.0/16 tos 0x08 prohibit
    on ip rule add pref 400 from all fwmark 0x1/0xf lookup 100
    on ip rule add pref 500 to 10.53.0.0/16 lookup 100 suppress_prefixlength 0
    on ip -6 rule add pref 100 fwmark 0x2 unreachable
}

# --------------------------------------------------------------------------------------------------

all=(full-tunnel phone-and-laptop allowed-but-not-routed tunnel-in-tunnel hub-with-four-mistakes loop
    every-kind-of-route)
[ $# -gt 0 ] || set -- "${all[@]}"
trap end EXIT
for one; do
    begin "$one"
    "$one"
    collect
    end
done
trap - EXIT
