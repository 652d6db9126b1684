"""``python -m wgtui`` is the same as ``wgtui``."""

import sys

from wgtui.cli import main

sys.exit(main())
