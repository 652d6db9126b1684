"""Which key does what, and where? One table per place; the key bar and the help are made from them.

Nothing needs Alt or a function key. Every key has an id, so that it can be set to another.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from textual.binding import Binding, BindingType

Keys: TypeAlias = list[BindingType]


def _key(
    identity: str, keys: str, action: str, text: str, word: str = "", cap: str = ""
) -> Binding:
    """``word``: what the key bar says, "" is not in it; ``cap``: what is printed on the key."""
    return Binding(
        keys,
        action,
        word or text,
        show=bool(word),
        key_display=cap or None,
        tooltip=text,
        id=identity,
    )


QUESTION: Final[Keys] = [
    _key(
        "question.answer",
        "enter",
        "app.focus_answer",
        "into the answer: scroll it, explain it, copy it",
        "answer",
        "Enter",
    ),
    _key(
        "question.next",
        "tab",
        "app.focus_next",
        "to the panes, one after the other",
        "panes",
        "Tab",
    ),
    _key("question.clear", "escape", "app.clear_question", "empty the question", "clear", "Esc"),
    _key("question.down", "down", "app.scroll_answer(1)", "the next line of the answer"),
    _key("question.up", "up", "app.scroll_answer(-1)", "the line before"),
    _key("question.page-down", "pagedown", "app.page_answer(1)", "a page down in the answer"),
    _key("question.page-up", "pageup", "app.page_answer(-1)", "a page up"),
]

ROWS: Final[Keys] = [
    _key("rows.ask", "enter", "choose", "ask about this row", "ask", "Enter"),
    _key("rows.down", "j,down", "move(1)", "down"),
    _key("rows.up", "k,up", "move(-1)", "up"),
    _key("rows.page-down", "pagedown,ctrl+f", "page(1)", "a page down"),
    _key("rows.page-up", "pageup,ctrl+b", "page(-1)", "a page up"),
    _key("rows.first", "g,home", "first", "first row"),
    _key("rows.last", "G,end", "last", "last row"),
    _key("rows.fold", "h,l,left,right", "fold", "fold or unfold a table", "fold", "h/l"),
]

MAP: Final[Keys] = [
    _key("map.in", "l,right,plus", "zoom_in", "into the row's prefix", "zoom in", "l"),
    _key("map.out", "h,left,minus", "zoom_out", "to the prefix around", "zoom out", "h"),
    _key("map.family", "6", "other_family", "IPv4 or IPv6", "IPv4/6"),
]

ANSWER: Final[Keys] = [
    _key("answer.ask", "enter", "app.focus_question", "ask something else", "ask again", "Enter"),
]

FILTER: Final[Keys] = [
    _key("filter.keep", "enter", "app.end_filter(True)", "keep the filter", "keep", "Enter"),
    _key("filter.clear", "escape", "app.end_filter(False)", "all rows again", "all rows", "Esc"),
]

EVERYWHERE: Final[Keys] = [
    _key(
        "app.back",
        "escape",
        "escape",
        "drop this pane's filter; back to the question",
        "back",
        "Esc",
    ),
    _key("app.links", "1", "pane(0)", "Interfaces"),
    _key("app.routes", "2", "pane(1)", "System routes"),
    _key("app.allowed", "3", "pane(2)", "AllowedIPs"),
    _key("app.question", "4,i", "focus_question", "Lookup: the question"),
    _key(
        "app.findings",
        "exclamation_mark,f",
        "sheet('findings')",
        "known mistakes: what happens because of them, and the repair; again closes",
        "findings",
        "!",
    ),
    _key(
        "app.journal",
        "J",
        "sheet('journal')",
        "what has changed since the start, the newest first; again closes",
    ),
    _key(
        "app.drift",
        "D,equals_sign",
        "sheet('drift')",
        "what was meant, what the kernel has, what is routed there; again closes",
    ),
    _key(
        "app.map",
        "m",
        "sheet('map')",
        "a prefix as blocks, lettered by where they go; again closes",
    ),
    _key("app.what-if", "w", "what_if", "what if? Type a command: what it would change"),
    _key("app.next", "tab", "focus_next", "the next pane"),
    _key("app.previous", "shift+tab", "focus_previous", "the pane before"),
    _key(
        "app.explain",
        "e",
        "explain",
        "the verdict in plain sentences, and the commands that prove it",
        "explain",
    ),
    _key(
        "app.copy", "y", "copy", "copy this row (OSC 52: through ssh, tmux and screen too)", "copy"
    ),
    _key(
        "app.filter",
        "slash",
        "filter",
        "only rows with a text, or rows that cover an address",
        "filter",
        "/",
    ),
    _key(
        "app.view",
        "v",
        "switch_tree",
        "AllowedIPs per peer, or each device's one tree (shows overlap)",
        "view",
    ),
    _key("app.copy-answer", "Y", "copy_answer", "copy question and answer"),
    _key(
        "app.freeze",
        "space",
        "freeze",
        "stop the view; what changes is kept until Space again",
        "freeze",
        "Space",
    ),
    _key("app.refresh", "r", "refresh", "read everything again now"),
    _key("app.theme", "t", "theme", "colours: dark, light, black and white"),
    _key("app.help", "question_mark", "help", "this help", "help", "?"),
    _key("app.quit", "q", "quit", "quit", "quit"),
    _key("app.leave", "Q", "quit_leaving", "quit and leave the answer on the screen"),
    Binding("ctrl+c", "quit", "quit, at any moment", show=False, priority=True, id="app.cancel"),
    _key("app.redraw", "ctrl+l", "redraw", "draw the screen again"),
    _key("app.suspend", "ctrl+z", "suspend_process", "to the shell; fg comes back"),
]

HELP: Final[Keys] = [
    _key("help.close", "escape,q,question_mark,enter", "dismiss", "close the help")
]

PLACES: Final = (
    ("In the question", QUESTION),
    ("In a pane", ROWS),
    ("In the map", MAP),
    ("Everywhere; while a question is typed only ! and ?", EVERYWHERE),
    ("While a filter is typed", FILTER),
)
"""For the help."""
