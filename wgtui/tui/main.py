"""How does the full screen begin and end? The front door calls ``run`` and needs no Textual."""

from __future__ import annotations

import gc
import os
import sys

from wgtui.tui import terminal


def run(
    spec: str, question: str, *, mouse: bool, ascii_only: bool, theme: str | None = None
) -> int:
    """Show the screen until it is left; the exit code.

    Textual is imported in here, after everything that must be settled before.
    """
    why_not = terminal.refusal(os.environ, terminal.on_terminal())
    if why_not is not None:
        sys.stderr.write(f"wgtui: {why_not}\n")
        return 2
    terminal.prepare_size()
    terminal.prepare_signals()
    terminal.prepare_environment(os.environ)
    gc.disable()  # nothing of the start is garbage; the first facts switch it on again
    try:
        from wgtui.tui.app import WgtuiApp
        from wgtui.tui.sharing import take_short_turns

        take_short_turns()
        app = WgtuiApp(spec, question, ascii_only=ascii_only or terminal.needs_ascii(os.environ))
        if chosen := terminal.chosen_theme(os.environ, theme):
            app.theme = chosen
        left_behind = app.run(mouse=mouse)
    except KeyboardInterrupt:
        return 130
    if app.mistake is not None:
        raise app.mistake
    if left_behind:
        sys.stdout.write(left_behind)
    return app.return_code or 0
