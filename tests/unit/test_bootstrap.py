"""What the processes of API and worker have in common."""

import gc

from deploy.bootstrap import freeze_what_is_loaded


def test_later_collections_do_not_look_at_what_was_loaded_before() -> None:
    looked_at_before = len(gc.get_objects())
    try:
        freeze_what_is_loaded()
        assert len(gc.get_objects()) < looked_at_before / 10
    finally:
        gc.unfreeze()
