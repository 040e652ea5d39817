//! A Verilated board as a loaded shared library.
//!
//! The structures and functions here mirror `verilator/shim.cpp`.

use crate::rtl::Trace;
use crate::SimError;
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// The version of the structures below; the shim says which it was compiled with.
const BENCH_ABI: u32 = 2;

#[repr(C)]
struct BenchRequest {
    clocks: u64,
    idle_clocks: u64,
    bit: u32,
    input: *const u8,
    input_length: usize,
    output: *mut u8,
    output_capacity: usize,
}

#[repr(C)]
#[derive(Default)]
struct BenchReply {
    clocks: u64,
    consumed: usize,
    produced: usize,
    framing_errors: u32,
    idle: u32,
}

type Create = unsafe extern "C" fn(u64, *const c_char, u64, u64) -> *mut c_void;
type CreateError = unsafe extern "C" fn() -> *const c_char;
type Destroy = unsafe extern "C" fn(*mut c_void);
type BenchError = unsafe extern "C" fn(*const c_void) -> *const c_char;
type Run = unsafe extern "C" fn(*mut c_void, *const BenchRequest, *mut BenchReply) -> c_int;

/// A compiled board. Any number of them can run at the same time, each with a state of its own.
#[derive(Clone)]
pub struct Library {
    functions: Arc<Functions>,
}

struct Functions {
    create: Create,
    create_error: CreateError,
    destroy: Destroy,
    error: BenchError,
    run: Run,
    // The functions are code of the library, which stays loaded as long as this.
    _library: libloading::Library,
}

impl Library {
    /// Loads the shared library that [`crate::verilator::compile`] made.
    pub fn load(path: &Path) -> Result<Self, SimError> {
        let failed = |error: libloading::Error| SimError::Load {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // SAFETY: the library is one of ours: its initialisers set up constants of Verilator's runtime, and its
        // functions have the types above, which BENCH_ABI stands for.
        unsafe {
            let library = libloading::Library::new(path).map_err(failed)?;
            let abi: unsafe extern "C" fn() -> u32 = *library.get(b"bench_abi").map_err(failed)?;
            if abi() != BENCH_ABI {
                return Err(SimError::Load {
                    path: path.to_owned(),
                    reason: format!("its interface has version {}, not {BENCH_ABI}", abi()),
                });
            }
            let functions = Functions {
                create: *library.get(b"bench_create").map_err(failed)?,
                create_error: *library.get(b"bench_create_error").map_err(failed)?,
                destroy: *library.get(b"bench_destroy").map_err(failed)?,
                error: *library.get(b"bench_error").map_err(failed)?,
                run: *library.get(b"bench_run").map_err(failed)?,
                _library: library,
            };
            Ok(Library {
                functions: Arc::new(functions),
            })
        }
    }

    /// Powers a board up. What its registers and memories hold at that moment, where the Verilog does not say,
    /// follows from the seed.
    pub(crate) fn power_up(&self, seed: u64, trace: Option<&Trace>) -> Result<Bench, SimError> {
        let name = trace
            .map(|trace| CString::new(trace.path.as_os_str().as_encoded_bytes()))
            .transpose()
            .map_err(|_| {
                SimError::Start("the name of the trace file has a zero byte in it".to_owned())
            })?;
        let path = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
        let (from, clocks) = trace.map_or((0, 0), |trace| (trace.from, trace.clocks));
        // SAFETY: `path` is null or a string that outlives the call; the error text is a string that lives until the
        // next call of `create` on this thread.
        let handle = unsafe { (self.functions.create)(seed, path, from, clocks) };
        let handle = NonNull::new(handle)
            .ok_or_else(|| SimError::Start(unsafe { text((self.functions.create_error)()) }))?;
        Ok(Bench {
            functions: Arc::clone(&self.functions),
            handle,
        })
    }
}

/// One board that runs.
pub(crate) struct Bench {
    functions: Arc<Functions>,
    handle: NonNull<c_void>,
}

// SAFETY: the handle is used by one thread at a time, since `run` takes `&mut self`, and Verilator's model keeps no
// state outside it that belongs to a thread.
unsafe impl Send for Bench {}

/// What one [`Bench::run`] may do.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    /// Clocks at most.
    pub clocks: u64,
    /// Clocks after which quiet lines mean that the board is idle.
    pub idle_clocks: u64,
    /// The length of a bit at the host's end, in 1/256 of a clock.
    pub bit: u32,
}

/// What one [`Bench::run`] did.
pub(crate) struct Ran {
    pub clocks: u64,
    pub consumed: usize,
    pub produced: usize,
    pub framing_errors: u32,
    pub idle: bool,
}

impl Bench {
    /// Runs until the clocks are spent, `input` is on the line, a burst of output has ended, `output` is full or the
    /// board is idle.
    pub fn run(&mut self, slice: Slice, input: &[u8], output: &mut [u8]) -> Result<Ran, SimError> {
        let request = BenchRequest {
            clocks: slice.clocks,
            idle_clocks: slice.idle_clocks,
            bit: slice.bit,
            input: input.as_ptr(),
            input_length: input.len(),
            output: output.as_mut_ptr(),
            output_capacity: output.len(),
        };
        let mut reply = BenchReply::default();
        // SAFETY: the handle is live, and the pointers and lengths are those of slices that outlive the call.
        let status = unsafe { (self.functions.run)(self.handle.as_ptr(), &request, &mut reply) };
        if status != 0 {
            // SAFETY: the text belongs to the handle, which is live.
            return Err(SimError::Stopped(unsafe {
                text((self.functions.error)(self.handle.as_ptr()))
            }));
        }
        Ok(Ran {
            clocks: reply.clocks,
            consumed: reply.consumed,
            produced: reply.produced,
            framing_errors: reply.framing_errors,
            idle: reply.idle != 0,
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // SAFETY: the handle came from `create` and is not used again; the library is loaded still.
        unsafe { (self.functions.destroy)(self.handle.as_ptr()) }
    }
}

/// A copy of a C string.
unsafe fn text(string: *const c_char) -> String {
    CStr::from_ptr(string).to_string_lossy().into_owned()
}
