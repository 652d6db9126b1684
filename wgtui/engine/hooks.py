"""What else could change this answer? Netfilter chains on the packet's way (S-H1 … S-H5).

They are named, never simulated (S-H20).
"""

from __future__ import annotations

from typing import Final

from wgtui.model.snapshot import Hook, Snapshot
from wgtui.model.trace import Trace

_PLACES: Final[dict[bool, dict[str, frozenset[str]]]] = {
    False: {
        "output": frozenset({"mark", "restore-mark", "dnat", "drop", "fib-drop"}),
        "postrouting": frozenset({"snat"}),
    },
    True: {
        "prerouting": frozenset({"mark", "restore-mark", "dnat", "drop", "fib-drop"}),
        "input": frozenset({"drop"}),
        "forward": frozenset({"drop"}),
        "postrouting": frozenset({"snat"}),
    },
}
"""By "it arrives on a link": the hooks it passes and what they may do to it that matters."""


def concerning(snapshot: Snapshot, trace: Trace) -> tuple[Hook, ...]:
    """The chains that a packet of this flow passes and that may change or drop it."""
    places = _PLACES[trace.flow.iif is not None]
    families = ("ip", "inet") if trace.flow.family == 4 else ("ip6", "inet")
    return tuple(
        hook
        for hook in snapshot.hooks or ()
        if hook.family in families and hook.does & places.get(hook.hook, frozenset())
    )
