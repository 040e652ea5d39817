//! Requests and replies: sequence numbers, credits, and the one way back after a fault.

use super::wire::{Event, Traffic, Wire};
use super::{DriverError, Fault, Transport};
use firmware_model::device::BITS_PER_BYTE;
use firmware_model::protocol::{
    kind, reply, status, DeviceConfig, Frame, InfoPayload, MAX_FRAME, REPLY,
};
use std::collections::VecDeque;
use std::time::Duration;

/// How often INFO is sent in one recovery before the board is given up.
pub const INFO_ATTEMPTS: u32 = 6;
/// How long the first INFO of a recovery is waited for; each further one twice as long.
const INFO_LIMIT: Duration = Duration::from_millis(100);
/// How far apart the sequence numbers of the two rounds of an opening are at least.
const FIRST_JUMP: u8 = 2 * INFO_ATTEMPTS as u8;
/// How many recoveries in a row may pass without a job being done.
pub const MAX_RECOVERIES: u32 = 10;
/// How long a reply is waited for, counted from the reply before it, beyond what line and core need for it.
pub(super) const REPLY_LIMIT: Duration = Duration::from_secs(2);
/// The bytes of a longest request and its reply on the wire, and of those before them in the device.
const LINE_BYTES: u64 = 4 * MAX_FRAME as u64;
/// A board may be so many times slower than it was when that was measured: a machine gets busy.
const SLOWNESS_MARGIN: f64 = 4.0;
/// A simulation that is slower than this is of no use.
const MAX_SLOWNESS: f64 = 10_000.0;

/// One thing asked of the board: frames that are answered one by one, and repeated together.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The kind of its frames.
    pub kind: u8,
    /// The payload of each, at least one.
    pub payloads: Vec<Vec<u8>>,
    /// How long a reply may take, counted from the reply before it, beyond what line and core need.
    pub limit: Duration,
    /// The clock cycles that the core works for a reply, at most.
    pub cycles: u64,
}

/// A job whose last reply has not come.
struct Waiting {
    job: Job,
    sent: usize,
    answered: usize,
}

/// A request on the line.
struct Open {
    sequence: u8,
    kind: u8,
    /// An INFO of a recovery, which may be lost without harm.
    probe: bool,
}

/// The recoveries since a job was done.
struct Recoveries {
    count: u32,
    /// Nothing was wrong but that no reply came in time.
    all_silent: bool,
}

/// The host's end of the line.
pub(super) struct Link {
    wire: Wire,
    info: InfoPayload,
    /// How many times slower than line and clock say the board is: 1, or more for a simulation.
    slowness: f64,
    /// The CRC-32 of the memories that inferences are for: none while a model is loaded.
    model: Option<u32>,
    open: VecDeque<Open>,
    next_sequence: u8,
    /// Whether `open` is all that is on the line: not so after an error.
    in_step: bool,
}

impl Link {
    /// Finds the device behind `transport`. `nonce` is drawn at random, so that what an earlier host
    /// left on the line cannot pass for an answer to this one.
    pub fn open(transport: Box<dyn Transport>, nonce: u16) -> Result<Self, DriverError> {
        let mut wire = Wire::new(transport)?;
        let [first, jump] = nonce.to_le_bytes();
        let mut sequence = first;
        let mut find = |sequence: &mut u8| match probe(&mut wire, sequence, Duration::ZERO)? {
            Some(found) => Ok(found),
            None if wire.traffic.received == 0 => Err(DriverError::Silent),
            None => Err(DriverError::Garbage),
        };
        find(&mut sequence)?;
        // Beyond the numbers of the first round, which may still be answered.
        sequence = first.wrapping_add(FIRST_JUMP + jump % (u8::MAX - 2 * FIRST_JUMP));
        let found = find(&mut sequence)?;
        Ok(Link {
            wire,
            info: found.info,
            slowness: found.slowness,
            model: None,
            open: found.open,
            next_sequence: sequence,
            in_step: true,
        })
    }

    /// What the device said of itself last.
    pub fn info(&self) -> &InfoPayload {
        &self.info
    }

    pub fn traffic(&self) -> Traffic {
        self.wire.traffic
    }

    pub fn now(&self) -> Duration {
        self.wire.now()
    }

    /// From now on the board must be armed with memories of this CRC-32, or with `None` need not be.
    pub fn expect_model(&mut self, checksum: Option<u32>) {
        self.model = checksum;
    }

    /// Asks the device anew for its INFO, whatever it is armed with.
    pub fn refresh(&mut self) -> Result<&InfoPayload, DriverError> {
        self.model = None;
        let job = Job {
            kind: kind::INFO,
            payloads: vec![Vec::new()],
            limit: REPLY_LIMIT,
            cycles: 0,
        };
        let mut found = None;
        self.run([Ok(job)], |payload| {
            found = Some(InfoPayload::parse(&payload[1..])?);
            Ok(())
        })?;
        if let Some(info) = found {
            check_same(&self.info.device, &info.device)?;
            self.info = info;
        }
        Ok(&self.info)
    }

    /// Does the jobs in order, as many at once as the credits allow. `done` gets the payload of the last
    /// reply of each, in order; its status is OK.
    ///
    /// After an error it is not known which of the jobs not done the device has done.
    pub fn run(
        &mut self,
        jobs: impl IntoIterator<Item = Result<Job, DriverError>>,
        mut done: impl FnMut(&[u8]) -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        let mut jobs = jobs.into_iter();
        let mut waiting = VecDeque::new();
        let mut recoveries = Recoveries::none();
        if !self.in_step {
            self.recover(Fault::Resume, &mut recoveries, &mut waiting)?;
        }
        self.in_step = false;
        loop {
            self.send(&mut jobs, &mut waiting)?;
            let Some(front) = waiting.front() else {
                break;
            };
            let deadline = self.wire.now() + self.limit(&front.job);
            match self.reply(deadline)? {
                Err(fault) => self.recover(fault, &mut recoveries, &mut waiting)?,
                Ok(None) => {} // There is a credit more.
                Ok(Some(payload)) => {
                    if let Some(payload) = self.take(payload, &mut waiting)? {
                        recoveries = Recoveries::none();
                        done(&payload)?;
                    }
                }
            }
        }
        self.in_step = true;
        Ok(())
    }

    /// How long a reply to `job` is waited for.
    fn limit(&self, job: &Job) -> Duration {
        job.limit + self.time_for(job.cycles)
    }

    /// How long the board may take to receive requests, to work for so many clock cycles, and to reply.
    fn time_for(&self, cycles: u64) -> Duration {
        let device = &self.info.device;
        let core = cycles as f64 / f64::from(device.clock_hz.max(1));
        let line = line_time(LINE_BYTES, device);
        Duration::from_secs_f64((core + line) * self.slowness * SLOWNESS_MARGIN)
    }

    /// Sends what the credits allow: first of the jobs that wait, then of new ones.
    fn send(
        &mut self,
        jobs: &mut impl Iterator<Item = Result<Job, DriverError>>,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<(), DriverError> {
        let credits = usize::from(self.info.device.core.frame_slots);
        let mut bytes = Vec::new();
        // Even while INFOs of a recovery use all credits there is something to wait for.
        if waiting.is_empty() {
            if let Some(job) = jobs.next() {
                waiting.push_back(Waiting::new(job?));
            }
        }
        while self.open.len() < credits {
            let unsent = |w: &&mut Waiting| w.sent < w.job.payloads.len();
            let Some(next) = waiting.iter_mut().find(unsent) else {
                let Some(job) = jobs.next() else {
                    break;
                };
                waiting.push_back(Waiting::new(job?));
                continue;
            };
            let request = Frame {
                kind: next.job.kind,
                sequence: take_sequence(&mut self.next_sequence),
                payload: next.job.payloads[next.sent].clone(),
            };
            next.sent += 1;
            bytes.extend(request.to_wire());
            self.open.push_back(Open {
                sequence: request.sequence,
                kind: request.kind,
                probe: false,
            });
        }
        if !bytes.is_empty() {
            self.wire.send(&bytes)?;
        }
        Ok(())
    }

    /// Waits for the reply to the oldest open request, and closes that. `None`: it was an INFO of a recovery.
    fn reply(&mut self, deadline: Duration) -> Result<Result<Option<Vec<u8>>, Fault>, DriverError> {
        loop {
            let frame = match self.wire.event(deadline)? {
                Event::Frame(frame) => frame,
                Event::Damaged => return Ok(Err(Fault::Damaged)),
                Event::Silence => return Ok(Err(Fault::Silence)),
            };
            if frame.kind == kind::NAK {
                let status = frame.payload.first().copied().unwrap_or(status::BAD_FRAME);
                return Ok(Err(Fault::Nak(status)));
            }
            let answers = |o: &Open| (frame.kind, frame.sequence) == (o.kind | REPLY, o.sequence);
            let Some(at) = self.open.iter().position(answers) else {
                continue; // A reply that the line doubled, or one for an earlier host.
            };
            if self.open.range(..at).any(|o| !o.probe) {
                return Ok(Err(Fault::OutOfTurn));
            }
            self.open.drain(..at);
            let probe = self.open.pop_front().is_some_and(|o| o.probe);
            return Ok(match frame.payload.first() {
                _ if probe => Ok(None),
                Some(&status::OUT_OF_ORDER) => Err(Fault::OutOfOrder),
                _ => Ok(Some(frame.payload)),
            });
        }
    }

    /// Puts a good reply to the oldest job. Returns the payload when the job is done with it.
    fn take(
        &mut self,
        payload: Vec<u8>,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<Option<Vec<u8>>, DriverError> {
        let Some(front) = waiting.front_mut() else {
            return Ok(None);
        };
        let request = request_name(front.job.kind);
        match payload.first() {
            Some(&status::OK) => {}
            Some(&status::NOT_ARMED) => return Err(DriverError::NotArmed),
            Some(&status::MEMORY_CHECK) => return Err(memory_check(&front.job, &payload)),
            Some(&status) => return Err(DriverError::Refused { request, status }),
            None => return Err(DriverError::Answer { request }),
        }
        front.answered += 1;
        if front.answered == front.job.payloads.len() {
            waiting.pop_front();
            return Ok(Some(payload));
        }
        match payload.len() {
            1 => Ok(None),
            _ => Err(DriverError::Answer { request }),
        }
    }

    /// Gets into step with the device again, and has every job that waits sent anew.
    fn recover(
        &mut self,
        fault: Fault,
        recoveries: &mut Recoveries,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<(), DriverError> {
        recoveries.all_silent &= fault == Fault::Silence;
        if recoveries.count == MAX_RECOVERIES {
            let count = recoveries.count;
            return Err(match waiting.front() {
                Some(front) if recoveries.all_silent => DriverError::NoReply {
                    recoveries: count,
                    request: request_name(front.job.kind),
                    limit: self.limit(&front.job),
                },
                _ => DriverError::Unreliable {
                    recoveries: count,
                    last: fault,
                },
            });
        }
        recoveries.count += 1;
        self.wire.traffic.recoveries += 1;
        // INFO is answered after what the board was asked before.
        let before = self.time_for(waiting.iter().map(|w| w.job.cycles).sum());
        let found = probe(&mut self.wire, &mut self.next_sequence, before)?;
        let Found {
            info,
            open,
            slowness,
        } = found.ok_or(DriverError::Lost)?;
        check_same(&self.info.device, &info.device)?;
        if let Some(checksum) = self.model {
            if !info.armed {
                return Err(DriverError::NotArmed);
            }
            if info.memory_crc != checksum {
                return Err(DriverError::OtherModel);
            }
        }
        (self.info, self.open) = (info, open);
        if fault == Fault::Silence {
            self.slowness = slowness;
        }
        for job in waiting {
            (job.sent, job.answered) = (0, 0);
        }
        Ok(())
    }
}

impl Waiting {
    fn new(job: Job) -> Self {
        Waiting {
            job,
            sent: 0,
            answered: 0,
        }
    }
}

impl Recoveries {
    fn none() -> Self {
        Recoveries {
            count: 0,
            all_silent: true,
        }
    }
}

/// What a [`probe`] found.
struct Found {
    info: InfoPayload,
    /// The INFOs that may still be answered.
    open: VecDeque<Open>,
    /// As [`Link::slowness`].
    slowness: f64,
}

/// Sends INFO until one of them is answered, and discards all that comes before that answer. Each is
/// waited for by so much longer as the board may be busy `before`. `None`: no attempt was answered.
fn probe(
    wire: &mut Wire,
    sequence: &mut u8,
    before: Duration,
) -> Result<Option<Found>, DriverError> {
    let mut open = VecDeque::new();
    let mut sent = Vec::new();
    for attempt in 0..INFO_ATTEMPTS {
        let request = Frame {
            kind: kind::INFO,
            sequence: take_sequence(sequence),
            payload: Vec::new(),
        };
        open.push_back(Open {
            sequence: request.sequence,
            kind: kind::INFO,
            probe: true,
        });
        // The zero closes whatever the device has half of.
        let bytes = [&[0], request.to_wire().as_slice()].concat();
        sent.push(wire.now());
        wire.send(&bytes)?;
        let deadline = wire.now() + INFO_LIMIT * (1 << attempt) + before;
        loop {
            let frame = match wire.event(deadline)? {
                Event::Frame(frame) if frame.kind == kind::INFO | REPLY => frame,
                Event::Frame(_) | Event::Damaged => continue,
                Event::Silence => break,
            };
            let Some(at) = open.iter().position(|o| o.sequence == frame.sequence) else {
                continue;
            };
            let Some((&status::OK, info)) = frame.payload.split_first() else {
                return Err(DriverError::Answer { request: "INFO" });
            };
            let info = InfoPayload::parse(info)?;
            let length = (bytes.len() + frame.to_wire().len()) as u64;
            let took = (wire.now() - sent[at]).as_secs_f64();
            let slowness = took / line_time(length, &info.device);
            return Ok(Some(Found {
                info,
                open: open.split_off(at + 1),
                slowness: slowness.clamp(1.0, MAX_SLOWNESS),
            }));
        }
        wire.drop_partial();
    }
    Ok(None)
}

/// How long so many bytes are on the line, in seconds.
fn line_time(bytes: u64, device: &DeviceConfig) -> f64 {
    (bytes * BITS_PER_BYTE) as f64 / f64::from(device.baud.max(1))
}

fn take_sequence(next: &mut u8) -> u8 {
    let sequence = *next;
    *next = next.wrapping_add(1);
    sequence
}

/// What the device says to an ARM whose CRC-32 is not that of its memories.
fn memory_check(job: &Job, payload: &[u8]) -> DriverError {
    let expected = job.payloads[0]
        .as_slice()
        .try_into()
        .map(u32::from_le_bytes);
    match (job.kind, expected, reply::parse_arm(payload)) {
        (kind::ARM, Ok(expected), Some(found)) => DriverError::MemoryCheck { expected, found },
        _ => DriverError::Answer {
            request: request_name(job.kind),
        },
    }
}

fn request_name(kind: u8) -> &'static str {
    match kind {
        kind::INFO => "INFO",
        kind::GEOMETRY => "GEOMETRY",
        kind::WEIGHTS => "WEIGHTS",
        kind::MARGINS => "MARGINS",
        kind::ARM => "ARM",
        kind::SPIKES => "SPIKES",
        _ => "STATUS",
    }
}

/// Whether a device is made as `expected`; if not, the error names what differs.
pub(super) fn check_same(expected: &DeviceConfig, found: &DeviceConfig) -> Result<(), DriverError> {
    let sizes = |d: &DeviceConfig| {
        [
            ("board number", u32::from(d.board_number)),
            ("lanes", d.core.lanes.into()),
            ("banks", d.core.banks.into()),
            ("weight rows", d.core.weight_rows),
            ("fold slots", d.core.fold_slots.into()),
            ("input rows", d.core.input_rows.into()),
            ("hidden rows", d.core.hidden_rows.into()),
            ("frame slots", d.core.frame_slots.into()),
            ("input buffers", d.core.input_buffers.into()),
            ("core clock", d.clock_hz),
            ("baud rate", d.baud),
        ]
    };
    let different: Vec<String> = (sizes(expected).iter().zip(&sizes(found)))
        .filter(|((_, expected), (_, found))| expected != found)
        .map(|((name, expected), (_, found))| format!("{name} {found} instead of {expected}"))
        .collect();
    match different.is_empty() {
        true => Ok(()),
        false => Err(DriverError::OtherGateware {
            what: different.join(", "),
        }),
    }
}
