"""By which link, gateway and source: corners that the long run against the kernel has found."""

from dataclasses import replace

from netaddr import IPAddress

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import CachedRoute, TableId
from wgtui.model.snapshot import Snapshot
from wgtui.sources.shorthand import HostLines, read_host


def gateway(snapshot: Snapshot, words: str) -> str | None:
    """The gateway of the answer, as text."""
    route = lookup(snapshot, Flow.parse(words)).route
    assert route is not None
    return None if route.gateway is None else str(route.gateway)


def test_an_own_address_as_gateway_is_taken_for_on_link() -> None:
    """Even where the route itself would cover its gateway: what leads there must be nearer than
    the route (S-B13; fib_semantics.c:fib_check_nh_v4_gw)."""
    for scope in ("link", "global"):
        snapshot = read_host(
            HostLines(
                links="v2 UP 8.8.8.8/32",
                routes4=f"default via 8.8.8.8 dev v2 table 253 metric 20 scope {scope}",
            )
        )
        assert gateway(snapshot, "8.8.255.255") is None


def test_a_redirect_moves_one_destination_to_another_gateway() -> None:
    """An exception with a gateway replaces the route's, for its destination alone (S-B14)."""
    snapshot = read_host(
        HostLines(
            links="eth0 UP 192.0.2.10/24 2001:db8::10/64",
            routes4="""
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
default via 192.0.2.1 dev eth0
""",
            routes6="default via 2001:db8::1 dev eth0 metric 1024",
        )
    )
    link = snapshot.links_by_name["eth0"].index
    main = TableId(254)
    cached = (
        CachedRoute(main, IPAddress("203.0.113.9"), link, IPAddress("192.0.2.2")),
        CachedRoute(main, IPAddress("2001:db8:9::9"), link, IPAddress("2001:db8::2")),
    )
    redirected = replace(snapshot, exceptions=cached)
    assert gateway(redirected, "203.0.113.9") == "192.0.2.2"
    assert gateway(redirected, "203.0.113.8") == "192.0.2.1"
    assert gateway(redirected, "2001:db8:9::9") == "2001:db8::2"
    assert gateway(redirected, "2001:db8:9::8") == "2001:db8::1"
