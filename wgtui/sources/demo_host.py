"""The invented host ``edge-1``: a full tunnel, a hub of eight sites, and one of every mistake.

                    198.51.100.4            203.0.113.0/26          192.168.10.0/24
       fra1 ───────────┐                  lon3, bru5, nas9           the office LAN
       exit VPN        │                     │                          │
                    ╔══╧═════════════════════╧══╗                    ╔══╧═══╗
       the internet ║  eth0 192.0.2.10          ║      edge-1        ║ eth1 ║
                    ╚══╤═════════════════════╤══╝                    ╚══════╝
                      wg0 0.0.0.0/0         wg1 10.20.0.0/24, sites 10.30.0.0/16 …
                       └── ams2's endpoint has no route of its own: it rides inside wg0

Public addresses are those set aside for documentation (RFC 5737, RFC 3849).
"""

from __future__ import annotations

from typing import Final

from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Hook
from wgtui.sources.shorthand import HostLines

LINKS: Final = """
eth0 UP 192.0.2.10/24 2001:db8:0:1::10/64 fe80::5054:ff:fe00:10/64
eth1 UP 192.168.10.1/24 2001:db8:10::1/64 fd00:10::1/64 fe80::5054:ff:fe00:11/64
eth2 NO-CARRIER 192.168.30.1/24 fd00:30::1/64
eth3 DOWN 192.168.31.1/24
wg0 UNKNOWN 10.64.0.2/32 fd64::2/128 mtu 1420 point-to-point
wg1 UNKNOWN 10.20.0.1/24 fd20::1/64 2001:db8:20::1/64 mtu 1420 point-to-point
"""

# wg-quick's two for wg0 (S-F3), one that sends part of the LAN around the tunnel, a kill switch,
# and one from a kernel newer than this program.
RULES4: Final = """
0: from all lookup local
30900: from all fwmark 0xdead prohibit
31000: from all to 198.51.100.77 unknown flavour lookup 777
31100: from 192.168.10.128/25 lookup 100
32764: from all lookup main suppress_prefixlength 0
32765: not from all fwmark 0xca6c lookup 51820
32766: from all lookup main
32767: from all lookup default
"""

RULES6: Final = """
0: from all lookup local
31100: from 2001:db8:10::8000/113 lookup 100
32764: from all lookup main suppress_prefixlength 0
32765: not from all fwmark 0xca6c lookup 51820
32766: from all lookup main
"""

ROUTES4: Final = """
default via 192.0.2.1 dev eth0 proto static
10.20.0.0/24 dev wg1 proto kernel scope link src 10.20.0.1
10.30.0.0/16 dev wg1 scope link
10.31.0.0/24 dev wg1 scope link
10.33.0.0/24 dev wg1 scope link
10.35.0.0/16 via 10.20.0.5 dev wg1 proto static        # a gateway means nothing to WireGuard
10.36.0.0/16 dev wg1 scope link
10.37.0.0/24 dev wg1 scope link
10.44.0.0/16 dev wg1 proto static scope link           # nobody owns it
10.90.0.0/16 proto static
        nexthop via 192.0.2.1 dev eth0 weight 2
        nexthop via 192.168.10.254 dev eth1 weight 1
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
192.168.10.0/24 dev eth1 proto kernel scope link src 192.168.10.1
192.168.30.0/24 dev eth2 proto kernel scope link src 192.168.30.1 linkdown
192.168.40.0/24 via 192.168.10.254 dev eth1 proto static metric 50
192.168.40.0/24 via 192.0.2.1 dev eth0 proto static metric 100
198.51.100.192/26 dev wg1 scope link                   # osl4's site, and osl4's own endpoint
203.0.113.0/26 via 192.0.2.1 dev eth0 proto static     # endpoints that shall not ride in wg0
unreachable 203.0.113.128/25 proto static              # and par6's endpoint is in here
blackhole 10.66.0.0/16 proto static
unreachable 10.67.0.0/16 proto static
prohibit 10.68.0.0/16 proto static
default dev wg0 table 51820 scope link
default via 192.0.2.1 dev eth0 table 100 proto static
throw 10.0.0.0/8 table 100 proto static
throw 192.168.0.0/16 table 100 proto static
"""

ROUTES6: Final = """
default via fe80::1 dev eth0 proto static
2001:db8:0:1::/64 dev eth0 proto kernel metric 256
2001:db8:10::/64 dev eth1 proto kernel metric 256
2001:db8:20::/64 dev wg1 proto kernel metric 256
2001:db8:30::/48 dev wg1
2001:db8:36::/48 dev wg1
2001:db8:44::/48 dev wg1 proto static                  # nobody owns it
2001:db8:77::/48 via fe80::1 dev eth0 proto static     # phone's endpoint
fd00:10::/64 dev eth1 proto kernel metric 256
fd00:30::/64 dev eth2 proto kernel metric 256 linkdown
fd20::/64 dev wg1 proto kernel metric 256
fd30::/48 dev wg1
fd31::/64 dev wg1
fe80::/64 dev eth0 proto kernel metric 256
fe80::/64 dev eth1 proto kernel metric 256
blackhole fd66::/32 dev lo proto static
unreachable fd67::/32 dev lo proto static
prohibit fd68::/32 dev lo proto static
default dev wg0 table 51820
default via fe80::1 dev eth0 table 100 proto static
throw fd00::/8 dev lo table 100 proto static
"""

WIREGUARD: Final = """
wg0 listen-port 51820 fwmark 0xca6c
    peer fra1 endpoint 198.51.100.4:51820 allowed-ips 0.0.0.0/0,::/0 persistent-keepalive 25 \
        handshake 41 rx 8412093412 tx 912830144 preshared-key
wg1 listen-port 51821
    peer ams2 endpoint 203.0.113.70:51820 handshake 77 rx 190384112 tx 88120392 \
        allowed-ips 10.20.0.2/32,10.30.0.0/16,10.31.0.0/24,10.37.0.0/24, \
        fd20::2/128,fd30::/48,2001:db8:30::/48
    peer lon3 endpoint 203.0.113.3:51821 handshake 12 rx 512938 tx 772281 persistent-keepalive 25 \
        allowed-ips 10.20.0.3/32,10.30.5.0/24,10.31.0.0/24,10.35.0.0/16, \
        fd20::3/128,fd30:0:0:5::/64,fd31::/64
    peer osl4 endpoint 198.51.100.200:51820 tx 3912044 \
        allowed-ips 10.20.0.4/32,198.51.100.192/26,fd20::4/128
    peer bru5 endpoint 203.0.113.5:51820 handshake 104 rx 88123 tx 90234 persistent-keepalive 25 \
        allowed-ips 10.20.0.5/32,10.37.0.128/25,172.30.7.0/24,fd20::5/128,fd72:7::/48
    peer par6 endpoint 203.0.113.130:51820 handshake 11520 rx 1029384 tx 99102938 \
        persistent-keepalive 25 allowed-ips 10.20.0.6/32,10.36.0.0/16,fd20::6/128,2001:db8:36::/48
    peer nas9 endpoint 203.0.113.9:51820 handshake 133 rx 719283744 tx 2093844 \
        allowed-ips 10.20.0.9/32,10.30.5.9/32,10.33.0.0/24,10.37.0.0/25,fd20::9/128
    peer laptop allowed-ips 10.20.0.50/32,fd20::50/128
    peer phone endpoint [2001:db8:77::51]:41641 handshake 158 rx 20134 tx 41220 preshared-key \
        allowed-ips 10.20.0.51/32,fd20::51/128
"""

# What the files mean: ams2 has 10.31.0.0/24 (the kernel gave it to lon3), par6 and nas9 both claim
# 10.33.0.0/24, lon3's prefix has host bits, and the last site was given wg1's own key.
MEANT: Final = """
wg0 listen-port 51820 address 10.64.0.2/32,fd64::2/128
    peer fra1 endpoint fra1.vpn.example:51820 allowed-ips 0.0.0.0/0,::/0 persistent-keepalive 25
wg1 listen-port 51821 address 10.20.0.1/24,fd20::1/64,2001:db8:20::1/64
    peer ams2 endpoint 203.0.113.70:51820 \
        allowed-ips 10.20.0.2/32,10.30.0.0/16,10.31.0.0/24,10.37.0.0/24, \
        fd20::2/128,fd30::/48,2001:db8:30::/48
    peer lon3 endpoint 203.0.113.3:51821 persistent-keepalive 25 \
        allowed-ips 10.20.0.3/32,10.30.5.1/24,10.35.0.0/16, \
        fd20::3/128,fd30:0:0:5::/64,fd31::/64
    peer osl4 endpoint 198.51.100.200:51820 \
        allowed-ips 10.20.0.4/32,198.51.100.192/26,fd20::4/128
    peer bru5 endpoint 203.0.113.5:51820 persistent-keepalive 25 \
        allowed-ips 10.20.0.5/32,10.37.0.128/25,172.30.7.0/24,fd20::5/128,fd72:7::/48
    peer par6 endpoint 203.0.113.130:51820 persistent-keepalive 25 \
        allowed-ips 10.20.0.6/32,10.33.0.0/24,10.36.0.0/16,fd20::6/128,2001:db8:36::/48
    peer nas9 endpoint 203.0.113.9:51820 \
        allowed-ips 10.20.0.9/32,10.30.5.9/32,10.33.0.0/24,10.37.0.0/25,fd20::9/128
    peer wg1 endpoint 203.0.113.11:51820 allowed-ips 10.20.0.11/32    # the device's own key
    peer laptop allowed-ips 10.20.0.50/32,fd20::50/128
    peer phone allowed-ips 10.20.0.51/32,fd20::51/128
"""

SYSCTLS: Final = """
net.ipv4.ip_forward = 1
net.ipv4.conf.all.forwarding = 1
net.ipv4.conf.default.forwarding = 1
net.ipv4.conf.lo.forwarding = 1
net.ipv4.conf.eth0.forwarding = 1
net.ipv4.conf.eth1.forwarding = 1
net.ipv4.conf.eth2.forwarding = 1
net.ipv4.conf.eth3.forwarding = 1
net.ipv4.conf.wg0.forwarding = 0
net.ipv4.conf.wg1.forwarding = 1
net.ipv4.conf.all.src_valid_mark = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.rp_filter = 2
net.ipv4.conf.eth0.rp_filter = 2
net.ipv4.conf.eth1.rp_filter = 2
net.ipv4.conf.eth2.rp_filter = 2
net.ipv4.conf.eth3.rp_filter = 2
net.ipv4.conf.wg0.rp_filter = 2
net.ipv4.conf.wg1.rp_filter = 1
net.ipv6.conf.all.forwarding = 1
net.ipv6.conf.default.forwarding = 1
net.ipv6.conf.lo.forwarding = 1
net.ipv6.conf.eth0.forwarding = 1
net.ipv6.conf.eth1.forwarding = 1
net.ipv6.conf.eth2.forwarding = 1
net.ipv6.conf.eth3.forwarding = 1
net.ipv6.conf.wg0.forwarding = 0
net.ipv6.conf.wg1.forwarding = 1
"""

HOOKS: Final = tuple(
    hook
    for family, own in (("ip", "10.64.0.2/32"), ("ip6", "fd64::2/128"))
    for hook in (
        Hook(
            family,
            "wg-quick-wg0",
            "preraw",
            "prerouting",
            -300,
            does=frozenset({"fib-drop"}),
            not_from=("wg0",),
            not_beside=(Prefix.parse(own),),
        ),
        Hook(
            family,
            "wg-quick-wg0",
            "premangle",
            "prerouting",
            -150,
            does=frozenset({"restore-mark"}),
        ),
    )
)
"""What wg-quick puts beside its rules (S-F4)."""

EDGE1: Final = HostLines(
    links=LINKS,
    rules4=RULES4,
    rules6=RULES6,
    routes4=ROUTES4,
    routes6=ROUTES6,
    wireguard=WIREGUARD,
    meant=MEANT,
    sysctls=SYSCTLS,
)
