/// A mistake that somebody could make, or has made.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// Below `src`.
    pub(crate) file: &'static str,
    /// The code as it is. It has to be there once.
    pub(crate) right: &'static str,
    /// The code that replaces it: as it is, and broken where `mutant!()` is true.
    pub(crate) wrong: &'static str,
    /// Scenarios that fail with it, with the suite they fail in.
    pub(crate) caught_by: &'static [&'static str],
}

/// Every mutant. The last words of a name are what it does.
pub(crate) const MUTANTS: &[Mutant] = &[
    // Tasks.
    Mutant {
        name: "dropped handle cancels",
        file: "runtime/task/native/async_task.rs",
        right: "Some(task) => task.detach(self.core.number),",
        wrong: "Some(task) => if mutant!() { drop(task) } else { task.detach(self.core.number) },",
        caught_by: &[
            "backend::smol::owned::drop_detaches",
            "backend::async_std::global::drop_detaches_before_the_first_poll",
            "backend::smol::owned::blocking_runs_when_its_handle_is_dropped_in_the_queue",
        ],
    },
    Mutant {
        name: "abort loses the value of a poll in progress",
        file: "runtime/task/native/async_task.rs",
        right: "(ways().to_slot)(slot, result),",
        wrong: "(ways().to_slot)(slot, if mutant!() { drop(result); Err(JoinError::cancelled(number)) } else { result }),",
        caught_by: &[
            "backend::smol::owned::abort_keeps_the_value_of_a_poll_in_progress",
            "backend::smol::global::abort_never_loses_a_panic",
            "backend::async_std::global::blocking_abort_after_start_changes_nothing",
        ],
    },
    Mutant {
        name: "abort misses a task that is just ending",
        file: "runtime/task/native/async_task.rs",
        right: "((self.sends)().open)(slot.clone());",
        wrong: "if !mutant!() { ((self.sends)().open)(slot.clone()); }",
        caught_by: &["backend::smol::owned::abort_cancels_a_pending_task"],
    },
    Mutant {
        name: "task does not know its id",
        file: "runtime/task/native/async_task.rs",
        right: "(Scope::task(H::KIND, number.get()), Turn::begin())",
        wrong: "(Scope::task(H::KIND, if mutant!() { 0 } else { number.get() }), Turn::begin())",
        caught_by: &["backend::smol::owned::id_in_a_task_is_that_of_its_handle"],
    },
    Mutant {
        name: "destructor is outside of its wrapper",
        file: "any/wrapped.rs",
        right: "within::inside(&runtime, || in_wrapper(wrapper, || it.set(None)))",
        wrong: "within::inside(&runtime, || in_wrapper(if mutant!() { &mut *Box::leak(Box::new(None)) } else { &mut *wrapper }, || it.set(None)))",
        caught_by: &["backend::smol::owned::wrapper_is_around_destructors"],
    },
    Mutant {
        name: "wrapped task does not find its handle",
        file: "any/wrapped.rs",
        right: "let found = AnyRuntime::from_wrapped(found);",
        wrong: "let found = if mutant!() { found.runtime.clone() } else { AnyRuntime::from_wrapped(found) };",
        caught_by: &["backend::smol::owned::wrapper_follows_into_what_a_task_spawns"],
    },
    Mutant {
        name: "set tells the id of another task",
        file: "runtime/task/set.rs",
        right: "result.map(|value| (handle.id(), value))",
        wrong: "result.map(|value| (if mutant!() { super::Number::next().into() } else { handle.id() }, value))",
        caught_by: &["backend::smol::owned::join_set_tells_ids"],
    },
    Mutant {
        name: "abort handle keeps the output",
        file: "runtime/task/native/async_task.rs",
        right: "Self::Shared(core) => discard(core.detach().map(Output::claim)),",
        wrong: "Self::Shared(core) => if !mutant!() { discard(core.detach().map(Output::claim)) },",
        caught_by: &["backend::smol::owned::abort_handle_keeps_no_output"],
    },
    Mutant {
        name: "output of a task with an abort handle alone is dropped outside of its runtime",
        file: "runtime/task/native/async_task.rs",
        right: "drop(self.detach());",
        wrong: "if mutant!() { discard(self.detach().map(Output::claim)) } else { drop(self.detach()) }",
        caught_by: &["backend::smol::owned::current_in_the_destructor_of_an_output"],
    },
    Mutant {
        name: "task is polled under the lock of its handles",
        file: "runtime/task/native/async_task.rs",
        right: "            let polled = Pin::new(&mut task.task).poll(cx);",
        wrong: "            let polled = { let _held = mutant!().then(|| lock(&self.state)); Pin::new(&mut task.task).poll(cx) };",
        caught_by: &[
            "backend::smol::owned::waker_may_ask_its_handle",
            "backend::async_std::global::drop_of_a_handle_while_its_task_completes",
        ],
    },
    Mutant {
        name: "abort of a task whose handle is being polled is lost",
        file: "runtime/task/native/async_task.rs",
        right: "State::Polled(meanwhile) => meanwhile.abort = true,",
        wrong: "State::Polled(meanwhile) => meanwhile.abort = !mutant!(),",
        caught_by: &["backend::smol::owned::waker_may_abort_its_task"],
    },
    Mutant {
        name: "output that nobody wants is dropped outside its runtime",
        file: "runtime/task/native/async_task.rs",
        right: "has_destructor.then(|| (ways().scope)(number.get()));",
        wrong: "(has_destructor && !mutant!()).then(|| (ways().scope)(number.get()));",
        caught_by: &[
            "backend::smol::owned::current_in_the_destructor_of_an_output",
            "backend::async_std::global::block_on_in_the_destructor_of_an_output",
        ],
    },
    Mutant {
        name: "output of a dropped handle is taken for one that nobody wants",
        file: "runtime/task/native/async_task.rs",
        right: "        if self.is_finished() {\n            // An output",
        wrong: "        if self.is_finished() && !mutant!() {\n            // An output",
        caught_by: &["backend::smol::global::output_of_a_dropped_handle_finds_what_its_holder_does"],
    },
    Mutant {
        name: "closure that is dropped in the queue finds no runtime",
        file: "runtime/task/native/async_task.rs",
        right: "        if let Some(job) = self.job.take() {\n            let _scope = Scope::blocking(H::KIND, self.number.get());",
        wrong: "        if let Some(job) = self.job.take() {\n            let _scope = (!mutant!()).then(|| Scope::blocking(H::KIND, self.number.get()));",
        caught_by: &["backend::smol::owned::current_in_the_destructor_of_a_queued_closure"],
    },
    Mutant {
        name: "closed pool drops closures outside its runtime",
        file: "backend/smol/pool.rs",
        right: "        let _working = Working::with(self.threads.clone());\n        drop(runnables);",
        wrong: "        let _working = (!mutant!()).then(|| Working::with(self.threads.clone()));\n        drop(runnables);",
        caught_by: &["backend::smol::owned::current_in_the_destructor_of_a_closure_at_shutdown"],
    },
    Mutant {
        name: "panic is written under its lock",
        file: "runtime/task/error.rs",
        right: "let message = message(&**lock(&panicked.payload));",
        wrong: "let held = lock(&panicked.payload); let message = message(&**held); let _held = mutant!().then_some(held);",
        caught_by: &["backend::smol::owned::join_error_display"],
    },
    Mutant {
        name: "handle that has completed says that its runtime is gone",
        file: "runtime/task/native/async_task.rs",
        right: "                if let Some(task) = state.take_running() {",
        wrong: "                if let Some(task) = if mutant!() { None } else { state.take_running() } {",
        caught_by: &["backend::smol::owned::handle_polled_after_completion_panics"],
    },
    Mutant {
        name: "runtime of tokio is dropped in the foreground",
        file: "backend/tokio/owned.rs",
        right: "catch_panic(|| runtime.shutdown_background());",
        wrong: "catch_panic(|| if mutant!() { drop(runtime) } else { runtime.shutdown_background() });",
        caught_by: &["backend::tokio::multi_thread::runtime_drop_waits_for_no_closure"],
    },
    Mutant {
        name: "panic kills the worker",
        file: "runtime/task/native/async_task.rs",
        right: "let ended = catch_panic(|| {",
        wrong: "fn run<R>(run: impl FnOnce() -> R) -> Result<R, Payload> {
            if mutant!() { Ok(run()) } else { catch_panic(run) }
        }
        let ended = run(|| {",
        caught_by: &[
            "backend::smol::owned::panic_reaches_the_handle",
            "backend::async_std::global::panic_payload_is_preserved",
        ],
    },
    Mutant {
        name: "destructor aborts the process",
        file: "runtime/task/native/async_task.rs",
        right: "let dropped = catch_panic(|| this.future.set(None));",
        wrong: "let dropped = if mutant!() { this.future.set(None); Ok(()) } \
                else { catch_panic(|| this.future.set(None)) };",
        caught_by: &["backend::smol::owned::destructor_panic_of_an_aborted_task_is_reported"],
    },
    Mutant {
        name: "destructor of an output aborts the process",
        file: "runtime/task/native/async_task.rs",
        right: "        None => discard(result),",
        wrong: "        None => if mutant!() { drop(result) } else { discard(result) },",
        caught_by: &[
            "backend::smol::owned::destructor_panic_of_a_detached_output_is_contained",
            "backend::async_std::global::blocking_output_destructor_panic_is_contained",
        ],
    },
    Mutant {
        name: "tokio swallows a panic",
        file: "runtime/task/native/tokio.rs",
        right: "Ok(payload) => JoinError::panicked(id, payload),",
        wrong: "Ok(_) if mutant!() => JoinError::cancelled(id), Ok(payload) => JoinError::panicked(id, payload),",
        caught_by: &[
            "backend::tokio::multi_thread::panic_payload_is_preserved",
            "backend::tokio::current_thread::blocking_panic_reaches_the_handle",
        ],
    },
    Mutant {
        name: "tokio takes an abort for the end of the runtime",
        file: "runtime/task/native/tokio.rs",
        right: "self.aborted.store(true, Ordering::Relaxed);",
        wrong: "self.aborted.store(!mutant!(), Ordering::Relaxed);",
        caught_by: &["backend::tokio::multi_thread::abort_handle_aborts"],
    },
    Mutant {
        name: "cancel waits to be polled",
        file: "runtime/task/handle.rs",
        right: "        self.abort();\n        self\n",
        wrong: "        if !mutant!() { self.abort(); }\n        self\n",
        caught_by: &["backend::tokio::multi_thread::cancel_acts_without_being_polled"],
    },
    Mutant {
        name: "abort_on_drop detaches",
        file: "runtime/task/handle.rs",
        right: "    fn drop(&mut self) {\n        self.abort();",
        wrong: "    fn drop(&mut self) {\n        if !mutant!() { self.abort(); }",
        caught_by: &["backend::tokio::current_thread::abort_on_drop_aborts"],
    },
    Mutant {
        name: "yield_now does not",
        file: "runtime/task/yield_now.rs",
        right: "std::mem::replace(&mut self.yielded, true)",
        wrong: "std::mem::replace(&mut self.yielded, true) || mutant!()",
        caught_by: &["backend::smol::global::yield_now_lets_others_run"],
    },
    Mutant {
        name: "nested block_on passes",
        file: "thread/scope.rs",
        right: "if STATE.get().is_driving() {\n            nested_block_on();",
        wrong: "if STATE.get().is_driving() && !mutant!() {\n            nested_block_on();",
        caught_by: &[
            "backend::smol::owned::nested_block_on_panics",
            "backend::async_std::global::block_on_in_a_task_panics",
        ],
    },
    // The end of a runtime.
    Mutant {
        name: "shutdown leaves the tasks that wait to a worker that is stuck",
        file: "backend/smol/tasks.rs",
        right: "wakers.into_iter().for_each(Waker::wake);",
        wrong: "if !mutant!() { wakers.into_iter().for_each(Waker::wake); }",
        caught_by: &["backend::smol::owned::shutdown_reports_a_task_that_is_stuck"],
    },
    Mutant {
        name: "shutdown waits for closures",
        file: "backend/tokio/threads.rs",
        right: "wait_timeout_while(self.lock(), timeout, is_one_left)",
        wrong: "wait_timeout_while(self.lock(), if mutant!() { Duration::MAX } else { timeout }, is_one_left)",
        caught_by: &["backend::tokio::multi_thread::shutdown_reports_a_closure_that_runs_on"],
    },
    Mutant {
        name: "shutdown sleeps through its timeout",
        file: "backend/tokio/threads.rs",
        right: "        self.one_ended.notify_all();\n",
        wrong: "        if !mutant!() { self.one_ended.notify_all(); }\n",
        caught_by: &["backend::tokio::multi_thread::shutdown_while_a_thread_is_in_block_on"],
    },
    Mutant {
        name: "block_on of a current_thread does not hear of a shutdown",
        file: "backend/tokio/owned.rs",
        right: "        wakers.into_iter().for_each(Waker::wake);\n",
        wrong: "        if !mutant!() { wakers.into_iter().for_each(Waker::wake); }\n",
        caught_by: &["backend::tokio::current_thread::shutdown_while_a_thread_is_in_block_on"],
    },
    Mutant {
        name: "task that is spawned in a poll after the shutdown runs",
        file: "backend/tokio/owned.rs",
        right: "Poll::Pending if self.owned.is_stopped.load",
        wrong: "Poll::Pending if !mutant!() && self.owned.is_stopped.load",
        caught_by: &["backend::tokio::current_thread::shutdown_beside_a_busy_block_on_keeps_the_deadline"],
    },
    Mutant {
        name: "second shutdown says at once that nothing is left",
        file: "backend/tokio/owned.rs",
        right: "        let stopped = self.stop();\n",
        wrong: "        let is_second = self.is_stopped.load(Ordering::Acquire);\n        let stopped = self.stop();\n\
                        if mutant!() && is_second { return ShutdownReport::default(); }\n",
        caught_by: &[
            "backend::tokio::multi_thread::two_shutdowns_both_tell_the_truth",
            "backend::tokio::current_thread::two_shutdowns_both_tell_the_truth",
        ],
    },
    Mutant {
        name: "idle thread is taken for a task",
        file: "backend/tokio/owned.rs",
        right: "if is_early { in_tasks",
        wrong: "if is_early && !mutant!() { in_tasks",
        caught_by: &[
            "backend::tokio::multi_thread::shutdown_in_no_time_takes_idle_threads_for_nothing_else",
        ],
    },
    Mutant {
        name: "current_thread waits for closures before it drops tasks",
        file: "backend/tokio/owned.rs",
        right: "let _ = catch_panic(|| drop(self.0.take()));",
        wrong: "if mutant!() { self.0.take().into_iter().for_each(|all| all.shutdown_timeout(Duration::from_secs(60))) }\n\
                        let _ = catch_panic(|| drop(self.0.take()));",
        caught_by: &["backend::tokio::current_thread::shutdown_drops_tasks_before_it_waits_for_closures"],
    },
    Mutant {
        name: "block_on needs the thread-locals of its runtime",
        file: "thread/exit.rs",
        right: "    if locals_may_be_gone() {\n",
        wrong: "    if !mutant!() && locals_may_be_gone() {\n",
        caught_by: &[
            "backend::smol::owned::handle_works_in_a_destructor_of_a_thread_local",
            "backend::async_std::global::handle_works_in_a_destructor_of_a_thread_local",
        ],
    },
    Mutant {
        name: "timer needs a context of tokio that is gone",
        file: "backend/tokio/mod.rs",
        right: "Err(error) if error.is_thread_local_destroyed() => Err(ContextGone),",
        wrong: "Err(error) if !mutant!() && error.is_thread_local_destroyed() => Err(ContextGone),",
        caught_by: &["backend::tokio::multi_thread::handle_works_in_a_destructor_of_a_thread_local"],
    },
    Mutant {
        name: "shutdown waits for itself",
        file: "backend/tokio/mod.rs",
        right: "!is_ending() && catch_panic(|| self.handle.block_on(async {})).is_err()",
        wrong: "!mutant!() && !is_ending() && catch_panic(|| self.handle.block_on(async {})).is_err()",
        caught_by: &["backend::tokio::multi_thread::shutdown_in_a_task_panics"],
    },
    Mutant {
        name: "found handle stops its runtime",
        file: "backend/smol/mod.rs",
        right: "            Executor::Unowned(_) => Err(",
        wrong: "            Executor::Unowned(threads) if mutant!() => {
                Ok(threads.upgrade().map_or_else(ShutdownReport::default, |threads| threads.shutdown_timeout(timeout)))
            }
            Executor::Unowned(_) => Err(",
        caught_by: &["backend::smol::owned::shutdown_needs_an_owner"],
    },
    Mutant {
        name: "pool has no limit",
        file: "backend/smol/pool.rs",
        right: "state.threads < self.limit {",
        wrong: "(state.threads < self.limit || mutant!()) {",
        caught_by: &["backend::smol::owned::blocking_saturation_stops_no_timers"],
    },
    Mutant {
        name: "pool forgets to say that it is done",
        file: "backend/smol/pool.rs",
        right: "        self.one_done.notify_all();",
        wrong: "        if !mutant!() { self.one_done.notify_all(); }",
        caught_by: &["backend::smol::owned::shutdown_waits_for_what_ends_in_time"],
    },
    // Which runtime is current.
    Mutant {
        name: "task finds no runtime",
        file: "thread/scope.rs",
        right: "        Self::new(true, Some(kind), Some(task))",
        wrong: "        Self::new(true, if mutant!() { None } else { Some(kind) }, Some(task))",
        caught_by: &[
            "backend::smol::any_global::current_in_a_task_is_its_runtime",
            "backend::async_std::any::free_functions_find_the_runtime",
        ],
    },
    Mutant {
        name: "blocking closure finds no runtime",
        file: "runtime/task/native/async_task.rs",
        right: "fn run(mut self) -> Output<T> {\n        let _scope = Scope::blocking(H::KIND, self.number.get());",
        wrong: "fn run(mut self) -> Output<T> {\n        let _scope = (!mutant!()).then(|| Scope::blocking(H::KIND, self.number.get()));",
        caught_by: &["backend::smol::owned::current_in_a_blocking_closure_is_its_runtime"],
    },
    Mutant {
        name: "blocking closure of an owned executor finds none",
        file: "backend/smol/pool.rs",
        right: "fn work(&self) {\n        let _working = Working::with(self.threads.clone());",
        wrong: "fn work(&self) {\n        let _working = (!mutant!()).then(|| Working::with(self.threads.clone()));",
        caught_by: &["backend::smol::any_owned::current_in_a_blocking_closure_is_its_runtime"],
    },
    Mutant {
        name: "task of a custom runtime finds none",
        file: "any/within.rs",
        right: "Some(future) => inside(this.runtime, || future.poll(cx)),",
        wrong: "Some(future) => if mutant!() { future.poll(cx) } else { inside(this.runtime, || future.poll(cx)) },",
        caught_by: &["any::objects_stay_with_their_runtime"],
    },
    Mutant {
        name: "destructor of a future finds what is around it",
        file: "any/within.rs",
        right: "inside(this.runtime, || this.it.set(None));",
        wrong: "if mutant!() { this.it.set(None) } else { inside(this.runtime, || this.it.set(None)) };",
        caught_by: &["backend::smol::global::within_makes_it_current_in_the_destructor"],
    },
    Mutant {
        name: "current keeps its runtime alive",
        file: "any/context.rs",
        right: "Self::Weak => runtime.unowned(),",
        wrong: "Self::Weak => if mutant!() { runtime.clone() } else { runtime.unowned() },",
        caught_by: &["backend::smol::owned::current_keeps_nothing_alive"],
    },
    Mutant {
        name: "task keeps its custom runtime alive",
        file: "any/custom/mod.rs",
        right: "            Kept::Owned(runtime) => Kept::Unowned(",
        wrong: "            Kept::Owned(runtime) if !mutant!() => Kept::Unowned(",
        caught_by: &["any::current_keeps_nothing_alive", "any::tasks_are_dropped_with_their_runtime"],
    },
    Mutant {
        name: "future on a gone runtime is dropped in a task",
        file: "backend/smol/mod.rs",
        right: "None => spawn_gone(Number::next(), future),",
        wrong: "None if mutant!() => crate::runtime::task::spawn_with(future, drop),\n            None => spawn_gone(Number::next(), future),",
        caught_by: &["backend::smol::owned::future_on_a_gone_runtime_is_dropped_by_its_caller"],
    },
    Mutant {
        name: "guard reaches into tasks of tokio",
        file: "any/context.rs",
        right: "if native::task() == task {",
        wrong: "if native::task() == task || mutant!() {",
        caught_by: &["backend::tokio::current_thread::task_under_a_foreign_guard_finds_its_own"],
    },
    Mutant {
        name: "guard that left its block_on restores what is gone",
        file: "thread/scope.rs",
        right: "last.is_over && last.depth == here.depth())",
        wrong: "last.is_over && (last.depth == here.depth() || mutant!()))",
        caught_by: &["backend::smol::any_global::enter_guards_may_be_dropped_out_of_order"],
    },
    Mutant {
        name: "guard ends with the block_on that it was made in",
        file: "thread/scope.rs",
        right: "                if entered.depth > further_in {",
        wrong: "                if entered.depth > further_in && !mutant!() {",
        caught_by: &[
            "backend::tokio::multi_thread::enter_guard_outlives_its_block_on",
            "backend::smol::owned::enter_guard_outlives_its_block_on",
        ],
    },
    Mutant {
        name: "guard that ends further in hides what was before it",
        file: "thread/scope.rs",
        right: "if let Find::Kind(kind) = last.before? {",
        wrong: "if mutant!() {\n                        return None;\n                    }\n                    if let Find::Kind(kind) = last.before? {",
        caught_by: &["backend::smol::owned::enter_guards_end_further_in_than_they_began"],
    },
    Mutant {
        name: "guard never ends",
        file: "any/context.rs",
        right: "let Some(entry) = self.entry.take() else { return };",
        wrong: "let Some(entry) = self.entry.take() else { return };\n        if mutant!() {\n            return std::mem::forget(entry);\n        }",
        caught_by: &["backend::async_std::global::enter_makes_it_current"],
    },
    // Tasks of runtimes that have no handles of their own.
    Mutant {
        name: "slot wakes who waited first",
        file: "thread/lock.rs",
        right: "kept.as_ref().is_some_and(|kept| kept.will_wake(waker))",
        wrong: "kept.as_ref().is_some_and(|kept| kept.will_wake(waker) || mutant!())",
        caught_by: &["required::handle_wakes_the_last_waker"],
    },
    Mutant {
        name: "waker is dropped under the lock",
        file: "thread/lock.rs",
        right: "std::mem::swap(kept, &mut cloned);",
        wrong: "if mutant!() { *kept = cloned.take() } else { std::mem::swap(kept, &mut cloned) }",
        caught_by: &["required::waker_may_ask_its_handle"],
    },
    Mutant {
        name: "closure of a custom runtime finds none",
        file: "any/within.rs",
        right: "Some(it) => inside(&self.runtime, || call(it)),",
        wrong: "Some(it) => if mutant!() { call(it) } else { inside(&self.runtime, || call(it)) },",
        caught_by: &["any::current_in_a_blocking_closure_is_its_runtime"],
    },
    Mutant {
        name: "slot keeps an output that nobody wants",
        file: "runtime/task/slot.rs",
        right: "let unwanted = state.finished || state.detached;",
        wrong: "let unwanted = state.finished || state.detached && !mutant!();",
        caught_by: &["required::abort_handle_keeps_no_output"],
    },
    Mutant {
        name: "handle resumes before the future is dropped",
        file: "runtime/task/spawned.rs",
        right: "        let result = match catch_panic(|| this.future.set(None)) {",
        wrong: "        if mutant!() { this.owner.complete(result); return Poll::Ready(()); }
        let result = match catch_panic(|| this.future.set(None)) {",
        caught_by: &["required::future_is_dropped_before_its_handle_resumes"],
    },
    Mutant {
        name: "aborted closure runs",
        file: "runtime/task/spawned.rs",
        right: "if self.slot.is_wanted(Waker::noop()) {",
        wrong: "if self.slot.is_wanted(Waker::noop()) || mutant!() {",
        caught_by: &["required::blocking_abort_before_start_prevents_it"],
    },
    // LocalSet.
    Mutant {
        name: "aborted local task runs on",
        file: "runtime/task/local/queue.rs",
        right: "        !self.entry.is_aborted.load(Ordering::Acquire)\n",
        wrong: "        !self.entry.is_aborted.load(Ordering::Acquire) || mutant!()\n",
        caught_by: &["backend::tokio::current_thread::local_abort_drops_the_task"],
    },
    Mutant {
        name: "local task that is woken in its poll sleeps on",
        file: "runtime/task/local/tasks.rs",
        right: "idle.entry.begin_turn();\n        let is_over = idle.future.as_mut().poll(&mut Context::from_waker(&idle.waker)).is_ready();",
        wrong: "if !mutant!() { idle.entry.begin_turn(); }\n        let is_over = idle.future.as_mut().poll(&mut Context::from_waker(&idle.waker)).is_ready();\n        \
                if mutant!() { idle.entry.begin_turn(); }",
        caught_by: &["backend::smol::owned::local_wakes_are_not_lost"],
    },
    Mutant {
        name: "set with more to do waits for a wake",
        file: "runtime/task/local/queue.rs",
        right: "if !was_polled && !state.ready.is_empty() {",
        wrong: "if !was_polled && !state.ready.is_empty() && !mutant!() {",
        caught_by: &["backend::tokio::multi_thread::local_busy_tasks_starve_nobody"],
    },
    Mutant {
        name: "second who polls a set takes the place of the first",
        file: "runtime/task/local/queue.rs",
        right: "            state.more_waiters.push((key, waker));",
        wrong: "            if mutant!() { state.waiter = Some((key, waker)) } else { state.more_waiters.push((key, waker)) }",
        caught_by: &["backend::smol::owned::local_set_is_polled_in_two_places"],
    },
    Mutant {
        name: "budget of tokio is always spent by the same local task",
        file: "runtime/task/local/tasks.rs",
        right: "if is_spent && !self.was_skipped.get() {",
        wrong: "if is_spent && !self.was_skipped.get() && !mutant!() {",
        caught_by: &["backend::tokio::current_thread::local_busy_socket_starves_nobody"],
    },
    Mutant {
        name: "turn of a set inside of its task is lost",
        file: "runtime/task/local/tasks.rs",
        right: "            task.missed = true;",
        wrong: "            task.missed = !mutant!();",
        caught_by: &["backend::smol::owned::local_set_is_run_in_its_own_task"],
    },
    // JoinSet.
    Mutant {
        name: "handles in a set spend the budget of tokio",
        file: "runtime/task/native/tokio.rs",
        right: "pin!(unconstrained(self)).poll(cx)",
        wrong: "if mutant!() { Pin::new(self).poll(cx) } else { pin!(unconstrained(self)).poll(cx) }",
        caught_by: &["backend::tokio::multi_thread::join_set_try_join_next_takes_all_that_are_finished"],
    },
    Mutant {
        name: "join_next has no budget",
        file: "runtime/task/set.rs",
        right: "        coop::poll(cx, |cx| {",
        wrong: "        let poll = if mutant!() { |cx: &mut Context<'_>, run: &mut dyn FnMut(&mut Context<'_>) -> Poll<_>| run(cx) }
        else { |cx: &mut Context<'_>, run: &mut dyn FnMut(&mut Context<'_>) -> Poll<_>| coop::poll(cx, run) };
        poll(cx, &mut |cx| {",
        caught_by: &["backend::smol::global::join_set_loop_lets_others_run"],
    },
    Mutant {
        name: "waiter of a set is dropped under its lock",
        file: "runtime/task/set.rs",
        right: "            let before = state.waiter.replace(waiter);\n            drop(state);\n            drop(before);",
        wrong: "            let before = state.waiter.replace(waiter);
            if mutant!() { drop(before); drop(state); } else { drop(state); drop(before); }",
        caught_by: &["backend::smol::owned::join_set_waker_may_use_the_set"],
    },
    Mutant {
        name: "dropped JoinSet detaches",
        file: "runtime/task/set.rs",
        right: "    fn drop(&mut self) {\n        self.abort_all();",
        wrong: "    fn drop(&mut self) {\n        if !mutant!() { self.abort_all(); }",
        caught_by: &["backend::smol::owned::join_set_drop_aborts"],
    },
    Mutant {
        name: "try_join_next forgets who waits",
        file: "runtime/task/set.rs",
        right: "        match self.poll_finished(|_, result| result) {",
        wrong: "        if mutant!() { self.ready.lock().waiter = None; }
        match self.poll_finished(|_, result| result) {",
        caught_by: &["backend::smol::owned::join_set_try_join_next_keeps_the_waiter"],
    },
    // Time.
    Mutant {
        name: "sleep is early",
        file: "backend/async_io/time.rs",
        right: "Self { timer: Timer::at(deadline), deadline, progress: SleepState::New }",
        wrong: "let early = std::time::Duration::from_micros(if mutant!() { 300 } else { 0 });
        Self { timer: Timer::at(deadline - early), deadline, progress: SleepState::New }",
        caught_by: &["backend::smol::owned::sleep_is_never_early"],
    },
    Mutant {
        name: "sleep is not fused",
        file: "runtime/time/sleep_state.rs",
        right: "if let Self::New | Self::Waiting = before {",
        wrong: "if mutant!() || matches!(before, Self::New | Self::Waiting) {",
        caught_by: &["backend::async_std::global::sleep_is_fused"],
    },
    Mutant {
        name: "sleep that is due is pending once",
        file: "runtime/time/sleep_state.rs",
        right: "let polled = if before",
        wrong: "let polled = if mutant!() && before == Self::New { cx.waker().wake_by_ref(); Poll::Pending } else if before",
        caught_by: &[
            "backend::tokio::multi_thread::sleep_that_is_due_is_ready_at_its_first_poll",
            "backend::tokio::current_thread::deadline_made_anew_in_each_turn_fires",
        ],
    },
    Mutant {
        name: "due sleeps have no budget",
        file: "runtime/time/sleep_state.rs",
        right: " == Self::New { poll_budget(cx) }",
        wrong: " == Self::New && !mutant!() { poll_budget(cx) }",
        caught_by: &["backend::smol::global::loop_of_due_sleeps_lets_others_run"],
    },
    Mutant {
        name: "spent budget comes back within the turn",
        file: "runtime/task/coop.rs",
        right: "LEFT.set(if refusals == 0 {",
        wrong: "LEFT.set(if refusals == 0 || mutant!() {",
        caught_by: &["backend::smol::global::several_busy_futures_let_others_run"],
    },
    Mutant {
        name: "turn of a block_on goes on between its polls",
        file: "runtime/task/coop.rs",
        right: "LEFT.set(UNKNOWN_TURN);",
        wrong: "if !mutant!() { LEFT.set(UNKNOWN_TURN); }",
        caught_by: &["backend::tokio::current_thread::budget_of_a_block_on_is_not_that_of_a_task"],
    },
    Mutant {
        name: "tasks of tokio have a budget of their own",
        file: "runtime/task/coop.rs",
        right: "if left.is_of_unknown_turn() && native::task().is_some() {",
        wrong: "if left.is_of_unknown_turn() && native::task().is_some() && !mutant!() {",
        caught_by: &["backend::tokio::current_thread::several_busy_futures_let_others_run"],
    },
    Mutant {
        name: "reset forgets to wait again",
        file: "backend/async_io/time.rs",
        right: "        self.deadline = deadline;\n        self.progress = SleepState::New;",
        wrong: "        self.deadline = deadline;\n        if !mutant!() { self.progress = SleepState::New; }",
        caught_by: &["backend::smol::owned::sleep_reset_after_completion"],
    },
    Mutant {
        name: "reset to later fires at the old time",
        file: "backend/tokio/time.rs",
        right: "this.timer.reset(within_clock(deadline));",
        wrong: "if !mutant!() { this.timer.reset(within_clock(deadline)); }",
        caught_by: &["backend::tokio::current_thread::sleep_reset_to_later"],
    },
    Mutant {
        name: "timeout polls the timer first",
        file: "runtime/time/timeout.rs",
        right: "        if let Poll::Ready(output) = this.future.poll(cx) {",
        wrong: "        if mutant!() && this.runtime.now() >= *this.deadline { return Poll::Ready(Err(Elapsed(()))); }
        if let Poll::Ready(output) = this.future.poll(cx) {",
        caught_by: &[
            "backend::smol::owned::timeout_polls_the_future_first",
            "backend::async_std::global::timeout_at_a_past_deadline_still_takes_a_ready_value",
        ],
    },
    Mutant {
        name: "Duration::MAX wraps",
        file: "runtime/time/deadline.rs",
        right: "now.checked_add(duration).unwrap_or_else(",
        wrong: "now.checked_add(duration).or(mutant!().then_some(now)).unwrap_or_else(",
        caught_by: &[
            "backend::tokio::multi_thread::sleep_max_waits_for_ever",
            "backend::smol::owned::timeout_max_never_elapses",
        ],
    },
    Mutant {
        name: "interval waits before its first tick",
        file: "runtime/time/mod.rs",
        right: "self.interval_at(self.now(), period)",
        wrong: "self.interval_at(if mutant!() { self.now() + period } else { self.now() }, period)",
        caught_by: &["backend::smol::owned::interval_first_tick_is_immediate"],
    },
    Mutant {
        name: "interval bursts unasked",
        file: "runtime/time/interval.rs",
        right: "MissedTickBehavior::Delay => deadline_after(now, self.period),",
        wrong: "MissedTickBehavior::Delay => deadline_after(if mutant!() { due } else { now }, self.period),",
        caught_by: &[
            "backend::smol::owned::interval_delay_starts_over",
            "backend::tokio::multi_thread::interval_delay_starts_over",
        ],
    },
    Mutant {
        name: "interval leaves its grid",
        file: "runtime/time/interval.rs",
        right: "deadline_after(now, self.period - into_period)",
        wrong: "deadline_after(now, if mutant!() { self.period } else { self.period - into_period })",
        caught_by: &["backend::async_std::global::interval_skip_keeps_the_grid"],
    },
    Mutant {
        name: "interval of zero is taken",
        file: "runtime/time/interval.rs",
        right: "assert!(!period.is_zero(),",
        wrong: "assert!(mutant!() || !period.is_zero(),",
        caught_by: &["backend::smol::owned::interval_of_zero_panics"],
    },
    Mutant {
        name: "short interval bursts, whatever it was told",
        file: "runtime/time/interval.rs",
        right: "if late <= Duration::from_millis(5).min(self.period / 2) {",
        wrong: "if late <= Duration::from_millis(5).min(if mutant!() { Duration::MAX } else { self.period / 2 }) {",
        caught_by: &["backend::sim::sim::interval_of_a_few_milliseconds_skips"],
    },
    Mutant {
        name: "sleep of tokio leaves it to its timer whether it is due",
        file: "backend/tokio/time.rs",
        right: "if clock.now() >=",
        wrong: "if !mutant!() && clock.now() >=",
        caught_by: &["backend::tokio::current_thread::sleep_that_becomes_due_is_ready_at_its_next_poll"],
    },
    Mutant {
        name: "timer of tokio panics at the end of the clock",
        file: "backend/tokio/time.rs",
        right: "let fits = deadline",
        wrong: "let fits = mutant!() || deadline",
        caught_by: &["backend::tokio::multi_thread::sleep_until_the_end_of_the_clock"],
    },
    Mutant {
        name: "dropped tick is lost",
        file: "runtime/time/interval.rs",
        right: "                ready!(self.sleep.as_mut().poll(cx));",
        wrong: "                if mutant!() && self.sleep.as_mut().poll(cx).is_pending() {
                    self.next += self.period;
                    return Poll::Pending;
                }
                ready!(self.sleep.as_mut().poll(cx));",
        caught_by: &["backend::smol::owned::interval_tick_is_cancel_safe"],
    },
    // Sockets.
    Mutant {
        name: "close sends no FIN",
        file: "socket/stream.rs",
        right: "match socket.get_ref().shutdown(Shutdown::Write) {",
        wrong: "match if mutant!() { Ok(()) } else { socket.get_ref().shutdown(Shutdown::Write) } {",
        caught_by: &[
            "backend::async_std::global::close_sends_eof",
            "backend::smol::owned::dropping_the_write_half_sends_eof",
            "backend::async_std::global::unix_close_sends_eof",
            "backend::smol::owned::unix_into_split_serves_two_tasks",
        ],
    },
    Mutant {
        name: "close reports a peer that is gone",
        file: "socket/stream.rs",
        right: "if error.kind() == io::ErrorKind::NotConnected => Ok(()),",
        wrong: "if error.kind() == io::ErrorKind::NotConnected && !mutant!() => Ok(()),",
        caught_by: &["backend::smol::owned::close_after_the_peer_is_gone_is_ok"],
    },
    Mutant {
        name: "dropped write half keeps the peer waiting",
        file: "socket/stream.rs",
        right: "let _ = close::<R, S>(&self.socket);",
        wrong: "if !mutant!() { let _ = close::<R, S>(&self.socket); }",
        caught_by: &[
            "backend::smol::owned::dropping_the_write_half_sends_eof",
            "backend::smol::owned::unix_dropping_the_write_half_sends_eof",
        ],
    },
    Mutant {
        name: "socket loses its waker",
        file: "socket/mod.rs",
        right: "        Way::Read => socket.poll_readable(cx),",
        wrong: "        Way::Read if mutant!() => socket.poll_readable(&mut Context::from_waker(std::task::Waker::noop())),
        Way::Read => socket.poll_readable(cx),",
        caught_by: &["backend::smol::owned::into_split_serves_two_tasks", "backend::async_std::global::read_wakes_the_last_waker"],
    },
    Mutant {
        name: "idle reader spins",
        file: "socket/mod.rs",
        right: "    coop::poll(cx, |cx| {\n        if waits.is_asked(way) {",
        wrong: "    coop::poll(cx, |cx| {
        if mutant!() { cx.waker().wake_by_ref(); }
        if waits.is_asked(way) {",
        caught_by: &["backend::async_std::global::idle_reader_burns_no_polls"],
    },
    Mutant {
        name: "event that has woken a read wakes the next one",
        file: "socket/mod.rs",
        right: "        if waits.is_asked(way) {\n            let _ =",
        wrong: "        if mutant!() { *waits = Own::default(); }
        if waits.is_asked(way) {
            let _ =",
        caught_by: &["socket::tests::event_is_taken_by_the_operation_that_it_woke"],
    },
    Mutant {
        name: "busy socket starves every timer",
        file: "runtime/task/coop.rs",
        right: "let left = LEFT.get();\n    let may_go_on",
        wrong: "let left = if mutant!() { TURN } else { LEFT.get() };\n    let may_go_on",
        caught_by: &[
            "backend::smol::owned::busy_socket_starves_no_timer",
            "backend::async_std::global::busy_writer_starves_no_timer",
            "backend::smol::global::busy_listener_starves_no_timer",
            "backend::smol::owned::udp_busy_socket_starves_no_timer",
            "backend::async_std::global::udp_busy_poll_starves_no_timer",
            "backend::smol::global::udp_busy_sender_starves_no_timer",
        ],
    },
    Mutant {
        name: "connect waits before it looks",
        file: "socket/tcp.rs",
        right: "        write_io(&socket, is_connected).await?;",
        wrong: "        if mutant!() { poll_fn(|cx| socket.poll_writable(cx)).await?; }\n        write_io(&socket, is_connected).await?;",
        caught_by: &[
            "backend::smol::owned::busy_tasks_starve_no_connect",
            "backend::async_std::global::busy_tasks_starve_no_connect",
        ],
    },
    Mutant {
        name: "operation waits for an event that counts",
        file: "runtime/net/wait.rs",
        right: "                match operation() {",
        wrong: "                if let (true, Some(wait)) = (mutant!(), waiting.as_mut().as_pin_mut()) {
                    ready!(wait.poll(cx))?;
                    waiting.set(None);
                }
                match operation() {",
        caught_by: &["runtime::net::wait::tests::operation_is_tried_before_its_wait_is_over"],
    },
    Mutant {
        name: "task that another one displaces is woken",
        file: "socket/waits.rs",
        right: "        self.0.get_or_init(Box::default)[",
        wrong: "        if mutant!() { return ask(cx); }
        self.0.get_or_init(Box::default)[",
        caught_by: &[
            "backend::smol::owned::udp_two_pollers_burn_no_polls",
            "backend::smol::global::udp_displaced_poller_is_not_woken",
            "backend::async_std::global::displaced_poll_accept_is_not_woken",
        ],
    },
    Mutant {
        name: "readers of one stream wake each other",
        file: "socket/waits.rs",
        right: "            None if *asked == 0",
        wrong: "            None if mutant!() || *asked == 0",
        caught_by: &["backend::smol::owned::stream_behind_a_lock_burns_no_polls"],
    },
    Mutant {
        name: "simulation wakes everybody who has polled",
        file: "backend/sim/waiters.rs",
        right: "            How::Polls => ",
        wrong: "            How::Polls if mutant!() => {
                self.awaiting.add(waiter);
                None
            }
            How::Polls => ",
        caught_by: &["backend::sim::sim::udp_displaced_poller_is_not_woken"],
    },
    Mutant {
        name: "new socket of tokio waits for its driver",
        file: "backend/tokio/net/mod.rs",
        right: "    ready!(pin!(tokio::task::consume_budget()).poll(cx));",
        wrong: "    if mutant!() { return Poll::Pending; }
    ready!(pin!(tokio::task::consume_budget()).poll(cx));",
        caught_by: &[
            "backend::tokio::current_thread::udp_first_poll_finds_what_is_there",
            "backend::tokio::current_thread::unix_first_poll_finds_what_is_there",
            "backend::tokio::current_thread::unix_first_send_waits_for_nothing",
            "backend::tokio::current_thread::unix_datagram_send_finds_some_room",
        ],
    },
    Mutant {
        name: "vectored write goes out in pieces",
        file: "socket/stream.rs",
        right: "socket.write_vectored(bufs))",
        wrong: "socket.write_vectored(if mutant!() { &bufs[..1] } else { bufs }))",
        caught_by: &["backend::smol::owned::vectored_write_goes_out_at_once"],
    },
    Mutant {
        name: "read into nothing waits",
        file: "socket/stream.rs",
        right: "        if buf.is_empty() {\n            return",
        wrong: "        if buf.is_empty() {\n            if mutant!() { return Poll::Pending; }\n            return",
        caught_by: &["backend::smol::owned::read_into_nothing_is_zero"],
    },
    Mutant {
        name: "std stream comes out non-blocking",
        file: "socket/stream.rs",
        right: "        self.socket.into_inner()?.blocking()",
        wrong: "        if mutant!() { return self.socket.into_inner()?.nonblocking(); }\n        self.socket.into_inner()?.blocking()",
        caught_by: &["backend::smol::owned::stream_into_std_blocks"],
    },
    Mutant {
        name: "std stream goes in blocking",
        file: "backend/tokio/net/stream.rs",
        right: "let stream = stream.nonblocking()?;",
        wrong: "let stream = if mutant!() { stream.blocking()? } else { stream.nonblocking()? };",
        caught_by: &["backend::tokio::multi_thread::stream_from_a_blocking_std_stream"],
    },
    Mutant {
        name: "socket needs the context of tokio",
        file: "backend/tokio/mod.rs",
        right: "        let _context = self.handle.enter();\n        net::TcpStream::from_std(stream)",
        wrong: "        let _context = (!mutant!()).then(|| self.handle.enter());\n        net::TcpStream::from_std(stream)",
        caught_by: &["backend::tokio::multi_thread::stream_from_std_on_a_plain_thread"],
    },
    Mutant {
        name: "connect tries only the first address",
        file: "runtime/net/connect.rs",
        right: "            Ok(stream) => return Ok(stream),\n            Err(error) =>",
        wrong: "            Ok(stream) => return Ok(stream),
            Err(error) if mutant!() => return Err(error),
            Err(error) =>",
        caught_by: &["backend::tokio::multi_thread::connect_tries_every_address"],
    },
    Mutant {
        name: "bind tries only the first address",
        file: "runtime/net/bind.rs",
        right: "            Ok(bound) => return Ok(bound),\n            Err(error) =>",
        wrong: "            Ok(bound) => return Ok(bound),
            Err(error) if mutant!() => return Err(error),
            Err(error) =>",
        caught_by: &["backend::tokio::multi_thread::bind_tries_every_address", "backend::tokio::multi_thread::udp_bind_tries_every_address"],
    },
    Mutant {
        name: "listener queues few",
        file: "runtime/net/system.rs",
        right: "self.backlog.map_or(BACKLOG,",
        wrong: "self.backlog.map_or(if mutant!() { 16 } else { BACKLOG },",
        caught_by: &["backend::smol::owned::bind_queues_a_burst"],
    },
    Mutant {
        name: "backlog is left to the system",
        file: "runtime/net/system.rs",
        right: "|backlog| backlog.try_into().unwrap_or(i32::MAX)",
        wrong: "|backlog| if mutant!() { BACKLOG } else { backlog.try_into().unwrap_or(i32::MAX) }",
        caught_by: &["backend::smol::owned::backlog_limits_the_queue"],
    },
    Mutant {
        name: "address to connect from is ignored",
        file: "runtime/net/system.rs",
        right: "let bound = socket.bind(&local.into());",
        wrong: "let bound = if mutant!() { Ok(()) } else { socket.bind(&local.into()) };",
        caught_by: &["backend::tokio::multi_thread::connect_from_a_local_address"],
    },
    Mutant {
        name: "half a second of linger is a reset",
        file: "runtime/net/options.rs",
        right: "(time.subsec_nanos() > 0).into()",
        wrong: "(time.subsec_nanos() > 0 && !mutant!()).into()",
        caught_by: &[
            "backend::tokio::multi_thread::linger_can_be_set",
            "backend::smol::owned::keepalive_can_be_set",
        ],
    },
    Mutant {
        name: "refusal does not say the address",
        file: "runtime/net/connect.rs",
        right: "    connected.map_err(|error| named(error,",
        wrong: "    if mutant!() {
        return connected;
    }
    connected.map_err(|error| named(error,",
        caught_by: &["backend::tokio::multi_thread::connect_refused_has_its_kind"],
    },
    Mutant {
        name: "happy eyeballs wait after a refusal",
        file: "runtime/net/connect.rs",
        right: "start = failed ||",
        wrong: "start = failed && (!mutant!() || attempts.is_empty() && addrs.is_empty()) ||",
        caught_by: &["backend::smol::owned::happy_eyeballs_go_on_after_a_refusal"],
    },
    Mutant {
        name: "happy eyeballs wait for silence",
        file: "runtime/net/connect.rs",
        right: "!addrs.is_empty() && next",
        wrong: "!addrs.is_empty() && !mutant!() && next",
        caught_by: &["backend::smol::owned::happy_eyeballs_pass_a_silent_address"],
    },
    Mutant {
        name: "connection that is refused passes for one",
        file: "backend/tokio/net/tcp.rs",
        right: "match stream.take_error()? {",
        wrong: "match stream.take_error()?.filter(|_| !mutant!()) {",
        caught_by: &["backend::tokio::multi_thread::connect_tries_every_address"],
    },
    // Shutdown.
    Mutant {
        name: "no thread stays to drop what a stuck worker has taken",
        file: "backend/smol/threads.rs",
        right: "if workers.is_to_stay() {",
        wrong: "if workers.is_to_stay() && (!mutant!() || lock(&workers.state).alive == 1) {",
        caught_by: &["backend::smol::threads::tests::stuck_worker_keeps_nothing_that_it_has_taken"],
    },
    // Unix sockets.
    Mutant {
        name: "bad path is left to the system",
        file: "runtime/net/path.rs",
        right: "    if path.as_os_str().is_empty() {",
        wrong: "    if mutant!() { return Ok(()); }\n    if path.as_os_str().is_empty() {",
        caught_by: &["backend::smol::owned::unix_bad_paths_are_invalid_input"],
    },
    Mutant {
        name: "full queue of a Unix listener would block",
        file: "runtime/net/path.rs",
        right: "io::ErrorKind::WouldBlock => full_queue(),",
        wrong: "io::ErrorKind::WouldBlock if !mutant!() => full_queue(),",
        caught_by: &["backend::tokio::multi_thread::unix_connect_to_a_full_queue_is_refused"],
    },
    Mutant {
        name: "std Unix stream goes in blocking",
        file: "socket/stream.rs",
        right: "reactor.register(stream.nonblocking()?)",
        wrong: "reactor.register(if mutant!() { stream } else { stream.nonblocking()? })",
        caught_by: &["backend::smol::owned::unix_from_blocking_std_sockets"],
    },
    Mutant {
        name: "std Unix listener comes out non-blocking",
        file: "backend/tokio/net/listener.rs",
        right: "        F::into_listener(self.listener)?.blocking()",
        wrong: "        if mutant!() { return F::into_listener(self.listener)?.nonblocking(); }\n        F::into_listener(self.listener)?.blocking()",
        caught_by: &["backend::tokio::multi_thread::unix_into_std_blocks"],
    },
    Mutant {
        name: "sender of datagrams loses its waker",
        file: "socket/mod.rs",
        right: "|| socket.writable()).await",
        wrong: "|| async { if mutant!() { std::future::pending().await } else { socket.writable().await } }).await",
        caught_by: &["backend::smol::owned::unix_datagram_sender_waits_for_room"],
    },
    // UDP.
    Mutant {
        name: "poll receive makes a future for each poll",
        file: "socket/datagram.rs",
        right: "poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv_from(buf))",
        wrong: "if mutant!() {\n                return std::future::Future::poll(std::pin::pin!(read_io(&self.socket, |socket| socket.recv_from(buf))), cx);\n            }\n            poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv_from(buf))",
        caught_by: &["backend::smol::owned::udp_poll_wakes_the_last_waker"],
    },
    Mutant {
        name: "receive wakes the last waiter only",
        file: "socket/mod.rs",
        right: "|| socket.readable()).await",
        wrong: "|| async {
            if mutant!() { std::future::poll_fn(|cx| socket.poll_readable(cx)).await } else { socket.readable().await }
        }).await",
        caught_by: &["backend::smol::owned::udp_idle_receiver_burns_no_polls"],
    },
    Mutant {
        name: "std UDP socket goes in blocking",
        file: "backend/tokio/net/udp.rs",
        right: "from_std(socket.nonblocking()?)",
        wrong: "from_std(if mutant!() { socket.blocking()? } else { socket.nonblocking()? })",
        caught_by: &["backend::tokio::multi_thread::udp_from_a_blocking_std_socket"],
    },
    Mutant {
        name: "std UDP socket goes in as it is",
        file: "socket/udp.rs",
        right: "reactor.register(socket.nonblocking()?)",
        wrong: "reactor.register(if mutant!() { socket } else { socket.nonblocking()? })",
        caught_by: &["backend::smol::owned::udp_from_a_blocking_std_socket"],
    },
    Mutant {
        name: "std UDP socket comes out non-blocking",
        file: "socket/udp.rs",
        right: "        self.socket.into_inner()?.blocking()",
        wrong: "        if mutant!() { return self.socket.into_inner()?.nonblocking(); }\n        self.socket.into_inner()?.blocking()",
        caught_by: &["backend::async_std::global::udp_into_std_blocks"],
    },
    Mutant {
        name: "truncated datagram is an error",
        file: "socket/datagram.rs",
        right: "read_io(&self.socket, |socket| socket.recv_from(buf)).await",
        wrong: "{
            let room = buf.len();
            match read_io(&self.socket, |socket| socket.recv_from(buf)).await {
                Ok((len, _)) if mutant!() && len == room => Err(io::ErrorKind::InvalidData.into()),
                result => result,
            }
        }",
        caught_by: &["backend::smol::owned::udp_truncates_and_loses_the_rest"],
    },
    Mutant {
        name: "empty datagram is taken for an end",
        file: "socket/datagram.rs",
        right: "read_io(&self.socket, |socket| socket.recv(buf)).await",
        wrong: "match read_io(&self.socket, |socket| socket.recv(buf)).await {
            Ok(0) if mutant!() => Err(io::ErrorKind::UnexpectedEof.into()),
            result => result,
        }",
        caught_by: &["backend::smol::owned::udp_empty_datagram_is_received"],
    },
    Mutant {
        name: "tokio is not told that an operation would block",
        file: "backend/tokio/net/mod.rs",
        right: "let tried = try_io(&mut || once(&mut operation));",
        wrong: "let tried = if mutant!() { once(&mut operation) } else { try_io(&mut || once(&mut operation)) };",
        caught_by: &[
            "backend::tokio::multi_thread::udp_try_io_would_block_and_then_waits",
            "backend::tokio::multi_thread::stream_try_io_would_block_and_then_waits",
        ],
    },
    Mutant {
        name: "waiting until a socket of tokio is ready costs no budget",
        file: "backend/tokio/net/mod.rs",
        right: "    tokio::task::consume_budget().await;\n    ready.await",
        wrong: "    if !mutant!() { tokio::task::consume_budget().await; }\n    ready.await",
        caught_by: &["backend::tokio::current_thread::stream_readable_starves_no_timer"],
    },
    Mutant {
        name: "descriptor of tokio stays ready",
        file: "backend/tokio/net/watch.rs",
        right: "self.0.try_io(interest.into(), |_| operation())",
        wrong: "if mutant!() { operation() } else { self.0.try_io(interest.into(), |_| operation()) }",
        caught_by: &["backend::tokio::multi_thread::fd_readable_waits_for_bytes"],
    },
    Mutant {
        name: "busy descriptor starves timers",
        file: "runtime/net/async_fd.rs",
        right: "poll_fn(coop::poll_budget).await;",
        wrong: "if !mutant!() { poll_fn(coop::poll_budget).await; }",
        caught_by: &["backend::smol::global::fd_busy_starves_no_timer"],
    },
    Mutant {
        name: "halves that are put together close the stream",
        file: "socket/stream.rs",
        right: "write.is_reunited = true;",
        wrong: "write.is_reunited = !mutant!();",
        caught_by: &["backend::smol::global::stream_halves_reunite"],
    },
    Mutant {
        name: "half of a stream is always ready",
        file: "socket/stream.rs",
        right: "self.socket.$ready()",
        wrong: "async { if mutant!() { Ok(()) } else { self.socket.$ready().await } }",
        caught_by: &[
            "backend::smol::owned::stream_halves_readable_waits_for_bytes",
            "backend::smol::global::unix_halves_writable_waits_for_room",
        ],
    },
    Mutant {
        name: "half of a stream does not tell tokio",
        file: "backend/tokio/net/native.rs",
        right: "self.attempt(runtime::Interest::$interest, operation)",
        wrong: "if mutant!() { operation() } else { self.attempt(runtime::Interest::$interest, operation) }",
        caught_by: &["backend::tokio::multi_thread::stream_halves_try_io_tells_the_runtime"],
    },
    Mutant {
        name: "attempt fails where tokio is told just then",
        file: "backend/tokio/net/mod.rs",
        right: "if is_untold() { once(&mut operation) }",
        wrong: "if mutant!() { tried } else if is_untold() { once(&mut operation) }",
        caught_by: &["backend::tokio::net::tests::attempt_is_repeated_where_tokio_is_told_just_then"],
    },
    Mutant {
        name: "descriptors beyond the room stay open",
        file: "runtime/net/fds.rs",
        right: "if all.fds.len() < room && close_on_exec",
        wrong: "if (mutant!() || all.fds.len() < room) && close_on_exec",
        caught_by: &["backend::smol::owned::unix_fds_without_room_are_closed"],
    },
    Mutant {
        name: "receive of descriptors does not tell tokio",
        file: "runtime/net/unix.rs",
        right: "self.try_io(Interest::Readable, || fds::recv(self.descriptor(), buf, room))",
        wrong: "if mutant!() { return fds::recv(self.descriptor(), buf, room); }
        self.try_io(Interest::Readable, || fds::recv(self.descriptor(), buf, room))",
        caught_by: &["backend::tokio::multi_thread::unix_fds_try_waits_for_nothing"],
    },
    Mutant {
        name: "send of descriptors does not tell tokio",
        file: "runtime/net/unix.rs",
        right: "self.try_io(Interest::Writable, || fds::send(self.descriptor(), buf, fds))",
        wrong: "if mutant!() { return fds::send(self.descriptor(), buf, fds); }
        self.try_io(Interest::Writable, || fds::send(self.descriptor(), buf, fds))",
        caught_by: &["backend::tokio::multi_thread::unix_fds_of_a_cancelled_send_stay"],
    },
    Mutant {
        name: "plain read of tokio forgets what is behind descriptors",
        file: "backend/tokio/net/native.rs",
        right: "read => return Poll::Ready(read.map(|read| buf.advance(read))),",
        wrong: "read => { if mutant!() { let _ = stream.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into())); }
                return Poll::Ready(read.map(|read| buf.advance(read))) }",
        caught_by: &["backend::tokio::current_thread::unix_fds_hide_no_bytes"],
    },
    Mutant {
        name: "receive has no space for credentials",
        file: "runtime/net/fds.rs",
        right: "            cmsg_space!(ScmRights(room.min(MOST)), ScmCredentials(1))",
        wrong: "            if mutant!() { cmsg_space!(ScmRights(room.min(MOST))) } else { cmsg_space!(ScmRights(room.min(MOST)), ScmCredentials(1)) }",
        caught_by: &["backend::smol::owned::unix_fds_come_with_credentials"],
    },
    Mutant {
        name: "nothing without descriptors is more than plain writing in a simulation",
        file: "backend/sim/net/socket.rs",
        right: "        if fds.is_empty() {",
        wrong: "        if fds.is_empty() && !mutant!() {",
        caught_by: &["backend::sim::sim::unix_fds_without_a_byte_are_invalid_input"],
    },
    Mutant {
        name: "cancelled receive loses descriptors",
        file: "runtime/net/unix.rs",
        right: "try_io(move || self.try_recv_with_fds(buf, room), || self.readable())",
        wrong: "async move {
            let received = try_io(move || self.try_recv_with_fds(buf, room), || self.readable()).await;
            let mut is_slow = mutant!();
            std::future::poll_fn(|cx| {
                if !std::mem::take(&mut is_slow) { return Poll::Ready(()); }
                cx.waker().wake_by_ref();
                Poll::Pending
            }).await;
            received
        }",
        caught_by: &["backend::smol::owned::unix_fds_outlive_a_cancelled_receive"],
    },
    Mutant {
        name: "datagram that was cut off is taken for whole",
        file: "runtime/net/recv_msg.rs",
        right: "truncated: len < whole.len()",
        wrong: "truncated: !mutant!() && len < whole.len()",
        caught_by: &["backend::tokio::multi_thread::udp_recv_msg_tells_of_a_truncated_datagram"],
    },
    Mutant {
        name: "datagram to a name goes to its first address",
        file: "current/net.rs",
        right: "addrs.iter().find(|addr| addr.is_ipv4() == is_ipv4)",
        wrong: "addrs.iter().find(|addr| mutant!() || addr.is_ipv4() == is_ipv4)",
        caught_by: &["backend::tokio::any_multi_thread::udp_connect_and_send_to_take_names"],
    },
    Mutant {
        name: "only the last that awaits a simulated stream is woken",
        file: "backend/sim/network/connection/delivery.rs",
        right: "end.reader.add(waiter, How::Awaits)",
        wrong: "end.reader.add(waiter, if mutant!() { How::Polls } else { How::Awaits })",
        caught_by: &["backend::sim::sim::stream_readable_wakes_everybody"],
    },
    Mutant {
        name: "connected UDP socket takes strangers",
        file: "backend/tokio/net/udp.rs",
        right: "SockRef::from(&self.socket).connect(&addr.into())",
        wrong: "if mutant!() { return Ok(()); }
        SockRef::from(&self.socket).connect(&addr.into())",
        caught_by: &["backend::tokio::multi_thread::udp_connected_ignores_strangers"],
    },
    Mutant {
        name: "peek takes the datagram",
        file: "socket/udp.rs",
        right: "read_io(&self.socket, |socket| socket.peek_from(buf)).await",
        wrong: "read_io(&self.socket, |socket| {
            if mutant!() { socket.recv_from(buf) } else { socket.peek_from(buf) }
        }).await",
        caught_by: &["backend::smol::owned::udp_peek_leaves_the_datagram"],
    },
    Mutant {
        name: "UDP socket needs the context of tokio",
        file: "backend/tokio/mod.rs",
        right: "        let _context = self.handle.enter();\n        net::UdpSocket::from_std(socket)",
        wrong: "        let _context = (!mutant!()).then(|| self.handle.enter());\n        net::UdpSocket::from_std(socket)",
        caught_by: &["backend::tokio::multi_thread::udp_from_std_on_a_plain_thread"],
    },
    // What outlives its runtime.
    Mutant {
        name: "abort handle hides that the runtime is gone",
        file: "runtime/task/native/tokio.rs",
        right: "self.aborted.get_or_init(Arc::default).clone()",
        wrong: "self.aborted.get_or_init(|| Arc::new(AtomicBool::new(mutant!()))).clone()",
        caught_by: &["backend::tokio::multi_thread::abort_handle_hides_no_gone_runtime"],
    },
    Mutant {
        name: "abort of what is over counts",
        file: "runtime/task/native/tokio.rs",
        right: "    fn abort(&self) {\n        if !self.handle.is_finished() {",
        wrong: "    fn abort(&self) {\n        if mutant!() || !self.handle.is_finished() {",
        caught_by: &["backend::tokio::multi_thread::shutdown_is_no_abort"],
    },
    Mutant {
        name: "closed pool keeps what comes late",
        file: "backend/smol/pool.rs",
        right: "            self.forget(runnable);\n            return;",
        wrong: "            if mutant!() { std::mem::forget(runnable) } else { self.forget(runnable) }\n            return;",
        caught_by: &["backend::smol::owned::names_after_a_shutdown_are_an_error", "backend::smol::owned::join_set_outlives_a_shutdown"],
    },
    Mutant {
        name: "error of a bad path does not name it",
        file: "runtime/net/path.rs",
        right: "{why}: {path:?}\")))",
        wrong: "{why}{}\", if mutant!() { String::new() } else { format!(\": {path:?}\") })))",
        caught_by: &["backend::smol::owned::unix_bad_paths_are_invalid_input"],
    },
    Mutant {
        name: "error of a Unix socket does not name its path",
        file: "runtime/net/path.rs",
        right: "    result.map_err(|error| named(error, format!(\"cannot {what} {path:?}\")))",
        wrong: "    if mutant!() { return result; }\n    result.map_err(|error| named(error, format!(\"cannot {what} {path:?}\")))",
        caught_by: &["backend::smol::owned::unix_connect_errors_have_their_kinds", "backend::tokio::multi_thread::unix_bind_errors_have_their_kinds"],
    },
    Mutant {
        name: "read of a gone tokio waits for ever",
        file: "backend/tokio/net/stream.rs",
        right: "            polled => polled.map_ok(|()| read.filled().len()),",
        wrong: "            Poll::Ready(Err(_)) if mutant!() => Poll::Pending,\n            polled => polled.map_ok(|()| read.filled().len()),",
        caught_by: &[
            "backend::tokio::multi_thread::sockets_that_wait_outlive_their_runtime",
            "backend::tokio::multi_thread::sockets_that_wait_outlive_a_shutdown",
            "backend::tokio::multi_thread::unix_sockets_that_wait_outlive_their_runtime",
            "backend::tokio::multi_thread::unix_sockets_that_wait_outlive_a_shutdown",
        ],
    },
    Mutant {
        name: "gone tokio has another kind",
        file: "backend/tokio/net/datagram.rs",
        right: "self.socket.$name(buf).await",
        wrong: "self.socket.$name(buf).await.map_err(|error| if mutant!() { io::ErrorKind::NotConnected.into() } else { error })",
        caught_by: &["backend::tokio::multi_thread::sockets_outlive_a_shutdown", "backend::tokio::multi_thread::sockets_that_wait_outlive_a_shutdown", "backend::tokio::current_thread::sockets_outlive_their_runtime"],
    },
    Mutant {
        name: "gone tokio has another kind for a new listener",
        file: "backend/tokio/mod.rs",
        right: "net::TcpListener::from_std(&self.handle, listener)",
        wrong: "net::TcpListener::from_std(&self.handle, listener).map_err(|error| if mutant!() { io::ErrorKind::NotConnected.into() } else { error })",
        caught_by: &["backend::tokio::multi_thread::sockets_made_after_a_shutdown_work_or_fail"],
    },
    Mutant {
        name: "gone tokio has another kind for a new Unix listener",
        file: "backend/tokio/mod.rs",
        right: "net::UnixListener::from_std(&self.handle, listener)",
        wrong: "net::UnixListener::from_std(&self.handle, listener).map_err(|error| if mutant!() { io::ErrorKind::NotConnected.into() } else { error })",
        caught_by: &["backend::tokio::multi_thread::unix_sockets_outlive_a_shutdown"],
    },
    Mutant {
        name: "sleep ends with its runtime",
        file: "backend/tokio/time.rs",
        right: "let this = self.project();\n        let (clock, timer)",
        wrong: "let mut this = self.project();
        if mutant!() && catch_panic(|| this.timer.as_mut().poll(cx)).is_err() {
            return Poll::Ready(());
        }
        let (clock, timer)",
        caught_by: &["backend::tokio::multi_thread::sleeps_outlive_their_runtime", "backend::tokio::multi_thread::timers_outlive_a_shutdown"],
    },
    Mutant {
        name: "clone of a hash state is another",
        file: "current/random.rs",
        right: "        Self { seed: self.seed().into() }",
        wrong: "        Self { seed: if mutant!() { OnceLock::new() } else { self.seed().into() } }",
        caught_by: &["current::random::tests::clones_hash_alike_though_none_has_hashed"],
    },
    // The simulation.
    Mutant {
        name: "simulated file of a socket goes with it",
        file: "backend/sim/network/socket_files.rs",
        right: "        if is_abstract(path) {\n            self.0.remove(&name);",
        wrong: "        if mutant!() || is_abstract(path) {\n            self.0.remove(&name);",
        caught_by: &["backend::sim::sim::unix_file_stays"],
    },
    Mutant {
        name: "simulated port is free while it is kept",
        file: "backend/sim/network/ports.rs",
        right: "if it.get().until == until {",
        wrong: "if mutant!() || it.get().until == until {",
        caught_by: &["backend::sim::network::ports::tests::port_is_kept_for_a_minute_and_nothing_is_left_then"],
    },
    Mutant {
        name: "simulated listener of both families takes one",
        file: "backend/sim/network/ports.rs",
        right: "self.ip.is_unspecified() && self.ip.is_ipv6() && !self.only_v6",
        wrong: "!mutant!() && self.ip.is_unspecified() && self.ip.is_ipv6() && !self.only_v6",
        caught_by: &["backend::sim::network::ports::tests::both_families_overlap_unless_one_says_otherwise"],
    },
    Mutant {
        name: "simulated time stands still without events",
        file: "backend/sim/world/turn.rs",
        right: "let end = until.unwrap_or(self.clock.nanos.saturating_add(NEVER)).min(END);",
        wrong: "let end = until.unwrap_or(if mutant!() { self.clock.nanos } else { self.clock.nanos.saturating_add(NEVER) }).min(END);",
        caught_by: &["backend::sim::world::turn::tests::time_passes_where_nothing_else_happens"],
    },
    Mutant {
        name: "many simulated tasks are a loop",
        file: "backend/sim/world/turn.rs",
        right: "polls > ENDLESS.max(tasks.saturating_mul(ENDLESS_FOR_EACH))",
        wrong: "polls > ENDLESS.max(if mutant!() { 0 } else { tasks.saturating_mul(ENDLESS_FOR_EACH) })",
        caught_by: &["backend::sim::world::turn::tests::loop_is_what_polls_a_million_times_and_each_task_a_few_times"],
    },
    Mutant {
        name: "simulated waker panics into others",
        file: "runtime/task/catch_panic.rs",
        right: "    if let Err(payload) = catch_panic(|| waker.wake()) {",
        wrong: "    if mutant!() { return waker.wake(); }\n    if let Err(payload) = catch_panic(|| waker.wake()) {",
        caught_by: &["backend::sim::waiters::tests::all_are_woken_though_each_panics"],
    },
    Mutant {
        name: "simulation leaks real time",
        file: "backend/sim/world/mod.rs",
        right: "        deadline_after(self.base, Duration::from_nanos(self.with(|state| state.clock.local(host))))\n",
        wrong: "        if mutant!() { return Instant::now(); }\n        deadline_after(self.base, Duration::from_nanos(self.with(|state| state.clock.local(host))))\n",
        caught_by: &["backend::sim::sim::sleep_is_never_early"],
    },
    Mutant {
        name: "simulation reorders a stream",
        file: "backend/sim/network/connection/delivery.rs",
        right: "conn.ends[to].inbox.extend(part);",
        wrong: "if mutant!() { part.iter().rev().for_each(|byte| conn.ends[to].inbox.extend(&[*byte])) } else { conn.ends[to].inbox.extend(part) }",
        caught_by: &["backend::sim::sim::big_transfer_is_intact"],
    },
    Mutant {
        name: "simulation forgets a wake",
        file: "backend/sim/network/connection/delivery.rs",
        right: "if waiting + path.worth_sending() <= path.buffer() {",
        wrong: "if !mutant!() && waiting + path.worth_sending() <= path.buffer() {",
        caught_by: &["backend::sim::sim::big_transfer_is_intact"],
    },
    Mutant {
        name: "simulated Unix socket forgets a wake",
        file: "backend/sim/network/connection/delivery.rs",
        right: "if end.memory.has_much_room() {",
        wrong: "if !mutant!() && end.memory.has_much_room() {",
        caught_by: &["backend::sim::sim::unix_big_transfer_is_intact"],
    },
    // Watches.
    Mutant {
        name: "watch forgets what a thread polls",
        file: "watch/slot.rs",
        right: "self.task.store(task, Ordering::Relaxed);",
        wrong: "self.task.store(if mutant!() { 0 } else { task }, Ordering::Relaxed);",
        caught_by: &[
            "backend::smol::owned::watch_reports_a_poll_while_it_blocks",
            "backend::tokio::multi_thread::watch_sees_what_a_task_spawns",
        ],
    },
    Mutant {
        name: "watch never sees the end of a poll",
        file: "watch/slot.rs",
        right: "self.slot.task.store(self.outer, Ordering::Release);",
        wrong: "if !mutant!() { self.slot.task.store(self.outer, Ordering::Release); }",
        caught_by: &["backend::smol::owned::watch_reports_the_end_of_a_poll"],
    },
    Mutant {
        name: "watch never sees the end of a poll like the one before",
        file: "watch/slot.rs",
        right: "self.0.task.store(0, Ordering::Release);",
        wrong: "if !mutant!() { self.0.task.store(0, Ordering::Release); }",
        // With one thread: on another one, the next poll is not like the one before.
        caught_by: &["backend::tokio::current_thread::watch_reports_the_end_of_a_poll"],
    },
    Mutant {
        name: "poll inside of another one is like one outside",
        file: "thread/scope.rs",
        right: "if around.here & WRAPPED != 0 {",
        wrong: "if around.here & WRAPPED != 0 && !mutant!() {",
        caught_by: &["thread::scope::tests::scope_is_had_again_where_nothing_is_around"],
    },
    Mutant {
        name: "watch loses wakes",
        file: "watch/task.rs",
        right: "if self.task.note_wake() {",
        wrong: "if mutant!() {\n            self.task.note_wake();\n        } else if self.task.note_wake() {",
        caught_by: &["backend::async_std::global::watch_wakes_through_the_last_waker"],
    },
    Mutant {
        name: "callsite is called while it is being registered",
        file: "watch/trace.rs",
        right: "if *is_in_first_call {",
        wrong: "if *is_in_first_call && !mutant!() {",
        caught_by: &["watch::trace::tests::callsite_is_called_when_it_is_registered"],
    },
    Mutant {
        name: "watch does not see destructors",
        file: "any/wrapped.rs",
        right: "Some(watched) => watched.drop_in(drop_it),",
        wrong: "Some(watched) => if mutant!() { drop_it() } else { watched.drop_in(drop_it) },",
        caught_by: &["backend::smol::owned::watch_reports_a_destructor"],
    },
    Mutant {
        name: "watch takes a blocking closure for a poll",
        file: "watch/task.rs",
        right: "let slot = (scope::number() != 0).then(|| Slot::of_this_thread(shared));\n        \
                let running = Running { shared, slot };\n        \
                let _polling = running.slot.as_ref().map(|slot| slot.begin_closure());",
        wrong: "let running = Running { shared, slot: Some(Slot::of_this_thread(shared)) };\n        \
                let _polling = running.slot.as_ref().map(|slot| slot.begin(if mutant!() { self.task.key } else { 0 }));",
        caught_by: &["backend::smol::owned::watch_ignores_blocking_closures"],
    },
    Mutant {
        name: "watch does not see the future of a block_on",
        file: "any/wrapped.rs",
        right: "watch.task(TaskKind::BlockOn, None, called_at));",
        wrong: "watch.task(TaskKind::BlockOn, None, called_at)).filter(|_| !mutant!());",
        caught_by: &["backend::smol::owned::watch_reports_the_future_of_block_on"],
    },
    Mutant {
        name: "watch goes on without a handle",
        file: "watch/shared.rs",
        right: "self.0.is_over.store(true, Ordering::Release);",
        wrong: "self.0.is_over.store(!mutant!(), Ordering::Release);",
        caught_by: &["backend::smol::owned::watch_ends_with_its_handle"],
    },
    Mutant {
        name: "watch does not look once more at its end",
        file: "watch/watcher.rs",
        right: "        self.look();\n        self.deliver_all();\n        for slot",
        wrong: "        if !mutant!() { self.look(); }\n        self.deliver_all();\n        for slot",
        caught_by: &["backend::smol::owned::watch_reports_the_end_to_a_late_callback"],
    },
    // Functions.
    Mutant {
        name: "try_spawn aborts",
        file: "current/spawn.rs",
        right: "Ok(AnyRuntime::try_current()?.spawn(future))",
        wrong: "let handle = AnyRuntime::try_current()?.spawn(future);\n    if mutant!() { handle.abort(); }\n    Ok(handle)",
        caught_by: &["backend::tokio::any_current_thread::free_functions_find_the_runtime"],
    },
    Mutant {
        name: "try_block_on takes a handle that drives nothing",
        file: "current/spawn.rs",
        right: "Ok(find_kept(Driver::None)?.block_on(future))",
        wrong: "let found = if mutant!() { AnyRuntime::try_current()? } else { find_kept(Driver::None)? };\n    Ok(found.block_on(future))",
        caught_by: &["backend::tokio::any_current_thread::block_on_without_a_handle"],
    },
    Mutant {
        name: "try_sleep takes seconds for milliseconds",
        file: "current/time.rs",
        right: "Ok(find(Driver::Time)?.sleep(duration))",
        wrong: "Ok(find(Driver::Time)?.sleep(if mutant!() { duration * 100_000 } else { duration }))",
        caught_by: &["backend::smol::any_owned::free_functions_find_the_runtime"],
    },
];
