//! The conformance suite: each promise of the [traits](crate::runtime) is a scenario, which runs against a backend,
//! built in or yours.
//!
//! One line in a test file gives one `#[test]` for each scenario:
//!
//! ```
//! # #[cfg(feature = "smol")]
//! anyrt::conformance! {
//!     my_runtime: anyrt::Smol::global(),
//!         Capabilities::ALL.without_parallelism("it has one thread");
//! }
//! ```
//!
//! The expression creates a runtime, a new one for each scenario. Declare what a backend cannot do, with a reason; the
//! scenarios that need it are skipped and reported as skipped.
//!
//! A failing scenario prints the promise from the docs and its place, and, if the runtime reports `Unsupported`, the
//! capability to declare. A scenario that hangs fails after 90 seconds, or after the number of seconds in the
//! environment variable `ANYRT_CONFORMANCE_LIMIT`.

#![allow(clippy::unwrap_used, reason = "a scenario fails by panicking")]

#[cfg(unix)]
mod async_fd;
mod block_on;
mod blocking;
mod busy;
mod capabilities;
mod connect;
mod current;
mod elsewhere;
#[cfg(all(unix, feature = "fds"))]
mod fds;
mod ids;
mod join_set;
mod late;
mod local_set;
mod net;
mod options;
mod promise;
mod run;
mod shutdown;
mod stream;
mod support;
mod tasks;
mod time;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(feature = "watch")]
pub(crate) mod watch;
mod wrapped;

pub use capabilities::Capabilities;
#[doc(hidden)]
pub use run::run;
pub use run::{Failure, Scenario};
use support::Boxed as _;

use crate::runtime::Runtime;

/// Hands the list of scenarios to the macro `$then`, after `$args`. **The** list: a new scenario is one line here.
///
/// `async` scenarios run inside `block_on`, `sync` ones on a thread that is in no runtime. In parentheses stands
/// what a scenario needs of its backend, in the words of [`Capabilities`]; and `current`, when it has to be found
/// without a handle, as [`AnyRuntime`](crate::AnyRuntime) is and a type that anyrt does not know is not.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenarios {
    ([$($then:tt)+] [$($args:tt)*]) => {
        $($then)+! {
            [$($args)*]
            async() tasks::spawn_returns_the_value;
            sync() tasks::spawn_from_a_plain_thread;
            sync() tasks::spawn_under_a_foreign_executor;
            async() tasks::drop_detaches;
            async() tasks::drop_detaches_before_the_first_poll;
            async() tasks::many_tasks_complete;
            async() tasks::nested_spawns_join;
            async() tasks::large_future_spawns;
            async(parallelism) tasks::two_tasks_run_in_parallel;
            async() tasks::panic_reaches_the_handle;
            async() tasks::panic_payload_is_preserved;
            async() tasks::panic_in_a_detached_task_harms_no_other;
            async() tasks::future_is_dropped_before_its_handle_resumes;
            async() tasks::abort_cancels_a_pending_task;
            async() tasks::abort_before_the_first_poll;
            async() tasks::abort_twice_is_fine;
            async() tasks::abort_after_completion_keeps_the_value;
            async() tasks::abort_after_a_panic_keeps_the_panic;
            async(workers) tasks::abort_while_running_stops_at_the_next_await;
            async(workers) tasks::abort_keeps_the_value_of_a_poll_in_progress;
            async(workers) tasks::abort_never_loses_a_panic;
            async() tasks::abort_wakes_whoever_waits;
            async() tasks::abort_leaves_descendants_alone;
            async() tasks::abort_races_with_completion;
            async() tasks::task_can_abort_itself;
            async() tasks::cancel_waits_for_the_destructor;
            async() tasks::cancel_acts_without_being_polled;
            async() tasks::destructor_panic_of_an_aborted_task_is_reported;
            async() tasks::destructor_panic_of_a_detached_output_is_contained;
            async() tasks::destructor_panic_in_a_dropped_handle_is_contained;
            async() tasks::destructor_panic_of_a_completed_future_is_reported;
            async() tasks::dropping_a_finished_handle_drops_the_output;
            async() tasks::detached_output_is_dropped_at_completion;
            async(workers) tasks::drop_of_a_handle_while_its_task_completes;
            async() tasks::waker_may_ask_its_handle;
            async() tasks::waker_may_abort_its_task;
            async() tasks::is_finished_tells;
            async() tasks::is_finished_after_an_abort;
            async(workers) tasks::handle_can_be_awaited_on_a_plain_thread;
            async() tasks::handle_can_be_awaited_by_reference;
            async() tasks::handle_wakes_the_last_waker;
            async() tasks::handle_polled_after_completion_panics;
            async() tasks::handle_in_a_timeout_leaves_its_task_running;
            async() tasks::abort_handle_aborts;
            async() tasks::abort_handle_outlives_the_handle;
            async() tasks::abort_handle_does_not_cancel_when_dropped;
            async() tasks::abort_handle_keeps_no_output;
            async() tasks::abort_handle_sees_completion;
            async() tasks::abort_on_drop_aborts;
            async() tasks::abort_on_drop_passes_the_value_on;
            async() tasks::abort_on_drop_can_be_detached;
            async() tasks::spawn_in_a_destructor;
            async() tasks::yield_now_lets_others_run;
            async() tasks::yield_now_lets_timers_fire;
            sync() tasks::random_seeds_differ;
            async() tasks::hash_map_keeps_what_it_gets;
            async() tasks::wake_during_a_poll_is_not_lost;
            async(threads) tasks::wake_from_another_thread;
            async() tasks::late_wakes_are_harmless;
            async() tasks::join_error_converts_to_io_error;
            async() tasks::join_error_display;
            sync(owned) tasks::tasks_are_dropped_with_their_runtime;
            sync(owned, pool) tasks::runtime_drop_waits_for_no_closure;
            sync(owned, workers) tasks::runtime_can_be_dropped_by_its_own_task;

            async() ids::ids_of_tasks_differ;
            async() ids::id_in_a_task_is_that_of_its_handle;
            async() ids::id_in_a_blocking_closure_is_that_of_its_handle;
            async() ids::id_in_a_destructor_is_that_of_its_task;
            sync() ids::id_outside_of_a_task_is_none;
            async() ids::id_stays_when_a_task_is_aborted;
            async() ids::join_set_tells_ids;
            async() ids::named_tasks_run;
            async(current) ids::builder_finds_the_runtime;

            async() wrapped::wrapper_is_around_each_poll;
            async() wrapped::wrapper_is_around_destructors;
            async() wrapped::wrapper_is_around_blocking_closures;
            async() wrapped::wrapper_follows_into_what_a_task_spawns;
            async() wrapped::wrapper_is_told_of_its_task;
            async() wrapped::wrapper_is_dropped_with_its_handles;
            async() wrapped::wrappers_nest;
            async() wrapped::wrapper_may_panic;

            async() join_set::join_set_returns_every_value;
            async() join_set::join_set_in_order_of_completion;
            async() join_set::join_set_of_nothing_is_none;
            async() join_set::join_set_reports_a_panic;
            async() join_set::join_set_drop_aborts;
            async() join_set::join_set_abort_all;
            async() join_set::join_set_detach_all;
            async() join_set::join_set_shutdown_waits;
            async(parallelism) join_set::join_set_runs_in_parallel;
            async() join_set::join_set_join_next_is_cancel_safe;
            async() join_set::join_set_try_join_next_keeps_the_waiter;
            async() join_set::join_set_try_join_next_takes_all_that_are_finished;
            async() join_set::join_set_in_a_blocking_closure_does_not_wait;
            async() join_set::join_set_loop_lets_others_run;
            async() join_set::join_set_waker_may_use_the_set;
            async() join_set::join_set_takes_blocking_closures;
            async() join_set::join_set_aborts_one_of_its_tasks;
            async() join_set::join_set_join_all_gives_every_value;
            async() join_set::join_set_join_all_panics_with_its_task;
            async(current) join_set::join_set_finds_the_runtime;

            async() local_set::local_task_is_not_send;
            async() local_set::local_tasks_stay_on_their_thread;
            async(threads) local_set::local_handles_and_wakers_go_anywhere;
            async() local_set::local_task_panic_reaches_the_handle;
            async() local_set::local_destructor_panics_are_contained;
            async() local_set::local_abort_drops_the_task;
            async(threads) local_set::local_abort_from_another_thread_drops_on_the_own;
            async() local_set::local_handle_keeps_the_contract;
            async() local_set::local_set_drop_drops_its_tasks;
            async() local_set::local_set_dropped_in_a_local_task;
            async() local_set::local_set_await_runs_all_tasks;
            async() local_set::local_tasks_go_on_with_the_next_run;
            async() local_set::local_spawn_outside_of_a_set_is_an_error;
            async() local_set::local_spawn_finds_the_innermost_set;
            async() local_set::local_busy_tasks_starve_nobody;
            async() local_set::local_busy_socket_starves_nobody;
            async() local_set::local_wakes_are_not_lost;
            async() local_set::local_late_wakes_are_harmless;
            async(current) local_set::local_task_finds_the_runtime;
            async() local_set::local_tasks_have_all_that_tasks_have;
            sync() local_set::local_set_is_driven_by_anybody;
            async() local_set::local_set_is_polled_in_two_places;
            async() local_set::local_set_is_run_in_its_own_task;
            async() local_set::local_tasks_are_joined_as_a_set;

            async() blocking::blocking_returns_the_value;
            sync(workers) blocking::blocking_from_a_plain_thread;
            async() blocking::blocking_starts_without_being_polled;
            async() blocking::blocking_runs_when_its_handle_is_dropped;
            async(blocking_threads) blocking::blocking_runs_when_its_handle_is_dropped_in_the_queue;
            async() blocking::blocking_panic_reaches_the_handle;
            async() blocking::blocking_pool_survives_panics;
            async(blocking_threads) blocking::blocking_abort_before_start_prevents_it;
            async(pool) blocking::blocking_abort_after_start_changes_nothing;
            async(pool) blocking::blocking_abort_after_start_keeps_the_panic;
            async(pool) blocking::blocking_cancel_waits_for_a_started_closure;
            async() blocking::blocking_output_destructor_panic_is_contained;
            async(blocking_threads) blocking::blocking_saturation_stops_no_timers;
            async(pool) blocking::blocking_stops_no_tasks;
            async(pool) blocking::blocking_runs_in_parallel;
            async(pool) blocking::blocking_can_nest;
            async(pool) blocking::blocking_is_finished_tells;

            sync() block_on::block_on_returns_the_value;
            sync() block_on::block_on_takes_what_is_not_send;
            sync() block_on::block_on_passes_a_panic_on;
            sync() block_on::block_on_leaves_other_tasks_running;
            sync(threads) block_on::block_on_from_several_threads;
            sync() block_on::nested_block_on_panics;
            sync() block_on::handle_works_in_a_destructor_of_a_thread_local;
            async() block_on::block_on_in_a_task_panics;
            async() block_on::block_on_is_allowed_in_spawn_blocking;
            async() block_on::block_on_in_the_destructor_of_an_output;

            sync(shutdown) shutdown::shutdown_drops_every_task;
            sync(shutdown) shutdown::shutdown_drops_tasks_that_wake_each_other_under_a_lock;
            sync(shutdown) shutdown::shutdown_leaves_nothing_of_an_idle_runtime;
            sync(shutdown) shutdown::shutdown_waits_for_what_ends_in_time;
            sync(shutdown, pool) shutdown::shutdown_reports_a_closure_that_runs_on;
            sync(shutdown, parallelism) shutdown::shutdown_reports_a_task_that_is_stuck;
            sync(shutdown, parallelism) shutdown::shutdown_drops_tasks_beside_one_that_is_stuck;
            sync(shutdown, blocking_threads) shutdown::shutdown_drops_what_is_queued;
            sync(shutdown) shutdown::shutdown_twice_leaves_nothing;
            sync(shutdown) shutdown::shutdown_in_no_time_takes_idle_threads_for_nothing_else;
            sync(shutdown, pool) shutdown::shutdown_drops_tasks_before_it_waits_for_closures;
            sync(shutdown, threads) shutdown::shutdown_while_a_thread_is_in_block_on;
            sync(shutdown, threads) shutdown::shutdown_beside_a_busy_block_on_keeps_the_deadline;
            sync(shutdown, pool) shutdown::two_shutdowns_both_tell_the_truth;
            sync(shutdown) shutdown::shutdown_in_a_task_panics;
            sync(shutdown) shutdown::shutdown_does_not_mind_other_handles;
            sync(current) shutdown::shutdown_needs_an_owner;

            sync(owned) late::abort_handle_hides_no_gone_runtime;
            sync(current, owned) late::future_on_a_gone_runtime_is_dropped_by_its_caller;
            sync(shutdown) late::shutdown_is_no_abort;
            sync(shutdown) late::join_set_outlives_a_shutdown;
            sync(owned) late::sleeps_outlive_their_runtime;
            sync(shutdown) late::timers_outlive_a_shutdown;
            sync(owned, workers) late::timeouts_and_intervals_keep_their_runtime;
            sync(owned, real_sockets) late::sockets_that_wait_outlive_their_runtime;
            sync(shutdown, real_sockets) late::sockets_that_wait_outlive_a_shutdown;
            sync(owned, real_sockets) late::sockets_outlive_their_runtime;
            sync(shutdown, real_sockets) late::sockets_outlive_a_shutdown;
            sync(shutdown, real_sockets) late::sockets_made_after_a_shutdown_work_or_fail;
            sync(shutdown) late::names_after_a_shutdown_are_an_error;

            async(current) current::current_in_a_task_is_its_runtime;
            sync(current) current::current_in_block_on_is_its_runtime;
            async(current) current::current_in_a_blocking_closure_is_its_runtime;
            async(current) current::current_in_a_destructor_is_its_runtime;
            async(current) current::current_in_the_destructor_of_an_output;
            async(current) current::output_of_a_dropped_handle_finds_what_its_holder_does;
            async(current, blocking_threads) current::current_in_the_destructor_of_a_queued_closure;
            sync(current, shutdown) current::current_in_a_destructor_at_shutdown_is_its_runtime;
            sync(current, shutdown, blocking_threads) current::current_in_the_destructor_of_a_closure_at_shutdown;
            sync(current, owned) current::current_keeps_nothing_alive;
            sync(current) current::enter_makes_it_current;
            sync(current) current::enter_guards_nest;
            sync(current) current::enter_guards_may_be_dropped_out_of_order;
            sync(current) current::enter_guard_outlives_its_block_on;
            sync(current) current::enter_guards_end_further_in_than_they_began;
            sync(current) current::enter_belongs_to_its_thread;
            sync(current) current::within_makes_it_current_in_each_poll;
            sync(current) current::within_makes_it_current_in_the_destructor;
            async(current) current::task_under_a_foreign_guard_finds_its_own;
            async(current) current::handles_of_one_runtime_are_equal;
            async(current) current::free_functions_find_the_runtime;
            async(current) current::instant_is_of_the_clock_of_the_runtime;
            sync(current) current::block_on_without_a_handle;
            async(current) current::objects_stay_with_their_runtime;
            async(current, workers) current::objects_are_driven_from_anywhere;

            async() time::now_never_goes_back;
            async() time::system_time_goes_on;
            async() time::sleep_is_never_early;
            async() time::sleep_that_is_due_is_ready_at_its_first_poll;
            async() time::sleep_that_becomes_due_is_ready_at_its_next_poll;
            async() time::first_operation_of_a_task_finds_its_budget;
            async() time::budget_of_a_block_on_is_not_that_of_a_task;
            async() time::deadline_made_anew_in_each_turn_fires;
            async() time::loop_of_due_sleeps_lets_others_run;
            async() time::several_busy_futures_let_others_run;
            async() time::sleep_until_the_end_of_the_clock;
            async() time::sleep_max_waits_for_ever;
            async() time::sleep_counts_from_creation;
            sync() time::sleep_can_be_created_on_a_plain_thread;
            async(workers) time::sleep_can_be_awaited_on_a_plain_thread;
            async() time::sleep_can_be_dropped_pending;
            async() time::sleep_is_fused;
            async() time::sleep_wakes_the_last_waker;
            async() time::sleep_moves_between_tasks;
            async() time::sleep_knows_its_deadline;
            async() time::sleep_reset_before_the_first_poll;
            async() time::sleep_reset_to_later;
            async() time::sleep_reset_to_earlier;
            async() time::sleep_reset_after_completion;
            async() time::sleep_reset_to_the_past;
            async() time::many_sleeps_all_fire;
            async() time::timeout_of_a_ready_future_is_ok;
            async() time::timeout_polls_the_future_first;
            async() time::timeout_that_is_up_polls_the_future_once;
            async() time::timeout_elapses;
            async() time::timeout_drops_the_future;
            async() time::timeout_max_never_elapses;
            async() time::timeout_at_a_past_deadline_elapses;
            async() time::timeout_at_a_past_deadline_still_takes_a_ready_value;
            async() time::busy_future_hides_no_deadline;
            async() time::timeout_inside_a_timeout;
            async() time::timeout_counts_from_creation;
            async() time::interval_first_tick_is_immediate;
            async() time::interval_keeps_its_schedule;
            async() time::interval_of_zero_panics;
            async() time::interval_at_starts_then;
            async() time::interval_at_the_end_of_the_clock;
            async() time::interval_burst_catches_up;
            async() time::interval_delay_starts_over;
            async() time::interval_skip_keeps_the_grid;
            async() time::interval_of_a_few_milliseconds_skips;
            async() time::interval_default_is_delay;
            async() time::interval_reset_starts_over;
            async() time::interval_can_be_reset_to_any_time;
            async() time::interval_is_a_stream;
            async() time::interval_tick_is_cancel_safe;

            async() net::stream_round_trip;
            async() net::close_sends_eof;
            async() net::close_leaves_the_read_side_open;
            async() net::close_twice_is_ok;
            async() net::close_after_the_peer_is_gone_is_ok;
            async() net::write_after_close_is_broken_pipe;
            async() net::end_of_stream_stays;
            async() net::reset_reads_as_connection_reset;
            async() net::write_to_a_gone_peer_fails;
            async() net::dropped_stream_delivers_what_was_written;
            async() net::read_into_nothing_is_zero;
            async() net::write_of_nothing_is_zero;
            async() net::vectored_write_goes_out_at_once;
            async() net::idle_reader_burns_no_polls;
            async() net::stream_behind_a_lock_burns_no_polls;
            async(real_sockets) net::busy_socket_starves_no_timer;
            async(real_sockets) net::busy_writer_starves_no_timer;
            async(real_sockets) net::busy_listener_starves_no_timer;
            async(readiness) net::stream_readable_waits_for_bytes;
            async(readiness) net::stream_readable_wakes_everybody;
            async(readiness) net::stream_readable_sees_the_end;
            async(readiness) net::stream_readable_starves_no_timer;
            async(readiness) net::stream_writable_waits_for_room;
            async(readiness) net::stream_try_read_takes_what_is_there;
            async(readiness) net::stream_try_write_finds_room;
            async(readiness) net::stream_try_takes_several_buffers;
            async(readiness) net::stream_first_try_waits_for_nothing;
            async(readiness) net::stream_try_io_would_block_and_then_waits;
            async() net::split_mut_reads_and_writes_at_once;
            async() net::into_split_serves_two_tasks;
            async() net::dropping_the_write_half_sends_eof;
            async() net::dropping_the_read_half_does_not_close;
            async() net::closed_write_half_can_be_dropped;
            async(reunite) net::stream_halves_reunite;
            async() net::stream_halves_have_the_addresses;
            async(readiness) net::stream_halves_readable_waits_for_bytes;
            async(readiness) net::stream_halves_writable_waits_for_room;
            async(readiness) net::stream_halves_try_what_is_there;
            async(readiness) net::stream_halves_try_io_tells_the_runtime;
            async() net::peek_leaves_the_data;
            async() net::peek_at_the_end_is_zero;
            async() net::addresses_match;
            async() net::nodelay_can_be_set;
            async() net::ttl_can_be_set;
            async() net::listener_ttl_can_be_set;
            async(real_sockets) net::stream_from_a_blocking_std_stream;
            async(real_sockets) net::stream_from_std_on_a_plain_thread;
            async(real_sockets) net::stream_into_std_blocks;
            async(real_sockets) net::listener_from_a_blocking_std_listener;
            async(real_sockets) net::listener_into_std_blocks;
            async(workers) net::stream_works_on_a_plain_thread;
            async() net::stream_moves_between_tasks;
            async() net::read_wakes_the_last_waker;
            async() net::read_is_cancel_safe;
            async() net::big_transfer_is_intact;
            async() net::many_connections;
            async(real_sockets) net::sockets_lend_their_descriptors;
            async() connect::connect_by_name;
            async() connect::connect_tries_every_address;
            async() connect::connect_reports_the_last_error;
            async() connect::connect_to_no_address_is_invalid_input;
            async() connect::connect_refused_has_its_kind;
            async() connect::happy_eyeballs_max_waits_for_a_refusal;
            async() connect::connect_can_be_cancelled;
            async(workers) connect::connect_from_a_plain_thread;
            async(blocking_threads) connect::connect_to_an_address_needs_no_blocking_thread;
            async() connect::bind_port_zero_picks_a_port;
            async() connect::bind_in_use_has_its_kind;
            async() connect::bind_tries_every_address;
            async() connect::bind_to_no_address_is_invalid_input;
            async() connect::bind_again_at_once;
            async() connect::bind_queues_a_burst;
            async(workers) connect::bind_from_a_plain_thread;
            async() net::accept_is_cancel_safe;
            async() net::accept_serves_every_waiter;
            async() connect::displaced_poll_accept_is_not_woken;
            async() net::incoming_yields_every_connection;
            async() connect::ipv6_round_trip;
            async() connect::lookup_resolves_localhost;
            async() connect::lookup_takes_an_address_in_brackets;
            async() connect::lookup_of_a_bad_address_is_invalid_input;
            async() connect::lookup_of_an_unknown_host_fails;

            async() options::connect_with_nothing_set;
            async() options::connect_options_are_set;
            async() options::connect_from_a_local_address;
            async() options::connect_from_the_other_family_is_invalid_input;
            async() options::happy_eyeballs_go_on_after_a_refusal;
            async() options::happy_eyeballs_report_the_last_error;
            async() options::connect_asks_its_resolver;
            async() options::connect_hook_sees_the_socket;
            async() options::connect_options_that_make_no_sense;
            async(real_sockets) options::listen_with_nothing_set;
            async(real_sockets) options::listen_options_are_set;
            async() options::accepted_streams_inherit_options;
            async(real_sockets) options::only_v6_leaves_v4_alone;
            async() options::reuse_port_shares_a_port;
            async() options::listen_hook_sees_the_socket;
            async() options::listen_options_that_make_no_sense;
            async() options::linger_can_be_set;
            async() options::keepalive_can_be_set;
            async(real_sockets) options::connect_timeout_passes_a_silent_address;
            async(real_sockets) options::connect_timeout_names_the_address;
            async(real_sockets) options::happy_eyeballs_pass_a_silent_address;
            async() options::backlog_limits_the_queue;

            async() busy::busy_tasks_starve_no_timer;
            async() busy::busy_tasks_starve_no_connect;
            async() busy::busy_tasks_starve_no_accept;
            async() busy::busy_tasks_starve_no_read;
            async() busy::busy_tasks_starve_no_write;
            async() busy::busy_tasks_starve_no_receive;
            async() busy::busy_tasks_starve_no_lookup;
            async() busy::busy_tasks_starve_no_happy_eyeballs;

            async() udp::udp_round_trip;
            async() udp::udp_connected_round_trip;
            async() udp::udp_connected_ignores_strangers;
            async() udp::udp_connects_again;
            async() udp::udp_truncates_and_loses_the_rest;
            async() udp::udp_recv_msg_tells_of_a_truncated_datagram;
            async() udp::udp_empty_datagram_is_received;
            async() udp::udp_empty_buffer_takes_a_datagram;
            async() udp::udp_peek_leaves_the_datagram;
            async() udp::udp_poll_forms_round_trip;
            async() udp::udp_receive_serves_every_waiter;
            async() udp::udp_poll_wakes_the_last_waker;
            async() udp::udp_displaced_poller_is_not_woken;
            async() udp::udp_two_pollers_burn_no_polls;
            async(real_sockets) udp::udp_first_poll_finds_what_is_there;
            async() udp::udp_first_send_waits_for_nothing;
            async() udp::udp_poll_and_await_at_once;
            async() udp::udp_idle_receiver_burns_no_polls;
            async() udp::udp_receive_is_cancel_safe;
            async() udp::udp_readable_waits_for_a_datagram;
            async() udp::udp_readable_wakes_everybody;
            async() udp::udp_ready_polls_wake_the_last_waker;
            async() udp::udp_writable_where_there_is_room;
            async(real_sockets) udp::udp_try_io_calls_where_it_is_ready;
            async(real_sockets) udp::udp_try_io_would_block_and_then_waits;
            async(readiness) udp::udp_tries_wait_for_nothing;
            async(readiness) udp::udp_try_recv_takes_what_is_there;
            async(real_sockets) udp::udp_busy_socket_starves_no_timer;
            async(real_sockets) udp::udp_busy_poll_starves_no_timer;
            async() udp::udp_busy_sender_starves_no_timer;
            async(real_sockets) udp::udp_errors_are_the_systems;
            async() udp::udp_refusal_is_reported_once;
            async() udp::udp_refusal_wakes_who_awaits;
            async(workers) udp::udp_works_on_a_plain_thread;
            async() udp::udp_moves_between_tasks;
            async() udp::udp_bind_picks_a_port;
            async() udp::udp_bind_by_name;
            async() udp::udp_bind_in_use_has_its_kind;
            async() udp::udp_bind_tries_every_address;
            async() udp::udp_bind_to_no_address_is_invalid_input;
            async(workers) udp::udp_bind_from_a_plain_thread;
            async() udp::udp_addresses_match;
            async() udp::udp_broadcast_has_to_be_allowed;
            async() udp::udp_ttl_can_be_set;
            async() udp::udp_multicast_options_can_be_set;
            async(multicast) udp::udp_multicast_reaches_its_group;
            async(multicast) udp::udp_multicast_v6_reaches_its_group;
            async() udp::udp_ipv6_round_trip;
            async(real_sockets) udp::udp_from_a_blocking_std_socket;
            async(real_sockets) udp::udp_from_std_on_a_plain_thread;
            async(real_sockets) udp::udp_into_std_blocks;
            async(current, real_sockets) udp::udp_without_a_handle;
            async(current) udp::udp_connect_and_send_to_take_names;
            async(current) udp::udp_addresses_need_no_runtime;

            #[cfg(unix)] {
                async() unix::unix_stream_round_trip;
                async() unix::unix_pair_is_connected;
                async() unix::unix_close_sends_eof;
                async() unix::unix_close_twice_is_ok;
                async() unix::unix_read_into_nothing_is_zero;
                async(readiness) unix::unix_readable_waits_for_bytes;
                async(readiness) unix::unix_readable_wakes_everybody;
                async(readiness) unix::unix_readable_sees_the_end;
                async(readiness) unix::unix_readable_starves_no_timer;
                async(readiness) unix::unix_writable_waits_for_room;
                async(readiness) unix::unix_try_read_takes_what_is_there;
                async(readiness) unix::unix_try_write_finds_room;
                async(readiness) unix::unix_try_takes_several_buffers;
                async(readiness) unix::unix_first_try_waits_for_nothing;
                async(readiness) unix::unix_try_io_would_block_and_then_waits;
                async() unix::unix_split_mut_reads_and_writes_at_once;
                async() unix::unix_into_split_serves_two_tasks;
                async() unix::unix_dropping_the_write_half_sends_eof;
                async(reunite) unix::unix_halves_reunite;
            async() unix::unix_halves_have_the_addresses;
            async(readiness) unix::unix_halves_readable_waits_for_bytes;
            async(readiness) unix::unix_halves_writable_waits_for_room;
            async(readiness) unix::unix_halves_try_what_is_there;
            async(readiness) unix::unix_halves_try_io_tells_the_runtime;
                async() unix::unix_big_transfer_is_intact;
                async() unix::unix_read_wakes_the_last_waker;
                async() unix::unix_read_is_cancel_safe;
                async(real_sockets) unix::unix_busy_stream_starves_no_timer;
                async() unix::unix_idle_reader_burns_no_polls;
                async(workers) unix::unix_works_on_a_plain_thread;
                async() unix::unix_addresses_match;
                async(peer_cred) unix::unix_peer_cred_tells_who_it_is;
                async() unix::unix_bad_paths_are_invalid_input;
                async() unix::unix_abstract_names_have_no_file;
                async(real_sockets) unix::unix_connect_errors_have_their_kinds;
                async(real_sockets) unix::unix_connect_to_a_full_queue_is_refused;
                async(workers) unix::unix_connect_from_a_plain_thread;
                async(real_sockets) unix::unix_bind_errors_have_their_kinds;
                async(workers) unix::unix_bind_from_a_plain_thread;
                async() unix::unix_file_stays;
                async() unix::unix_removed_path_can_be_bound_again;
                async() unix::unix_accept_serves_every_waiter;
                async() unix::unix_accept_is_cancel_safe;
                async() unix::unix_incoming_yields_every_connection;
                async() unix::unix_poll_accept_wakes_the_last_waker;
                async(real_sockets) unix::unix_from_blocking_std_sockets;
                async(real_sockets) unix::unix_from_std_on_a_plain_thread;
                async(real_sockets) unix::unix_into_std_blocks;
                async(real_sockets) unix::unix_sockets_lend_their_descriptors;
                async(current, real_sockets) unix::unix_without_a_handle;
                async() unix::unix_datagram_round_trip;
                async() unix::unix_datagram_connected_round_trip;
                async() unix::unix_datagram_poll_forms_round_trip;
                async() unix::unix_datagram_truncates_and_loses_the_rest;
                async() unix::unix_datagram_recv_msg_tells_of_a_truncated_datagram;
                async() unix::unix_datagram_receive_serves_every_waiter;
                async() unix::unix_datagram_sender_waits_for_room;
                async(real_sockets) unix::unix_datagram_send_to_waits_for_room;
                async() unix::unix_datagram_poll_wakes_the_last_waker;
                async(real_sockets) unix::unix_datagram_busy_socket_starves_no_timer;
                async(readiness) unix::unix_datagram_readable_waits_for_a_datagram;
                async(readiness) unix::unix_datagram_writable_waits_for_room;
                async(readiness) unix::unix_datagram_tries_wait_for_nothing;
                async() unix::unix_displaced_pollers_are_not_woken;
                async(real_sockets) unix::unix_first_poll_finds_what_is_there;
                async() unix::unix_first_send_waits_for_nothing;
                async() unix::unix_datagram_send_finds_some_room;
                async(descriptors) async_fd::fd_readable_waits_for_bytes;
                async(descriptors) async_fd::fd_writable_waits_for_room;
                async(descriptors) async_fd::fd_async_io_reads_and_writes;
                async(descriptors) async_fd::fd_idle_waiters_burn_no_polls;
                async(descriptors) async_fd::fd_wakes_everybody;
                async(descriptors) async_fd::fd_poll_wakes_the_last_waker;
                async(descriptors) async_fd::fd_busy_starves_no_timer;
                async(descriptors) async_fd::fd_comes_back;
                async(descriptors, workers) async_fd::fd_works_on_a_plain_thread;
                async(current, descriptors) async_fd::fd_without_a_handle;
                async(descriptors) async_fd::fd_of_a_file_is_an_error;
                sync(owned, real_sockets) late::unix_sockets_that_wait_outlive_their_runtime;
                sync(shutdown, real_sockets) late::unix_sockets_that_wait_outlive_a_shutdown;
                sync(shutdown, real_sockets) late::unix_sockets_outlive_a_shutdown;
            }

            #[cfg(fds)] {
                async(fds) fds::unix_fds_work_on_the_other_side;
                async(fds) fds::unix_fds_keep_their_place;
                async(fds) fds::unix_fds_without_room_are_closed;
                async(fds) fds::unix_fds_are_sent_once;
                async(fds) fds::unix_fds_of_a_cancelled_send_stay;
                async(fds) fds::unix_fds_outlive_a_cancelled_receive;
                async(fds) fds::unix_fds_without_a_byte_are_invalid_input;
                async(fds) fds::unix_fds_try_waits_for_nothing;
                async(fds) fds::unix_fds_starve_no_timer;
                async(fds) fds::unix_fds_hide_no_bytes;
                async(fds) fds::unix_fds_come_with_credentials;
            }

            #[cfg(watch)] {
                async() watch::watch_reports_a_poll_while_it_blocks;
                async() watch::watch_reports_the_end_of_a_poll;
                async() watch::watch_reports_a_destructor;
                sync() watch::watch_reports_the_future_of_block_on;
                async() watch::watch_sees_what_a_task_spawns;
                async(pool) watch::watch_ignores_blocking_closures;
                async(blocking_threads) watch::watch_reports_closures_without_a_thread;
                async() watch::watch_counts;
                async() watch::watch_reports_tasks_without_a_turn;
                async(threads) watch::watch_wakes_through_the_last_waker;
                async() watch::watch_callback_may_panic;
                async() watch::watch_reports_the_end_to_a_late_callback;
                sync() watch::watch_ends_with_its_handle;
            }
        }
    };
}

/// One scenario of the list: how to run it, and what it needs.
macro_rules! scenario {
    (async $needs:tt $module:ident $name:ident) => {
        Scenario::new(stringify!($name), stringify!($needs), |runtime: R| {
            runtime.block_on_boxed($module::$name(runtime.clone()));
        })
    };
    (sync $needs:tt $module:ident $name:ident) => {
        Scenario::new(stringify!($name), stringify!($needs), $module::$name::<R>)
    };
}

macro_rules! list {
    (
        [] $($kind:ident $needs:tt $module:ident::$name:ident;)*
        #[cfg(unix)] { $($unix_kind:ident $unix_needs:tt $unix_module:ident::$unix_name:ident;)* }
        #[cfg(fds)] { $($fds_kind:ident $fds_needs:tt $fds_module:ident::$fds_name:ident;)* }
        #[cfg(watch)] { $($watch_kind:ident $watch_needs:tt $watch_module:ident::$watch_name:ident;)* }
    ) => {
        /// Returns all scenarios, for a test runner of your own; [`conformance!`](crate::conformance!) is the provided
        /// one.
        pub fn scenarios<R: Runtime>() -> Vec<Scenario<R>> {
            vec![
                $(scenario!($kind $needs $module $name),)*
                $(#[cfg(unix)] scenario!($unix_kind $unix_needs $unix_module $unix_name),)*
                $(#[cfg(all(unix, feature = "fds"))] scenario!($fds_kind $fds_needs $fds_module $fds_name),)*
                $(#[cfg(feature = "watch")] scenario!($watch_kind $watch_needs $watch_module $watch_name),)*
            ]
        }
    };
}

__scenarios!([list] []);

/// One test a scenario. `$run` takes the name of the scenario.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (
        [$run:ident] $($kind:ident $needs:tt $module:ident::$name:ident;)*
        #[cfg(unix)] { $($unix_kind:ident $unix_needs:tt $unix_module:ident::$unix_name:ident;)* }
        #[cfg(fds)] { $($fds_kind:ident $fds_needs:tt $fds_module:ident::$fds_name:ident;)* }
        #[cfg(watch)] { $($watch_kind:ident $watch_needs:tt $watch_module:ident::$watch_name:ident;)* }
    ) => {
        $(
            #[test]
            fn $name() {
                $run(stringify!($name));
            }
        )*
        $(
            #[cfg(unix)]
            #[test]
            fn $unix_name() {
                $run(stringify!($unix_name));
            }
        )*
        $(
            #[cfg(unix)]
            #[test]
            fn $fds_name() {
                $run(stringify!($fds_name));
            }
        )*
        $(
            #[test]
            fn $watch_name() {
                $run(stringify!($watch_name));
            }
        )*
    };
}

/// Creates one `#[test]` for each scenario and each runtime named.
///
/// `name: expression, capabilities;` creates a module `name` with the tests. The expression is evaluated for each test
/// and returns a [`Runtime`](crate::Runtime); [`Capabilities`](crate::conformance::Capabilities) is in scope.
#[macro_export]
macro_rules! conformance {
    ($($name:ident: $runtime:expr, $capabilities:expr;)+) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;
                #[allow(unused_imports)]
                use $crate::conformance::Capabilities;

                fn run(scenario: &str) {
                    $crate::conformance::run(module_path!(), scenario, $capabilities, || $runtime);
                }

                $crate::__scenarios!([$crate::__tests] [run]);
            }
        )+
    };
}
