"""What the running kernel answered to the same question (RTM_GETROUTE)."""

from __future__ import annotations

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, RouteType, TableId
from wgtui.model.prefix import Prefix


@dataclass(frozen=True, slots=True)
class KernelAnswer:
    """A route, or an errno; it knows no rules, no losers and nothing of WireGuard (S-C9)."""

    errno: int | None = None
    """Positive; None: it found a route."""
    type: RouteType | None = None
    table: TableId | None = None
    link: LinkIndex | None = None
    """lo for local destinations (S-C6)."""
    gateway: IPAddress | None = None
    source: IPAddress | None = None
    """Left out by the kernel when it is the one asked for, and for arriving packets (S-C5)."""
    prefix: Prefix | None = None
    """Of the route that matched, from a second question with RTM_F_FIB_MATCH; None where it has
    none."""
    metric: int | None = None
