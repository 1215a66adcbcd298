"""Every rule and every weakness of the replaced job, with the test that plays it through `sync`.

The numbers are those of the job's list: 48 rules and 40 weaknesses. A rule is kept, or changed on
purpose; what does not apply here stands with the fact that makes it so. `test_rules` holds
that no number is missing and that each named test exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MANY_RULES, MANY_WEAKNESSES = 48, 40


@dataclass(frozen=True, slots=True)
class Kept:
    """Works as the job did. `tests`: `room.module.test`, under `sync/`."""

    says: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """Works otherwise, on purpose. `why`: in one clause."""

    says: str
    why: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A weakness that is not here, as the tests show."""

    says: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoesNotApply:
    says: str
    fact: str


Entry = Kept | Changed | Gone | DoesNotApply

NO_AMBIENT_ZONE = (
    "nothing here has an ambient time zone: times are aware or whole Unix seconds, and a database "
    "session sets UTC for itself alone"
)
G, W, Z, M = (
    "engine.test_run_guards.",
    "identity.test_who_is_who.",
    "fields.test_time_zone.",
    "memberships.test_memberships.",
)
N, F, L, T = (
    "fields.test_name_and_phone.",
    "fields.test_plain_fields.",
    "leads.test_leads.",
    "teams.test_teams.",
)
D, V, E = (
    "fields.test_nothing_lost_or_wrong.",
    "leads.test_leaving_and_leads.",
    "recovery.test_one_failure.",
)
C, S = "concurrency.test_two_at_once.", "cost.test_cost."

RULES: Mapping[int, Entry] = {
    1: Changed(
        "one job is one user, without a lock",
        "one run for many, each with a lease and an outcome of its own",
        (
            G + "test_many_users_are_one_run_and_each_has_an_outcome_of_its_own",
            G + "test_a_user_that_another_run_keeps_is_left_to_it",
        ),
    ),
    2: Changed(
        "no token: nothing is called",
        "an empty token is none either",
        (
            G + "test_without_a_token_nothing_is_called",
            G + "test_a_run_without_a_token_makes_no_request",
        ),
    ),
    3: Kept(
        "not switched on: nothing is done",
        (
            G + "test_a_sync_that_is_not_switched_on_does_nothing",
            G + "test_a_sync_that_is_switched_on_runs",
        ),
    ),
    4: DoesNotApply("the time zone of the process is put back", NO_AMBIENT_ZONE),
    5: Changed(
        "a 429 sleeps until the window ends, three times at most",
        "a full window is nobody's failure: it is waited for as often as it takes",
        (G + "test_a_429_waits_for_the_window_that_intercom_names",),
    ),
    6: Kept("known by the app's id", (W + "test_a_user_is_known_by_the_apps_id_and_nothing_else",)),
    7: Changed(
        "created bare, then saved",
        "one call does both",
        (W + "test_a_user_new_to_intercom_is_created_whole_in_one_call",),
    ),
    8: Changed(
        "any error but a 404 ends the job",
        "it ends that user's pass, and is tried again",
        (W + "test_an_error_at_the_look_up_is_that_users_and_is_tried_again",),
    ),
    9: Changed(
        "Intercom's id replaces the metadata, on each run",
        "one key, once, and whatever else the app refuses",
        (
            W + "test_intercoms_id_is_stored_in_one_key_of_the_metadata_and_the_others_stay",
            W + "test_intercoms_id_is_stored_also_where_the_row_was_held_by_the_app",
            W + "test_intercoms_id_is_stored_also_where_the_app_refuses_a_value_beside_it",
        ),
    ),
    10: Changed(
        "saved by Intercom's id, user_id and e-mail at once",
        "by Intercom's id alone, never over another user's contact",
        (
            "identity.test_identity.test_a_changed_email_updates_the_same_contact",
            W + "test_a_contact_of_another_external_id_that_ours_was_given_by_hand_is_left",
        ),
    ),
    11: Kept("no zone is no news", (Z + "test_a_place_without_a_zone_changes_nothing",)),
    12: Changed(
        "a valid zone replaces the app's without comparing",
        "it is where the person's connection seems to be, and fills an empty one only",
        (
            Z + "test_a_valid_zone_fills_an_empty_one",
            Z + "test_a_zone_that_somebody_chose_stays_whatever_the_place_and_the_policy",
        ),
    ),
    13: Kept(
        "an invalid zone is told and ignored",
        (Z + "test_an_invalid_zone_is_told_once_and_the_rest_goes_on",),
    ),
    14: Changed(
        "a zone that the app refuses ends the job",
        "it is told, and all else goes on",
        (Z + "test_a_zone_that_the_app_refuses_stops_nothing",),
    ),
    15: Kept(
        "the new zone is in what is pushed",
        (Z + "test_the_new_zone_is_in_the_attributes_of_the_same_pass",),
    ),
    16: Kept(
        "both sides' companies, without duplicates",
        (M + "test_a_company_that_intercom_has_already_is_not_attached_twice",),
    ),
    17: Kept(
        "the user's teams are added or kept",
        (M + "test_every_team_of_the_user_is_attached_and_kept",),
    ),
    18: Changed(
        "all other companies are removed",
        "those made by hand that are no teams of the app stay; `memberships: mirror` removes them",
        (
            M + "test_a_team_that_the_user_left_is_detached",
            M + "test_a_user_of_no_teams_any_more_keeps_none_of_them",
            M + "test_a_company_attached_by_hand_stays_unless_it_is_a_team_of_the_app",
            M + "test_memberships_mirror_removes_companies_attached_by_hand_as_the_job_did",
        ),
    ),
    19: Changed(
        "ids are compared by exact type",
        "an id is its text, on both sides",
        (M + "test_integer_ids_of_the_app_are_the_strings_of_intercom",),
    ),
    20: Changed(
        "an unknown team becomes a bare company",
        "it becomes a whole one, before anybody is attached",
        (M + "test_a_team_unknown_to_intercom_comes_into_being_whole",),
    ),
    21: Kept(
        "a name in the app is pushed",
        (
            N + "test_the_apps_name_is_pushed_over_intercoms",
            N + "test_a_blank_name_is_none",
        ),
    ),
    22: Kept(
        "a nameless user gets Intercom's name",
        (N + "test_intercoms_name_fills_a_nameless_user_and_is_not_sent_back",),
    ),
    23: Kept(
        "an unusable name is cleared in Intercom",
        (N + "test_a_name_that_the_app_cannot_use_is_cleared_in_intercom",),
    ),
    24: Changed(
        "a nil phone is filled, a blank one is not",
        "blank is none",
        (
            N + "test_intercoms_phone_fills_a_user_without_one",
            N + "test_an_empty_phone_is_none",
        ),
    ),
    25: Changed(
        "the app's phone is pushed in every case",
        "an absent one clears only what the app had itself, or what it cannot use",
        (
            N + "test_the_apps_phone_is_pushed_over_intercoms",
            N + "test_a_phone_that_the_app_cleared_is_cleared_in_intercom",
            N + "test_an_oauth_users_phone_in_intercom_is_cleared_as_the_job_did",
        ),
    ),
    26: Kept("the e-mail is pushed", (F + "test_the_apps_email_is_pushed_over_intercoms",)),
    27: Kept(
        "the sign-up is pushed, in Unix seconds",
        (F + "test_the_sign_up_is_pushed_in_whole_unix_seconds",),
    ),
    28: Changed(
        "the later last request wins; null where neither side has one",
        "what neither side has is not sent",
        (
            F + "test_the_later_last_request_wins_whichever_side_has_it",
            F + "test_a_last_request_that_one_side_lacks_is_ignored",
            F + "test_a_last_request_that_neither_side_has_is_not_sent",
        ),
    ),
    29: Changed(
        "the later one is assigned in memory",
        "it is saved, as the job's comment said",
        (F + "test_the_later_last_request_is_saved_in_the_app",),
    ),
    30: Changed(
        "attributes are all but a deny list",
        "they are what a SELECT names",
        (F + "test_every_further_column_of_the_select_is_a_custom_attribute",),
    ),
    31: Kept("plus `deleted`", (F + "test_a_live_user_says_that_it_is_not_deleted",)),
    32: Changed(
        "a nested value raises",
        "it is refused with its column's name, before the first call",
        (F + "test_a_nested_value_is_refused_with_its_columns_name",),
    ),
    33: Kept(
        "what is not sent stays",
        (F + "test_attributes_that_are_not_selected_stay_as_they_are",),
    ),
    34: Changed(
        "everything is saved every time",
        "only what differs is sent",
        (F + "test_only_what_differs_is_sent_and_nothing_if_nothing_does",),
    ),
    35: Kept(
        "leads are looked for within 24 hours, strictly",
        (L + "test_leads_are_looked_for_strictly_within_24_hours_of_sign_up",),
    ),
    36: Kept("after the save", (L + "test_the_user_is_saved_before_its_lead_is_merged",)),
    37: Changed(
        "the first lead with the e-mail",
        "all of them",
        (L + "test_all_leads_with_the_present_email_are_merged_and_no_others",),
    ),
    38: Changed(
        "the reply of the merge is not used",
        "it tells what the lead knew",
        (L + "test_what_the_lead_knew_reaches_the_app_in_the_same_pass",),
    ),
    39: Kept("no lead is no error", (L + "test_a_lead_that_is_gone_by_then_holds_up_nothing",)),
    40: Changed(
        "another error ends the job before the teams",
        "a refused merge is recorded, and all else goes on",
        (
            L + "test_a_refused_merge_is_recorded_and_does_not_fail_the_user",
            L + "test_one_refused_merge_keeps_no_other_lead_from_being_merged",
        ),
    ),
    41: Changed(
        "merged is logged whenever no error came",
        "only where something was",
        (L + "test_merged_is_told_only_where_something_was",),
    ),
    42: Changed(
        "owned teams only, through their owner",
        "every team, by itself",
        (T + "test_a_team_is_synced_by_itself_and_without_an_owner",),
    ),
    43: Kept("owning is not being in", (T + "test_owning_a_team_is_not_being_in_it",)),
    44: Changed(
        "found or created, then saved",
        "one upsert",
        (T + "test_a_team_is_one_upsert_known_to_intercom_or_not",),
    ),
    45: Kept(
        "name, creation and spend",
        (T + "test_name_creation_and_spend_of_a_team_reach_its_company",),
    ),
    46: Changed(
        "all else and `deleted`; domain and spend twice",
        "each once, and `company_deleted`, since names are shared with the contacts'",
        (T + "test_only_the_further_columns_of_a_team_are_its_attributes",),
    ),
    47: Changed(
        "Intercom's id replaces the team's metadata",
        "one key, once",
        (
            T + "test_the_companys_id_is_stored_in_one_key_of_the_teams_metadata",
            T + "test_the_companys_id_is_stored_also_where_the_row_was_held_by_the_app",
        ),
    ),
    48: Changed(
        "an error in one team ends the job",
        "it stops no other team",
        (T + "test_a_refused_field_of_one_team_stops_neither_it_nor_another",),
    ),
}

WEAKNESSES: Mapping[int, Entry] = {
    1: Gone(
        "other keys of the metadata are lost",
        (
            W + "test_intercoms_id_is_stored_in_one_key_of_the_metadata_and_the_others_stay",
            T + "test_the_companys_id_is_stored_in_one_key_of_the_teams_metadata",
        ),
    ),
    2: Gone(
        "the last request is never saved",
        (F + "test_the_later_last_request_is_saved_in_the_app",),
    ),
    3: Changed(
        "names typed for OAuth users, and of one letter, are erased",
        "kept by choice, with `clear_unusable: false`; erased by default, as rule 23 has it",
        (
            N + "test_what_operators_typed_is_kept_where_clear_unusable_is_false",
            N + "test_a_name_that_the_app_cannot_use_is_cleared_in_intercom",
        ),
    ),
    4: Changed(
        "phones typed for OAuth users, or beside an empty one, are erased",
        "those beside an empty one are pulled; for OAuth users `clear_unusable` says",
        (
            N + "test_an_empty_phone_is_none",
            N + "test_what_operators_typed_is_kept_where_clear_unusable_is_false",
        ),
    ),
    5: Gone(
        "an operator's correction is overwritten in silence",
        (D + "test_an_edit_in_intercom_that_loses_is_told_and_the_newest_wins_by_choice",),
    ),
    6: Gone(
        "companies attached by hand are removed",
        (
            M + "test_a_company_attached_by_hand_stays_unless_it_is_a_team_of_the_app",
            D + "test_a_company_without_an_id_of_ours_breaks_nothing",
        ),
    ),
    7: Gone(
        "integer ids are added and removed in one request",
        (M + "test_integer_ids_of_the_app_are_the_strings_of_intercom",),
    ),
    8: Gone(
        "Intercom's zone always beats the app's, and dates change with it",
        (
            D + "test_the_apps_zone_is_kept_where_the_mapping_says_so",
            D + "test_a_zone_that_the_app_cleared_is_filled_again_once_the_person_moves",
            D + "test_a_date_in_the_attributes_does_not_change_with_the_zone",
        ),
    ),
    9: Gone(
        "each new column goes to a third party",
        (
            D + "test_a_new_column_of_a_table_goes_to_nobody",
            F + "test_a_nested_value_is_refused_with_its_columns_name",
        ),
    ),
    10: Changed(
        "removed attributes stay for ever",
        "they stay, since nobody says that they should not; a NULL under the name clears them",
        (D + "test_an_attribute_can_be_cleared_before_its_column_goes",),
    ),
    11: Gone(
        "deletes are not told",
        (V + "test_deleted_users_and_teams_and_those_who_left_are_told_to_intercom",),
    ),
    12: Gone(
        "a team needs an owner who is synced",
        (
            T + "test_a_team_is_synced_by_itself_and_without_an_owner",
            V + "test_a_team_with_a_silent_owner_is_synced_when_it_changes",
        ),
    ),
    13: Gone(
        "a change of owner is half told",
        (
            V + "test_a_change_of_owner_is_seen_on_the_company_and_costs_one_call",
            V + "test_a_team_without_an_owner_any_more_says_so",
        ),
    ),
    14: Gone(
        "a lead that comes late, or a queue that is, means no merge",
        (
            V + "test_a_lead_that_writes_in_later_within_the_window_is_merged",
            V + "test_a_lead_is_merged_also_where_the_sync_was_away_for_longer_than_the_window",
        ),
    ),
    15: Gone(
        "one lead a run",
        (L + "test_all_leads_with_the_present_email_are_merged_and_no_others",),
    ),
    16: Gone(
        "every run within the day searches",
        (V + "test_leads_are_searched_once_and_not_on_each_run_within_the_window",),
    ),
    17: Gone(
        "no e-mail asks for everybody's leads",
        (V + "test_a_user_without_email_never_asks_for_leads",),
    ),
    18: Gone(
        "merged is logged when nothing was", (L + "test_merged_is_told_only_where_something_was",)
    ),
    19: Gone(
        "an old address is not searched",
        (V + "test_leads_of_the_old_and_of_the_new_address_are_merged",),
    ),
    20: Gone(
        "a retry repeats all calls",
        (E + "test_a_retry_makes_only_the_calls_that_are_missing",),
    ),
    21: Gone(
        "a refusal of the app is silent, or deadly",
        (
            E + "test_a_value_that_the_app_refuses_is_told_and_not_offered_again",
            E + "test_one_refused_value_keeps_no_other_of_the_same_user_from_the_app",
        ),
    ),
    22: Gone(
        "poison users fail on each retry",
        (
            E + "test_two_contacts_that_have_nothing_but_the_email_do_not_stop_its_user",
            E + "test_a_blocked_contact_parks_its_user_with_that_reason",
            E + "test_one_users_refusal_stops_no_other_and_counts_up_to_parking",
        ),
    ),
    23: Gone(
        "a create without a body",
        (E + "test_a_create_that_answers_nothing_readable_makes_no_second_contact",),
    ),
    24: Gone(
        "archived between find and save",
        (E + "test_a_contact_archived_between_two_calls_of_a_pass_comes_back",),
    ),
    25: Gone(
        "a 429 without its headers",
        (E + "test_a_429_without_the_headers_that_say_how_long_is_waited_out",),
    ),
    26: Gone(
        "a clock that is ahead",
        (E + "test_a_clock_that_differs_from_intercoms_uses_up_no_retries",),
    ),
    27: DoesNotApply("a disabled sync resets the worker's time zone", NO_AMBIENT_ZONE),
    28: Gone(
        "two jobs for one new user",
        (C + "test_runs_at_once_for_new_users_make_one_contact_each",),
    ),
    29: Gone(
        "two users of one new company",
        (
            C + "test_users_saved_at_once_with_a_new_team_make_one_company",
            C + "test_chunks_at_once_with_a_new_team_make_one_company",
        ),
    ),
    30: Gone(
        "an older list in memory wins",
        (
            C + "test_a_change_during_a_pass_is_done_by_the_next",
            C + "test_a_change_drained_during_a_pass_keeps_its_user_in_the_queue",
        ),
    ),
    31: Gone(
        "an edit between find and save is overwritten",
        (
            C + "test_an_operators_edit_between_look_and_save_is_not_overwritten",
            C + "test_an_apps_edit_between_look_and_write_back_is_not_overwritten",
        ),
    ),
    32: Gone("the job enqueues itself", (C + "test_our_own_write_backs_wake_nobody",)),
    33: Gone(
        "nothing changed, and all is written",
        (S + "test_a_pass_over_what_did_not_change_makes_no_call_and_no_write",),
    ),
    34: Gone(
        "find, create and save for one user",
        (
            S + "test_a_first_sync_costs_one_call_for_each_user_team_and_membership",
            S + "test_a_changed_user_costs_one_call",
        ),
    ),
    35: Gone(
        "two calls for each owned team",
        (
            T + "test_a_team_is_one_upsert_known_to_intercom_or_not",
            S + "test_a_first_sync_costs_one_call_for_each_user_team_and_membership",
        ),
    ),
    36: DoesNotApply(
        "one user a call, where 1.x had a bulk endpoint",
        "no stable version of the API up to 2.16 has one; what can be asked for many at once is",
    ),
    37: Gone("a connection for each call", (S + "test_connections_are_kept_over_calls",)),
    38: Gone(
        "each thread finds the limit anew",
        (S + "test_threads_share_one_idea_of_the_rate_limit",),
    ),
    39: Gone(
        "one poor log line",
        (
            S + "test_a_run_tells_what_it_did_to_whom_and_what_it_cost",
            S + "test_the_journal_tells_what_was_written_where_and_why",
        ),
    ),
    40: Gone(
        "tied to an API that changed under it",
        (S + "test_every_call_names_the_version_of_the_api_that_it_was_written_for",),
    ),
}
