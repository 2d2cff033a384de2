"""A process that renders clips: started with a directory, reads JSON specs on standard input.

It is neither a fork nor a multiprocessing pool: the parent may hold threads and locks of torch, and
its main module need not be importable.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from avatar_core.data.scenes.render import write_clip
from avatar_core.data.scenes.world import scene_from_spec
from avatar_core.errors import AvatarError


def main() -> None:
    """Render every spec on standard input, one JSON document a line; a failure is one sentence."""
    directory = Path(sys.argv[1])
    try:
        for line in sys.stdin:
            write_clip(directory, scene_from_spec(json.loads(line)))
    except AvatarError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
