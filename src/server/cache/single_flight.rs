//! One load in this process, however many ask.
//!
//! Whoever joins a load gets what it brings, so a load may only be joined while its result is as new as a load of one's own would be:
//!
//! - a **stamped** flight is named by the generations its result will carry. Whoever has just read the same generations from the store
//!   knows that nothing was invalidated since the flight read them: it may join until the flight lands.
//! - an **unstamped** flight knows no generations (the store is away). It may be joined only until it begins to load, that is while it
//!   waits for its turn. A load that began before a write is never given to somebody who asked after it.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use super::{Outcome, entry::Entry, generations::Stamp, keys::CacheKey};

/// Which load. Two callers that name the same one may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FlightName {
    Stamped(CacheKey, Stamp),
    Unstamped(CacheKey),
    /// The reload of an entry that is still fresh.
    Refresh(CacheKey),
}

/// What a flight brings.
#[derive(Debug, Clone)]
pub struct Flown {
    pub entry: Entry,
    pub outcome: Outcome,
}

/// How a flight ended for those who joined it.
#[derive(Clone)]
pub enum Landing {
    InAir,
    Landed(Flown),
    /// With the loader's error, of whatever type that is.
    Failed(Arc<dyn Any + Send + Sync>),
}

#[derive(Default)]
pub struct Flights(Arc<Mutex<InAir>>);

type InAir = HashMap<FlightName, watch::Receiver<Landing>>;

/// What a caller is in a flight.
pub enum Boarded {
    /// The one who has to fly it.
    Pilot(Pilot),
    /// One who waits for it.
    Passenger(watch::Receiver<Landing>),
}

impl Flights {
    pub fn board(&self, name: FlightName) -> Boarded {
        let mut in_air = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = in_air.get(&name) {
            return Boarded::Passenger(landing.clone());
        }
        let (landing, passengers) = watch::channel(Landing::InAir);
        in_air.insert(name.clone(), passengers);
        let closer = Arc::new(Closer { in_air: self.0.clone(), name, closed: AtomicBool::new(false) });
        Boarded::Pilot(Pilot { landing, closer })
    }
}

/// Ends the time in which a flight can be joined.
pub struct Closer {
    in_air: Arc<Mutex<InAir>>,
    name: FlightName,
    closed: AtomicBool,
}

impl Closer {
    /// Nobody can join any more. Once only: the next flight of that name is not this one's to close.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
            self.in_air.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
        }
    }
}

/// The duty to load. Dropped without [`land`](Self::land), as by a panic, the passengers are told that nothing will come.
pub struct Pilot {
    landing: watch::Sender<Landing>,
    closer: Arc<Closer>,
}

impl Pilot {
    pub fn closer(&self) -> Arc<Closer> {
        self.closer.clone()
    }

    /// Tells the passengers, then ends the flight.
    pub fn land<E: Clone + Send + Sync + 'static>(self, result: &Result<Flown, E>) {
        self.landing.send_replace(match result {
            Ok(flown) => Landing::Landed(flown.clone()),
            Err(error) => Landing::Failed(Arc::new(error.clone())),
        });
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.closer.close();
    }
}

/// The result, as far as a passenger can have it: `None` if the pilot was lost, or its error is of another type.
pub async fn arrival<E: Clone + 'static>(mut passenger: watch::Receiver<Landing>) -> Option<Result<Flown, E>> {
    let landing = passenger.wait_for(|landing| !matches!(landing, Landing::InAir)).await.ok()?;
    match &*landing {
        Landing::Landed(flown) => Some(Ok(flown.clone())),
        Landing::Failed(error) => error.downcast_ref::<E>().cloned().map(Err),
        Landing::InAir => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn flown(text: &'static str) -> Flown {
        let entry =
            Entry { created_micros: 0, expires_micros: 0, load_micros: 0, stamp: Vec::new(), payload: Bytes::from_static(text.as_bytes()) };
        Flown { entry, outcome: Outcome::Miss }
    }

    fn name() -> FlightName {
        FlightName::Unstamped(CacheKey::profile("42"))
    }

    fn pilot(flights: &Flights) -> Option<Pilot> {
        match flights.board(name()) {
            Boarded::Pilot(pilot) => Some(pilot),
            Boarded::Passenger(_) => None,
        }
    }

    fn passenger(flights: &Flights) -> Option<watch::Receiver<Landing>> {
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
        pilot.land::<String>(&Ok(flown("7")));
        assert!(matches!(arrival::<String>(passenger).await, Some(Ok(flown)) if flown.entry.payload == "7"));
        assert!(flights.0.lock().is_ok_and(|in_air| in_air.is_empty()));
        Ok(())
    }

    #[tokio::test]
    async fn a_lost_pilot_strands_nobody() -> Result<(), &'static str> {
        let flights = Flights::default();
        let lost = pilot(&flights).ok_or("a pilot")?;
        let passenger = passenger(&flights).ok_or("a passenger")?;
        drop(lost);
        assert!(arrival::<String>(passenger).await.is_none());
        assert!(pilot(&flights).is_some(), "the next one flies");
        Ok(())
    }

    #[tokio::test]
    async fn a_closed_flight_is_not_joined_and_its_landing_ends_no_other() -> Result<(), &'static str> {
        let flights = Flights::default();
        let first = pilot(&flights).ok_or("a pilot")?;
        first.closer().close();
        let _second = pilot(&flights).ok_or("the first cannot be joined any more")?;
        first.land::<String>(&Ok(flown("1")));
        assert!(passenger(&flights).is_some(), "the second is still in the air");
        Ok(())
    }

    #[tokio::test]
    async fn an_error_of_another_type_is_not_taken_for_ours() -> Result<(), &'static str> {
        let flights = Flights::default();
        let pilot = pilot(&flights).ok_or("a pilot")?;
        let (same, other) = (passenger(&flights).ok_or("a passenger")?, passenger(&flights).ok_or("a passenger")?);
        pilot.land(&Err("down".to_owned()));
        assert!(matches!(arrival::<String>(same).await, Some(Err(error)) if error == "down"));
        assert!(arrival::<u8>(other).await.is_none());
        Ok(())
    }
}
