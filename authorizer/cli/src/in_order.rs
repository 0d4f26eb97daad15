//! One thread reads, other threads work, and the results are taken in the order of the input. So the same input gives
//! the same result on any number of processors, and the memory does not grow with the input.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// How many batches wait for each thread, and how many of its results wait to be taken.
const WAITING: usize = 2;

/// Hands a batch on to a worker. Returns false when no more batches are wanted.
pub(crate) type Hand<'h, B> = &'h mut dyn FnMut(B) -> bool;

/// The number of threads to work with: one per processor.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(64)
}

/// Works on the batches that `read` hands on, in `workers` threads, and gives the results to `take` in order, up to its
/// first error.
///
/// After an error, this does not wait for the threads: the reader may wait for input from a pipe that nobody wants any
/// more.
pub(crate) fn in_order<B, D, E>(
    workers: usize,
    read: impl FnOnce(Hand<'_, B>) + Send + 'static,
    work: impl Fn(B) -> D + Send + Sync + 'static,
    mut take: impl FnMut(D) -> Result<(), E>,
) -> Result<(), E>
where
    B: Send + 'static,
    D: Send + 'static,
{
    let work = Arc::new(work);
    let mut batches = Vec::new();
    let mut lanes = Vec::new();
    for _ in 0..workers.max(1) {
        let (send_batch, batch) = sync_channel(WAITING);
        let (send_done, done) = sync_channel(WAITING);
        let work = work.clone();
        batches.push(send_batch);
        lanes.push((done, Some(thread::spawn(move || work_on(&batch, &send_done, work.as_ref())))));
    }
    let reader = thread::spawn(move || {
        // Each worker gets a batch in turn.
        let mut turns = batches.iter().cycle();
        read(&mut |batch| turns.next().is_some_and(|worker| worker.send(batch).is_ok()));
    });
    let mut turn = 0;
    while let Some((lane, worker)) = lanes.get_mut(turn) {
        match lane.recv() {
            Ok(done) => take(done)?,
            Err(_) => {
                // A missing result is the end of the input, unless its thread panicked.
                worker.take().into_iter().for_each(join);
                break;
            }
        }
        turn = turn.saturating_add(1).checked_rem(lanes.len()).unwrap_or_default();
    }
    drop(lanes);
    join(reader);
    Ok(())
}

fn work_on<B, D>(batches: &Receiver<B>, results: &SyncSender<D>, work: &impl Fn(B) -> D) {
    for batch in batches {
        if results.send(work(batch)).is_err() {
            return;
        }
    }
}

fn join(thread: JoinHandle<()>) {
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    /// The results for some numbers.
    fn paired(workers: usize, numbers: u64) -> Vec<(u64, u64)> {
        let mut taken = Vec::new();
        let read = move |hand: Hand<'_, u64>| assert!((0..numbers).all(hand));
        let take = |done| {
            taken.push(done);
            Ok::<(), ()>(())
        };
        in_order(workers, read, |number| (number, number), take).unwrap();
        taken
    }

    #[test]
    fn the_order_is_that_of_the_input_whatever_the_number_of_threads() {
        for workers in [0, 1, 2, 3, 7] {
            for numbers in [0, 1, 2, 3, 100, 1001] {
                let expected: Vec<_> = (0..numbers).map(|number| (number, number)).collect();
                assert_eq!(paired(workers, numbers), expected, "{workers} threads");
            }
        }
    }

    #[test]
    fn a_slow_thread_holds_up_what_comes_after_its_batch_and_nothing_overtakes_it() {
        let (go, wait) = channel();
        let wait = std::sync::Mutex::new(wait);
        let mut taken = Vec::new();
        let read = |hand: Hand<'_, u64>| assert!((0..6).all(hand));
        let work = move |number| {
            // The first number is done after the others that are worked on at the same time.
            match number {
                0 => wait.lock().unwrap().recv().unwrap(),
                3 => go.send(()).unwrap(),
                _ => {}
            }
            number
        };
        let take = |done| {
            taken.push(done);
            Ok::<(), ()>(())
        };
        in_order(2, read, work, take).unwrap();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn after_an_error_nothing_is_taken_and_a_reader_that_waits_is_left_alone() {
        let (feed, input) = channel::<u64>();
        feed.send(1).unwrap();
        let mut taken = 0;
        // The sender lives until the end of the test, so the reader waits for it.
        let read = move |hand: Hand<'_, u64>| while input.recv().is_ok_and(&mut *hand) {};
        let take = |done: u64| {
            taken += 1;
            Err(done)
        };
        assert_eq!(in_order(2, read, |number| number, take), Err(1));
        assert_eq!(taken, 1);
        drop(feed);
    }

    #[test]
    #[should_panic(expected = "a batch that nobody can work on")]
    fn a_panic_of_a_thread_is_no_end_of_the_input() {
        let read = |hand: Hand<'_, u64>| while hand(1) {};
        let work = |_| panic!("a batch that nobody can work on");
        let _ = in_order(2, read, work, |(): ()| Ok::<(), ()>(()));
    }
}
