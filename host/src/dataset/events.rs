//! Recordings of spikes, and the codes that make inputs of a network from them.
//!
//! A recording is a list of events: at this millisecond, that channel spiked. A channel spikes as often as
//! it likes, but an input of a network spikes once at most, so a code has to choose. What it chooses is
//! written as one byte an input, in such a way that [`Latency`](crate::encoding::Latency) over as many steps
//! gives the step that the code means: an input that spikes at `step` has the value `steps - step`, a silent
//! one 0, and `steps` is the maximum.

use serde::{Deserialize, Serialize};

/// The channels of a recording: units are 0 to `CHANNELS - 1`.
pub const CHANNELS: usize = 700;

/// The time that [`EventCode::FirstSpike`] cuts into steps, in milliseconds.
const FIRST_SPIKE_MS: u32 = 1000;

/// How the events of a recording become spikes of inputs, at most one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum EventCode {
    /// An input for each of the 700 channels. It spikes at the step of the channel's first event.
    ///
    /// The steps are equal parts of the first second: 50 ms each where there are 20. Later events are left
    /// out, as in [`EventCode::Windows`]: a network that answers after a second cannot have heard them.
    FirstSpike { steps: u8 },
    /// An input for each group of neighbouring channels and each window of time. It spikes at the step
    /// that has the number of its window, when its group had at least `least` events in that window.
    ///
    /// Input `group * steps + window`: the windows of a group lie side by side. Events after the last window
    /// are left out.
    Windows {
        /// How many groups the 700 channels are cut into.
        groups: u16,
        /// How many windows there are, which is the number of steps.
        steps: u8,
        /// How long a window is, in milliseconds.
        window_ms: u16,
        /// How many events make a group spike.
        least: u8,
    },
}

impl EventCode {
    /// The code of the data set `shd`: 1,400 inputs, 70 groups of ten channels in 20 windows of 50 ms, with more
    /// than three events in a window.
    pub const SHD: EventCode = EventCode::Windows {
        groups: 70,
        steps: 20,
        window_ms: 50,
        least: 4,
    };

    /// The code of the data set `shd-first`: 700 inputs, 20 steps of 50 ms.
    pub const SHD_FIRST: EventCode = EventCode::FirstSpike { steps: 20 };

    /// The number of time steps, which is the greatest value of an input too.
    pub fn steps(&self) -> u8 {
        match *self {
            EventCode::FirstSpike { steps } | EventCode::Windows { steps, .. } => steps,
        }
    }

    /// The shape of the inputs: `[channels]`, or `[groups, windows]`.
    pub fn shape(&self) -> Vec<usize> {
        match *self {
            EventCode::FirstSpike { .. } => vec![CHANNELS],
            EventCode::Windows { groups, steps, .. } => vec![groups.into(), steps.into()],
        }
    }

    /// The plane of channels and time in which recordings can be moved, a row and a column a cell.
    pub fn grid(&self) -> Grid {
        match *self {
            EventCode::FirstSpike { steps } => Grid {
                rows: CHANNELS,
                columns: steps.into(),
                row_channels: 1.0,
                column_ms: FIRST_SPIKE_MS as f32 / f32::from(steps),
            },
            EventCode::Windows {
                groups,
                steps,
                window_ms,
                ..
            } => Grid {
                rows: groups.into(),
                columns: steps.into(),
                row_channels: CHANNELS as f32 / f32::from(groups),
                column_ms: window_ms.into(),
            },
        }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.shape().iter().product()
    }

    /// Writes one byte an input into `to`: `steps - step` where it spikes at `step`, 0 where it is silent.
    ///
    /// `times` are in milliseconds and may be in any order; `units` are the channels of the same events.
    /// An event of a channel that does not exist is left out, so a recording may be shifted beyond the
    /// first or the last channel.
    pub fn encode(&self, times: &[u16], units: &[u16], to: &mut Vec<u8>) {
        to.clear();
        to.resize(self.inputs(), 0);
        let events = (times.iter().zip(units))
            .map(|(&time, &unit)| (time, usize::from(unit)))
            .filter(|&(_, unit)| unit < CHANNELS);
        match *self {
            EventCode::FirstSpike { steps } => {
                for (time, unit) in events {
                    let step = u32::from(time) * u32::from(steps) / FIRST_SPIKE_MS;
                    // The earliest spike has the greatest value; one after the last step would have 0.
                    let value = u32::from(steps).saturating_sub(step) as u8;
                    to[unit] = to[unit].max(value);
                }
            }
            EventCode::Windows {
                groups,
                steps,
                window_ms,
                least,
            } => {
                let (groups, windows) = (usize::from(groups), usize::from(steps));
                for (time, unit) in events {
                    let window = time.checked_div(window_ms).map(usize::from);
                    let Some(window) = window.filter(|&window| window < windows) else {
                        continue;
                    };
                    // Without groups there are no inputs.
                    if let Some(count) = to.get_mut(unit * groups / CHANNELS * windows + window) {
                        *count = count.saturating_add(1);
                    }
                }
                for (input, value) in to.iter_mut().enumerate() {
                    let spikes = *value >= least;
                    *value = if spikes {
                        steps - (input % windows) as u8
                    } else {
                        0
                    };
                }
            }
        }
    }
}

/// A plane with a row for some channels and a column for some milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    pub rows: usize,
    pub columns: usize,
    /// Channels a row.
    pub row_channels: f32,
    /// Milliseconds a column.
    pub column_ms: f32,
}

/// The events of many recordings, kept small: four bytes an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recordings {
    /// How they become the inputs of a network.
    pub code: EventCode,
    /// Where each recording begins in `times` and `units`, and at last where the last one ends.
    starts: Vec<usize>,
    /// Milliseconds since the beginning of the recording.
    times: Vec<u16>,
    /// Channels.
    units: Vec<u16>,
}

impl Recordings {
    /// No recordings yet.
    pub fn new(code: EventCode) -> Self {
        Recordings {
            code,
            starts: vec![0],
            times: Vec::new(),
            units: Vec::new(),
        }
    }

    /// Adds a recording: events as (time in milliseconds, channel).
    pub fn push(&mut self, events: impl Iterator<Item = (u16, u16)>) {
        for (time, unit) in events {
            self.times.push(time);
            self.units.push(unit);
        }
        self.starts.push(self.times.len());
    }

    /// The number of recordings.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of events in all recordings.
    pub fn event_count(&self) -> usize {
        self.times.len()
    }

    /// The events of recording `index`, in the order of the file: times in milliseconds, and channels.
    pub fn events(&self, index: usize) -> (&[u16], &[u16]) {
        let range = self.starts[index]..self.starts[index + 1];
        (&self.times[range.clone()], &self.units[range])
    }

    /// All recordings in their code, one after the other, [`EventCode::inputs`] bytes each.
    pub fn encode(&self) -> Vec<u8> {
        let mut images = Vec::with_capacity(self.len() * self.code.inputs());
        let mut image = Vec::new();
        for index in 0..self.len() {
            let (times, units) = self.events(index);
            self.code.encode(times, units, &mut image);
            images.extend_from_slice(&image);
        }
        images
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Latency;

    fn encode(code: EventCode, events: &[(u16, u16)]) -> Vec<u8> {
        let (times, units): (Vec<u16>, Vec<u16>) = events.iter().copied().unzip();
        let mut image = vec![9; 3];
        code.encode(&times, &units, &mut image);
        assert_eq!(image.len(), code.inputs());
        image
    }

    /// The inputs that spike, and when, as the latency code of all data sets sees them.
    fn spikes(code: EventCode, events: &[(u16, u16)]) -> Vec<(usize, usize)> {
        let latency = Latency {
            steps: code.steps().into(),
        };
        (encode(code, events).iter().enumerate())
            .filter_map(|(input, &value)| Some((input, latency.step(value, code.steps())?)))
            .collect()
    }

    #[test]
    fn the_latency_code_gives_the_window_for_every_number_of_steps() {
        for steps in 1..=u8::MAX {
            let code = EventCode::Windows {
                groups: 1,
                steps,
                window_ms: 7,
                least: 1,
            };
            let every_window: Vec<(u16, u16)> = (0..u16::from(steps))
                .map(|window| (7 * window, 0))
                .collect();
            let expected: Vec<(usize, usize)> = (0..steps.into()).map(|s| (s, s)).collect();
            assert_eq!(spikes(code, &every_window), expected);
        }
    }

    #[test]
    fn the_latency_code_gives_the_first_spike_for_every_number_of_steps_and_millisecond() {
        for steps in 1..=u8::MAX {
            let code = EventCode::FirstSpike { steps };
            for time in 0..1000u16 {
                let step = usize::from(time) * usize::from(steps) / 1000;
                assert_eq!(spikes(code, &[(time, 3)]), [(3, step)]);
            }
        }
    }

    #[test]
    fn a_channel_spikes_when_it_did_first_in_whatever_order_events_come() {
        let events = [(720, 5), (119, 5), (480, 5), (0, 699), (999, 0), (1000, 1)];
        let expected = [(0, 19), (5, 2), (699, 0)];
        assert_eq!(spikes(EventCode::SHD_FIRST, &events), expected);
    }

    #[test]
    fn a_group_spikes_in_each_window_that_holds_enough_events_of_its_channels() {
        // Four in group 0 and window 1, from several channels; three only in window 2; four in the last window
        // of the last group; four after it.
        let enough = [(50, 0), (99, 9), (60, 3), (60, 3)];
        let too_few = [(100, 0), (149, 9), (120, 3)];
        let neighbours = [(100, 10), (150, 9)];
        let last = [(950, 690), (999, 699), (999, 699), (980, 695)];
        let late = [(1000, 20), (1000, 20), (1000, 20), (1000, 20)];
        let events = [&enough[..], &too_few, &neighbours, &last, &late].concat();
        let expected = [(1, 1), (69 * 20 + 19, 19)];
        assert_eq!(spikes(EventCode::SHD, &events), expected);
        assert_eq!(EventCode::SHD.shape(), [70, 20]);
        assert_eq!(EventCode::SHD.inputs(), 1400);
    }

    #[test]
    fn more_events_than_a_byte_counts_are_still_many() {
        let events = vec![(0, 0); 300];
        assert_eq!(spikes(EventCode::SHD, &events), [(0, 0)]);
    }

    #[test]
    fn channels_that_do_not_exist_and_codes_without_time_are_silent() {
        let beyond = [(0, 700), (0, 700), (0, u16::MAX), (u16::MAX, 0)];
        assert_eq!(spikes(EventCode::SHD_FIRST, &beyond), []);
        assert_eq!(spikes(EventCode::SHD, &beyond), []);
        for (groups, steps, window_ms) in [(0, 20, 50), (70, 0, 50), (70, 20, 0)] {
            let code = EventCode::Windows {
                groups,
                steps,
                window_ms,
                least: 1,
            };
            assert!(encode(code, &[(0, 0), (3, 9)]).iter().all(|&v| v == 0));
        }
        let no_steps = EventCode::FirstSpike { steps: 0 };
        assert!(encode(no_steps, &[(0, 0)]).iter().all(|&v| v == 0));
    }

    #[test]
    fn recordings_are_kept_apart() {
        let mut recordings = Recordings::new(EventCode::SHD_FIRST);
        assert!(recordings.is_empty());
        recordings.push([(0, 1), (60, 2)].into_iter());
        recordings.push([].into_iter());
        recordings.push([(100, 3)].into_iter());
        assert_eq!((recordings.len(), recordings.event_count()), (3, 3));
        assert_eq!(recordings.events(0), (&[0, 60][..], &[1, 2][..]));
        assert_eq!(recordings.events(1), (&[][..], &[][..]));
        assert_eq!(recordings.events(2), (&[100][..], &[3][..]));
        let images = recordings.encode();
        assert_eq!(images.len(), 3 * 700);
        assert_eq!((images[1], images[2]), (20, 19));
        assert!(images[700..1400].iter().all(|&value| value == 0));
        assert_eq!(images[1403], 18);
    }
}
