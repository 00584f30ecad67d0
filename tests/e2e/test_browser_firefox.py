# SPDX-License-Identifier: BSD-2-Clause
"""The upload page in headless Firefox: tests that Chromium has too, with another `act`."""

import json

import pytest

# pylint: disable=unused-import
from test_browser_tus import (  # noqa: F401
                              test_a_cut_network_and_a_tab_loaded_anew_cost_nothing)
from test_browser_upload import (  # noqa: F401
    double, make, test_a_file_chosen_again_after_the_page_was_closed_goes_on_where_it_was,
    test_a_file_that_changed_meanwhile_is_not_tried_for_ever, test_all_of_it_works_by_keys_alone,
    test_connections_that_break_anywhere_cost_no_byte_twice,
    test_pause_stops_and_resume_goes_on_from_there,
    test_several_files_arrive_whole_and_are_linked)


@pytest.fixture
def act(in_firefox, sanitized, request):
    """As that of test_browser_upload.py; see browser/fox.js."""
    if sanitized:
        pytest.skip("the page is the same as without sanitizers")
    if "longer" in request.node.name:
        pytest.skip("Firefox reads of a longer file as much as there was")

    def go(page, *steps):
        steps = [[step, str(in_firefox.pictures / f"{rest[0]}.png")] if step == "shot" else
                 [step, *rest] for step, *rest in steps]
        seen = in_firefox("fox.js", input=json.dumps({"page": page, "steps": steps}))
        # What the policy forbids would be here.
        assert seen["console"] == []
        return [result for (step, *_), result in zip(steps, seen["results"])
                if step == "evaluate"]
    return go
