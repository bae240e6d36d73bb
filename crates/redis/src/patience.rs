//! Waiting for a server that is silent, and for one that has much to do: only the first is given up at once.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

/// A timer that goes off this much too late says that this process has more to do than it can.
const BEHIND: Duration = Duration::from_millis(20);
/// How often an answer is given its time.
const TIMES: usize = 4;

/// What the future says within this time; `None` where it does not. It is given as much time again, some times over,
/// where the server has answered others in the meantime (`answers` counts them): it works through what it was asked
/// before. And where not the server is late but this process: then the answer may be there and wait to be read.
pub async fn patiently<T>(within: Duration, answers: impl Fn() -> u64, asking: impl Future<Output = T>) -> Option<T> {
    let mut asking = std::pin::pin!(asking);
    for _ in 0..TIMES {
        let (deadline, before) = (Instant::now() + within, answers());
        match timeout_at(deadline, &mut asking).await {
            Ok(answer) => return Some(answer),
            Err(_) if deadline.elapsed() > BEHIND || answers() != before => {}
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A runtime that is held up cannot see what has been there all along.
    #[tokio::test]
    async fn what_is_there_is_found_by_a_process_that_is_behind() {
        let (answer, asking) = tokio::sync::oneshot::channel();
        let busy = tokio::spawn(async {
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(80));
                tokio::task::yield_now().await;
            }
            let _ = answer.send(());
        });
        assert!(patiently(Duration::from_millis(50), || 0, asking).await.is_some());
        busy.await.expect("no panic");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_server_that_is_silent() {
        let began = Instant::now();
        assert_eq!(patiently(Duration::from_millis(50), || 0, std::future::pending::<()>()).await, None);
        // A machine may be busy, but not as often as that.
        assert!(began.elapsed() >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn a_server_that_answers_others_is_given_time_but_not_for_ever() {
        let began = Instant::now();
        let count = std::sync::atomic::AtomicU64::default();
        let busy = || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let late = async { tokio::time::sleep(Duration::from_millis(120)).await };
        assert!(patiently(Duration::from_millis(50), busy, late).await.is_some());
        assert_eq!(patiently(Duration::from_millis(50), busy, std::future::pending::<()>()).await, None);
        assert!(began.elapsed() >= Duration::from_millis(120 + 4 * 50));
    }
}
