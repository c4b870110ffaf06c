"""What the processes of API and worker have in common."""

import gc

from deploy.bootstrap import calm_garbage_collector


def test_later_collections_do_not_look_at_what_was_loaded_before() -> None:
    looked_at_before, threshold = len(gc.get_objects()), gc.get_threshold()
    try:
        calm_garbage_collector()
        assert len(gc.get_objects()) < looked_at_before / 10
        assert gc.get_threshold() > threshold
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
