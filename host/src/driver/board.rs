//! What can be done with a board.

use super::link::{check_same, Job, Link, REPLY_LIMIT};
use super::{load, DriverError, SerialTransport, Traffic, Transport};
use firmware_model::config::CoreConfig;
use firmware_model::image::{largest_fitting, MemoryImage};
use firmware_model::network::{Network, SpikeTrain};
use firmware_model::protocol::reply::{self, Answer, Counters};
use firmware_model::protocol::spikes::{chunks, encode_spikes};
use firmware_model::protocol::{kind, DeviceConfig, InfoPayload};
use std::borrow::Borrow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A board that answers, real or virtual.
pub struct Board {
    link: Link,
    /// The network that the board is known to hold: set by [`Board::deploy`] and
    /// [`Board::deployed_model_matches`].
    loaded: Option<Loaded>,
    next_image: u8,
}

/// A network on the board.
struct Loaded {
    network: Network,
    /// The clock cycles that an image takes at most.
    most_cycles: u64,
}

impl Loaded {
    fn new(network: &Network, image: &MemoryImage) -> Self {
        Loaded {
            network: network.clone(),
            most_cycles: load::most_cycles(image),
        }
    }
}

/// What [`Board::deploy`] has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployment {
    /// Bytes of weights, margins and geometry that were loaded.
    pub bytes: u64,
    /// CRC-32 of the memories, as the board computed it and the host expected it.
    pub checksum: u32,
    /// How long it took on the link's clock.
    pub time: Duration,
}

impl Board {
    /// Opens a serial port and finds the board on it.
    pub fn open(port: &str, baud: u32) -> Result<Self, DriverError> {
        let transport = SerialTransport::open(port, baud)?;
        // Any number that the host before this one is unlikely to have had.
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        let nonce = time.map_or(0, |t| t.subsec_nanos()) ^ std::process::id().rotate_left(7);
        Board::connect(Box::new(transport), (nonce ^ nonce >> 16) as u16)
    }

    /// Finds the board behind `transport`. `nonce` is drawn at random for each session.
    pub fn connect(transport: Box<dyn Transport>, nonce: u16) -> Result<Self, DriverError> {
        Ok(Board {
            link: Link::open(transport, nonce)?,
            loaded: None,
            next_image: 0,
        })
    }

    /// What the board said of itself last: its gateware, and what it is armed with.
    pub fn info(&self) -> &InfoPayload {
        self.link.info()
    }

    /// The bytes that went over the link, and the recoveries that it took.
    pub fn traffic(&self) -> Traffic {
        self.link.traffic()
    }

    /// Checks that the board has the gateware that `expected` tells of.
    pub fn check_gateware(&self, expected: &DeviceConfig) -> Result<(), DriverError> {
        check_same(expected, &self.info().device)
    }

    /// Asks the board whether it is armed with `network`. If so, inferences can begin without deploying.
    pub fn deployed_model_matches(&mut self, network: &Network) -> Result<bool, DriverError> {
        let image = fit(network, &self.info().device.core)?;
        self.loaded = None;
        let info = self.link.refresh()?;
        let matches = info.armed && info.memory_crc == image.checksum();
        if matches {
            self.link.expect_model(Some(image.checksum()));
            self.loaded = Some(Loaded::new(network, &image));
        }
        Ok(matches)
    }

    /// Loads `network` and arms the board. `progress` gets the bytes loaded so far, and of all.
    pub fn deploy(
        &mut self,
        network: &Network,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Deployment, DriverError> {
        let image = fit(network, &self.info().device.core)?;
        let checksum = image.checksum();
        let jobs = load::jobs(&image);
        let sizes: Vec<u64> = jobs.iter().map(|j| j.payloads[0].len() as u64).collect();
        let bytes = sizes.iter().sum();
        let (mut sizes, mut loaded, start) = (sizes.into_iter(), 0, self.link.now());
        self.loaded = None;
        self.link.expect_model(None);
        self.link.run(jobs.into_iter().map(Ok), |_| {
            loaded += sizes.next().unwrap_or(0);
            progress(loaded, bytes);
            Ok(())
        })?;
        self.link.expect_model(Some(checksum));
        self.loaded = Some(Loaded::new(network, &image));
        Ok(Deployment {
            bytes,
            checksum,
            time: self.link.now() - start,
        })
    }

    /// The answer of the loaded network to `spikes`.
    pub fn infer(&mut self, spikes: &SpikeTrain) -> Result<Answer, DriverError> {
        let mut answer = None;
        self.infer_each([spikes], |_, found| answer = Some(found))?;
        answer.ok_or(DriverError::Answer { request: "SPIKES" })
    }

    /// The answers of the loaded network to `trains`, in order, with as many on the way at once as the
    /// board can hold.
    pub fn infer_batch<S: Borrow<SpikeTrain>>(
        &mut self,
        trains: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Answer>, DriverError> {
        let mut answers = Vec::new();
        self.infer_each(trains, |_, found| answers.push(found))?;
        Ok(answers)
    }

    /// As [`Board::infer_batch`]; `each` gets the number (from 0) and the answer of one after the other
    /// while later ones are still on the way.
    pub fn infer_each<S: Borrow<SpikeTrain>>(
        &mut self,
        trains: impl IntoIterator<Item = S>,
        mut each: impl FnMut(usize, Answer),
    ) -> Result<(), DriverError> {
        let loaded = self.loaded.as_ref().ok_or(DriverError::NotArmed)?;
        let (network, cycles) = (&loaded.network, loaded.most_cycles);
        let next_image = &mut self.next_image;
        let jobs = trains.into_iter().map(|train| {
            network.check_spikes(train.borrow())?;
            let image = *next_image;
            *next_image = image.wrapping_add(1);
            Ok(Job {
                kind: kind::SPIKES,
                payloads: chunks(image, &encode_spikes(&train.borrow().events())),
                limit: REPLY_LIMIT,
                cycles,
            })
        });
        let mut index = 0;
        self.link.run(jobs, |payload| {
            let found = parse_answer(payload, network)?;
            each(index, found);
            index += 1;
            Ok(())
        })
    }

    /// What the board has counted since it was switched on.
    pub fn counters(&mut self) -> Result<Counters, DriverError> {
        let job = Job {
            kind: kind::STATUS,
            payloads: vec![Vec::new()],
            limit: REPLY_LIMIT,
            cycles: 0,
        };
        let mut counters = None;
        self.link.run([Ok(job)], |payload| {
            counters = reply::parse_counters(payload);
            Ok(())
        })?;
        counters.ok_or(DriverError::Answer { request: "STATUS" })
    }
}

/// What `network` is in the memories of `core`; [`DriverError::Fit`] where there is no room for it.
pub fn fit(network: &Network, core: &CoreConfig) -> Result<MemoryImage, DriverError> {
    MemoryImage::new(network, core).map_err(|error| DriverError::Fit {
        error,
        sizes: network.sizes(),
        fitting: largest_fitting(&network.sizes(), network.steps(), core)
            .filter(|smaller| *smaller != network.sizes()),
    })
}

fn parse_answer(payload: &[u8], network: &Network) -> Result<Answer, DriverError> {
    reply::parse_answer(payload)
        .filter(|found| found.decision.class < network.outputs())
        .filter(|found| found.decision.step < network.steps())
        .ok_or(DriverError::Answer { request: "SPIKES" })
}
