//! One lookup and one load in this process, however many ask.
//!
//! Whoever joins somebody's work gets what it brings, so it may only be joined while its result is as new as that of work of one's own
//! would be:
//!
//! - a **load with a stamp** is named by the generations that its result will carry. Whoever has just read the same generations from the
//!   store knows that nothing was invalidated since the load's pilot read them: it may be joined until it lands.
//! - a **lookup**, and a load without a stamp (the store is away), may be joined only until it departs. Those who come later wait for
//!   it to land and go together after that: of each name, one flies and one boards.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::{
    Outcome,
    entry::Entry,
    generations::Stamp,
    keys::{CacheKey, Tag},
};

/// Which work. Two callers that name the same may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FlightName {
    Lookup(CacheKey, Vec<Tag>),
    Stamped(CacheKey, Stamp),
    Unstamped(CacheKey),
    /// The reload of an entry that is still fresh.
    Refresh(CacheKey),
}

/// What a load brings.
#[derive(Debug, Clone)]
pub struct Flown {
    pub entry: Entry,
    pub outcome: Outcome,
}

/// How a flight ended for those who joined it.
#[derive(Clone)]
pub enum Landing<T> {
    InAir,
    Landed(T),
    /// With the loader's error, of whatever type that is.
    Failed(Arc<dyn Any + Send + Sync>),
}

pub struct Flights<T>(Arc<Mutex<Board<T>>>);

type Board<T> = HashMap<FlightName, Gates<T>>;
pub type Passenger<T> = watch::Receiver<Landing<T>>;

struct Gates<T> {
    /// Can be joined.
    boarding: Option<Passenger<T>>,
    /// Can only be waited for.
    departed: Option<Passenger<T>>,
}

/// What a caller is in a flight.
pub enum Boarded<T> {
    /// The one who has to fly it.
    Pilot(Pilot<T>),
    /// One who waits for it.
    Passenger(Passenger<T>),
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Flights<T> {
    pub fn board(&self, name: FlightName) -> Boarded<T> {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gates = board.entry(name.clone()).or_insert(Gates { boarding: None, departed: None });
        if let Some(landing) = &gates.boarding {
            return Boarded::Passenger(landing.clone());
        }
        let (landing, passengers) = watch::channel(Landing::InAir);
        gates.boarding = Some(passengers.clone());
        Boarded::Pilot(Pilot { landing, passengers, before: gates.departed.clone(), board: self.0.clone(), name })
    }
}

/// The duty to do the work. Dropped without [`land`](Self::land), as by a panic, the passengers are told that nothing will come.
pub struct Pilot<T> {
    landing: watch::Sender<Landing<T>>,
    passengers: Passenger<T>,
    before: Option<Passenger<T>>,
    board: Arc<Mutex<Board<T>>>,
    name: FlightName,
}

impl<T: Clone> Pilot<T> {
    /// Waits for the flight of this name that is in the air.
    pub async fn wait_for_the_one_before(&mut self) {
        if let Some(mut before) = self.before.take() {
            // Landed or lost: over in any case.
            let _ = before.wait_for(|landing| !matches!(landing, Landing::InAir)).await;
        }
    }

    /// From here on nobody can join.
    pub fn depart(&self) {
        self.at_the_gates(|gates, passengers| {
            gates.boarding = None;
            gates.departed = Some(passengers.clone());
        });
    }

    /// Tells the passengers, then ends the flight.
    pub fn land<E: Clone + Send + Sync + 'static>(self, result: &Result<T, E>) {
        self.landing.send_replace(match result {
            Ok(value) => Landing::Landed(value.clone()),
            Err(error) => Landing::Failed(Arc::new(error.clone())),
        });
    }
}

impl<T> Pilot<T> {
    fn at_the_gates(&self, change: impl FnOnce(&mut Gates<T>, &Passenger<T>)) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gates) = board.get_mut(&self.name) {
            change(gates, &self.passengers);
            if gates.boarding.is_none() && gates.departed.is_none() {
                board.remove(&self.name);
            }
        }
    }
}

impl<T> Drop for Pilot<T> {
    fn drop(&mut self) {
        self.at_the_gates(|gates, passengers| {
            // Only what is this flight's own: another one may be boarding.
            for gate in [&mut gates.boarding, &mut gates.departed] {
                if gate.as_ref().is_some_and(|own| own.same_channel(passengers)) {
                    *gate = None;
                }
            }
        });
    }
}

/// The result, as far as a passenger can have it: `None` if the pilot was lost, or its error is of another type.
pub async fn arrival<T: Clone, E: Clone + 'static>(mut passenger: Passenger<T>) -> Option<Result<T, E>> {
    let landing = passenger.wait_for(|landing| !matches!(landing, Landing::InAir)).await.ok()?;
    match &*landing {
        Landing::Landed(value) => Some(Ok(value.clone())),
        Landing::Failed(error) => error.downcast_ref::<E>().cloned().map(Err),
        Landing::InAir => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> FlightName {
        FlightName::Unstamped(CacheKey::profile("42"))
    }

    fn pilot(flights: &Flights<u64>) -> Option<Pilot<u64>> {
        match flights.board(name()) {
            Boarded::Pilot(pilot) => Some(pilot),
            Boarded::Passenger(_) => None,
        }
    }

    fn passenger(flights: &Flights<u64>) -> Option<Passenger<u64>> {
        match flights.board(name()) {
            Boarded::Passenger(landing) => Some(landing),
            Boarded::Pilot(_) => None,
        }
    }

    #[tokio::test]
    async fn passengers_get_what_the_pilot_brings() -> Result<(), &'static str> {
        let flights = Flights::default();
        let pilot = pilot(&flights).ok_or("the first is the pilot")?;
        let passenger = passenger(&flights).ok_or("the second is a passenger")?;
        pilot.land::<String>(&Ok(7));
        assert_eq!(arrival::<_, String>(passenger).await, Some(Ok(7)));
        assert!(flights.0.lock().is_ok_and(|board| board.is_empty()));
        Ok(())
    }

    #[tokio::test]
    async fn a_lost_pilot_strands_nobody() -> Result<(), &'static str> {
        let flights = Flights::default();
        let lost = pilot(&flights).ok_or("a pilot")?;
        let passenger = passenger(&flights).ok_or("a passenger")?;
        drop(lost);
        assert_eq!(arrival::<_, String>(passenger).await, None);
        assert!(pilot(&flights).is_some(), "the next one flies");
        Ok(())
    }

    #[tokio::test]
    async fn of_a_name_one_flies_and_one_boards() -> Result<(), &'static str> {
        let flights = Flights::default();
        let first = pilot(&flights).ok_or("a pilot")?;
        first.depart();
        let mut second = pilot(&flights).ok_or("the first cannot be joined any more")?;
        let third = passenger(&flights).ok_or("the second can")?;
        let waiting = tokio::spawn(async move {
            second.wait_for_the_one_before().await;
            second.depart();
            second.land::<String>(&Ok(2));
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the first is in the air");
        first.land::<String>(&Ok(1));
        assert_eq!(arrival::<_, String>(third).await, Some(Ok(2)));
        assert!(waiting.await.is_ok());
        assert!(flights.0.lock().is_ok_and(|board| board.is_empty()));
        Ok(())
    }

    #[tokio::test]
    async fn an_error_of_another_type_is_not_taken_for_ours() -> Result<(), &'static str> {
        let flights = Flights::default();
        let pilot = pilot(&flights).ok_or("a pilot")?;
        let (same, other) = (passenger(&flights).ok_or("a passenger")?, passenger(&flights).ok_or("a passenger")?);
        pilot.land(&Err("down".to_owned()));
        assert_eq!(arrival::<_, String>(same).await, Some(Err("down".to_owned())));
        assert_eq!(arrival::<_, u8>(other).await, None);
        Ok(())
    }
}
