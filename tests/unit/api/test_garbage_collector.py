"""The garbage collector of API and worker."""

import gc

from api import garbage_collector


def test_the_collector_rests_while_a_process_loads_and_later_looks_at_nothing_of_that() -> None:
    of_tests, threshold = gc.get_threshold(), (700, 10, 10)
    gc.unfreeze()  # as a process that has just begun
    gc.set_threshold(*threshold)
    looked_at_before = len(gc.get_objects())
    try:
        garbage_collector.pause()
        assert not gc.isenabled()
        garbage_collector.resume()
        assert gc.isenabled()
        assert len(gc.get_objects()) < looked_at_before / 10
        assert gc.get_threshold() > threshold
    finally:
        gc.enable()
        gc.set_threshold(*of_tests)
