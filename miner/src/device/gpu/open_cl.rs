//! All calls of OpenCL. Each may block or fail as the driver pleases, so they are made on threads that nobody has to wait for.

#![expect(unsafe_code, reason = "OpenCL is a library of C")]

use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opencl3::command_queue::CommandQueue;
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_CPU, CL_DEVICE_TYPE_GPU, Device};
use opencl3::error_codes::{
    CL_DEVICE_NOT_FOUND, CL_PLATFORM_NOT_FOUND_KHR, ClError, DLOPEN_FUNCTION_NOT_AVAILABLE,
    DLOPEN_RUNTIME_LOAD_FAILED,
};
use opencl3::event::{CL_COMPLETE, Event};
use opencl3::kernel::Kernel;
use opencl3::memory::{Buffer, CL_MEM_READ_ONLY, CL_MEM_READ_WRITE, ClMem};
use opencl3::platform::{Platform, get_platforms};
use opencl3::program::Program;
use opencl3::types::{CL_NON_BLOCKING, cl_mem_flags};

use super::driver::DEPTH;
use super::info::{GpuInfo, GpuKind};
use super::queue::{ANSWER_WORDS, Candidates, Found, Launch, Queue, ROOM, Work};
use super::tuning::Tuning;
use crate::GpuError;

/// The kernel.
const SOURCE: &str = include_str!("search.cl");

/// An answer before a launch: no candidates, and no lowest offset.
const BLANK: [u32; 2] = [0, u32::MAX];

/// The arguments of the kernel, by their place.
const SHARED: u32 = 0;
const VERSIONS: u32 = 1;
const FIRST: u32 = 2;
const COUNT: u32 = 3;
const THRESHOLD: u32 = 4;
const ANSWER: u32 = 5;

/// How often a launch is looked at, as a part of the time that the one before it took, and the bounds of that. Drivers that wait
/// by themselves may keep a processor busy with it.
const LOOKS_PER_LAUNCH: u32 = 128;
const LEAST_BETWEEN_LOOKS: Duration = Duration::from_micros(40);
const MOST_BETWEEN_LOOKS: Duration = Duration::from_micros(500);

/// OpenCL's name of a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle(Device);

pub(super) fn list() -> Result<Vec<GpuInfo>, GpuError> {
    let platforms = match get_platforms() {
        Ok(platforms) => platforms,
        Err(ClError(DLOPEN_RUNTIME_LOAD_FAILED | DLOPEN_FUNCTION_NOT_AVAILABLE)) => {
            return Err(GpuError::NoLibrary);
        }
        Err(ClError(CL_PLATFORM_NOT_FOUND_KHR)) => Vec::new(),
        Err(error) => return Err(failed("OpenCL", "clGetPlatformIDs", error)),
    };
    let mut devices = Vec::new();
    for platform in platforms {
        match devices_of(&platform) {
            Ok(of_platform) => devices.extend(of_platform),
            Err(error) => tracing::warn!(%error, "an OpenCL platform is left out"),
        }
    }
    Ok(devices)
}

fn devices_of(platform: &Platform) -> Result<Vec<GpuInfo>, GpuError> {
    let name = match platform.name() {
        Ok(name) => tidy(&name),
        Err(error) => return Err(failed("OpenCL", "clGetPlatformInfo", error)),
    };
    let devices = match platform.get_devices(CL_DEVICE_TYPE_ALL) {
        Ok(devices) => devices,
        Err(ClError(CL_DEVICE_NOT_FOUND)) => Vec::new(),
        Err(error) => return Err(failed(&name, "clGetDeviceIDs", error)),
    };
    let described = devices.into_iter().map(|id| {
        describe(&name, Device::new(id)).map_err(|error| failed(&name, "clGetDeviceInfo", error))
    });
    described.collect()
}

fn describe(platform: &str, device: Device) -> Result<GpuInfo, ClError> {
    let types = device.dev_type()?;
    let kind = if types & CL_DEVICE_TYPE_GPU != 0 {
        GpuKind::Gpu
    } else if types & CL_DEVICE_TYPE_CPU != 0 {
        GpuKind::Processor
    } else {
        GpuKind::Accelerator
    };
    Ok(GpuInfo {
        platform: platform.to_owned(),
        name: tidy(&device.name()?),
        vendor: tidy(&device.vendor()?),
        kind,
        memory_bytes: device.global_mem_size()?,
        compute_units: device.max_compute_units()?,
        clock_mhz: device.max_clock_frequency()?,
        driver_version: tidy(&device.driver_version()?),
        opencl_version: tidy(&device.version()?),
        handle: Handle(device),
    })
}

/// Drivers fill their names up.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn failed(device: &str, call: &'static str, error: ClError) -> GpuError {
    GpuError::Call {
        device: device.to_owned(),
        call,
        reason: format!("{error} ({})", error.0),
    }
}

/// A device that is open, for which kernels can be built.
pub(super) struct OpenDevice {
    /// Its name, for errors.
    name: String,
    handle: Handle,
    context: Arc<Context>,
}

impl OpenDevice {
    pub(super) fn open(name: &str, handle: Handle) -> Result<Self, GpuError> {
        let context = Context::from_device(&handle.0)
            .map_err(|error| failed(name, "clCreateContext", error))?;
        Ok(Self {
            name: name.to_owned(),
            handle,
            context: Arc::new(context),
        })
    }

    /// The vector width of its registers; one where it doesn't say. A library that was built for all processors may not know
    /// those of this one.
    pub(super) fn native_width(&self, kind: GpuKind) -> u32 {
        let told = self.handle.0.native_vector_width_int().unwrap_or(1);
        match kind {
            GpuKind::Processor => told.max(processor_width()),
            GpuKind::Gpu | GpuKind::Accelerator => told,
        }
    }

    /// Builds the kernel as `tuning` says, and a queue for it.
    pub(super) fn build(&self, tuning: Tuning) -> Result<ClQueue, GpuError> {
        let call = |call| move |error| failed(&self.name, call, error);
        let mut program = Program::create_from_source(&self.context, SOURCE)
            .map_err(call("clCreateProgramWithSource"))?;
        let id = self.handle.0.id();
        if let Err(error) = program.build(&[id], &tuning.build_options()) {
            return Err(GpuError::Build {
                device: self.name.clone(),
                tuning: tuning.to_string(),
                log: match program.get_build_log(id) {
                    Ok(log) if !tidy(&log).is_empty() => tidy(&log),
                    _ => error.to_string(),
                },
            });
        }
        // OpenCL 1.2, which some cards are left with, has no newer way.
        // SAFETY: the context was made for this device.
        let queue = unsafe { CommandQueue::create(&self.context, id, 0) }
            .map_err(call("clCreateCommandQueue"))?;
        let slots = (0..DEPTH)
            .map(|_| Slot::new(&self.context, &program))
            .collect::<Result<Vec<_>, ClError>>()
            .map_err(call("clCreateBuffer"))?;
        let group = slots[0]
            .kernel
            .get_work_group_size(id)
            .map_err(call("clGetKernelWorkGroupInfo"))?;
        if group < tuning.group as usize {
            return Err(GpuError::Build {
                device: self.name.clone(),
                tuning: tuning.to_string(),
                log: format!("its work groups have {group} items at most"),
            });
        }
        Ok(ClQueue {
            name: self.name.clone(),
            tuning,
            next: 0,
            waiting: 0,
            last_end: Instant::now(),
            last_elapsed: Duration::ZERO,
            broken: false,
            objects: ManuallyDrop::new(Objects {
                slots,
                queue,
                _program: program,
                _context: Arc::clone(&self.context),
            }),
        })
    }
}

/// How many words of 32 bits the processor's registers hold.
fn processor_width() -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return 16;
        }
        if is_x86_feature_detected!("avx2") {
            return 8;
        }
    }
    4
}

/// What one launch needs to itself, from when it is put into the queue until its answer was read.
struct Slot {
    kernel: Kernel,
    shared: Buffer<u32>,
    versions: Buffer<u32>,
    /// How many words `versions` has.
    capacity: usize,
    answer: Buffer<u32>,
    /// What `shared` and `versions` hold, or will hold when the queue comes to it.
    work: Option<Arc<Work>>,
    /// Where the queue puts the answer.
    read: Box<[u32; ANSWER_WORDS]>,
    ends: Option<Event>,
    put_in: Instant,
}

impl Slot {
    fn new(context: &Context, program: &Program) -> Result<Self, ClError> {
        let kernel = Kernel::create(program, "search")?;
        let capacity = 16;
        let slot = Self {
            shared: buffer(context, CL_MEM_READ_ONLY, 6)?,
            versions: buffer(context, CL_MEM_READ_ONLY, capacity)?,
            capacity,
            answer: buffer(context, CL_MEM_READ_WRITE, ANSWER_WORDS)?,
            kernel,
            work: None,
            read: Box::new([0; ANSWER_WORDS]),
            ends: None,
            put_in: Instant::now(),
        };
        // SAFETY: these arguments of the kernel are pointers, so buffers are what they take.
        unsafe {
            slot.kernel.set_arg(SHARED, &slot.shared.get())?;
            slot.kernel.set_arg(VERSIONS, &slot.versions.get())?;
            slot.kernel.set_arg(ANSWER, &slot.answer.get())?;
        }
        Ok(slot)
    }

    /// Puts a launch into the queue. The slot is free.
    fn launch(
        &mut self,
        context: &Context,
        queue: &CommandQueue,
        tuning: Tuning,
        launch: &Launch,
    ) -> Result<(), ClError> {
        self.put_in = Instant::now();
        let known = self.work.as_ref();
        if !known.is_some_and(|work| Arc::ptr_eq(work, &launch.work)) {
            self.write_work(context, queue, &launch.work)?;
        }
        let items = launch.count.div_ceil(tuning.width);
        let rounded = items as usize;
        let rounded = rounded.next_multiple_of(tuning.group as usize);
        let global = [rounded, launch.work.version_count()];
        let local = [tuning.group as usize, 1];
        // SAFETY: the queue is in order, so these commands follow each other. What the two transfers read and write is constant or
        // in this slot, which stays as it is until `ends` is over. The arguments have the types of the kernel's, and the sizes are
        // of two dimensions.
        unsafe {
            queue.enqueue_write_buffer(&mut self.answer, CL_NON_BLOCKING, 0, &BLANK, &[])?;
            self.kernel.set_arg(FIRST, &launch.first)?;
            self.kernel.set_arg(COUNT, &launch.count)?;
            self.kernel.set_arg(THRESHOLD, &launch.threshold)?;
            queue.enqueue_nd_range_kernel(
                self.kernel.get(),
                2,
                ptr::null(),
                global.as_ptr(),
                local.as_ptr(),
                &[],
            )?;
            let read = self.read.as_mut_slice();
            self.ends =
                Some(queue.enqueue_read_buffer(&self.answer, CL_NON_BLOCKING, 0, read, &[])?);
        }
        queue.flush()
    }

    fn write_work(
        &mut self,
        context: &Context,
        queue: &CommandQueue,
        work: &Arc<Work>,
    ) -> Result<(), ClError> {
        if self.capacity < work.versions.len() {
            self.versions = buffer(context, CL_MEM_READ_ONLY, work.versions.len())?;
            self.capacity = work.versions.len();
            // SAFETY: the argument is a pointer.
            unsafe { self.kernel.set_arg(VERSIONS, &self.versions.get())? };
        }
        // What is written stays until it was: in this slot, until the next launch from it, which comes after the answer.
        let work = self.work.insert(Arc::clone(work));
        // SAFETY: see above; the buffers are as long as what is written.
        unsafe {
            queue.enqueue_write_buffer(&mut self.shared, CL_NON_BLOCKING, 0, &work.shared, &[])?;
            queue.enqueue_write_buffer(
                &mut self.versions,
                CL_NON_BLOCKING,
                0,
                &work.versions,
                &[],
            )?;
        }
        Ok(())
    }

    /// Waits for the launch, looking at it that often.
    fn wait(&mut self, between_looks: Duration) -> Result<(), ClError> {
        let Some(ends) = self.ends.take() else {
            return Ok(());
        };
        loop {
            match ends.command_execution_status()?.0 {
                CL_COMPLETE => return Ok(()),
                error if error < 0 => return Err(ClError(error)),
                _ => std::thread::sleep(between_looks),
            }
        }
    }

    fn candidates(&self) -> Candidates {
        let [count, lowest, entries @ ..] = self.read.as_ref();
        let count = *count as usize;
        if count > ROOM {
            return Candidates::TooMany { lowest: *lowest };
        }
        let (entries, _) = entries.as_chunks::<2>();
        let candidate = |[offset, version]: &[u32; 2]| (*offset, *version);
        let mut candidates: Vec<(u32, u32)> = entries[..count].iter().map(candidate).collect();
        candidates.sort_unstable();
        Candidates::All(candidates)
    }
}

fn buffer(context: &Context, flags: cl_mem_flags, words: usize) -> Result<Buffer<u32>, ClError> {
    // SAFETY: no memory of ours is given to it.
    unsafe { Buffer::create(context, flags, words, ptr::null_mut()) }
}

/// In the order in which they are released.
struct Objects {
    slots: Vec<Slot>,
    queue: CommandQueue,
    _program: Program,
    _context: Arc<Context>,
}

/// A device's queue, with the kernel as one tuning builds it.
pub(super) struct ClQueue {
    name: String,
    tuning: Tuning,
    /// The slot of the next launch, and how many are on their way.
    next: usize,
    waiting: usize,
    /// When the launch before ended, and how long it took.
    last_end: Instant,
    last_elapsed: Duration,
    /// Something failed: nothing is released any more, because that may fail, too, and then panics.
    broken: bool,
    objects: ManuallyDrop<Objects>,
}

impl Queue for ClQueue {
    fn launch(&mut self, launch: &Launch) -> Result<(), GpuError> {
        let Objects {
            slots,
            queue,
            _context,
            ..
        } = &mut *self.objects;
        assert!(self.waiting < slots.len(), "a slot is free");
        let slot = &mut slots[self.next];
        if let Err(error) = slot.launch(_context, queue, self.tuning, launch) {
            self.broken = true;
            return Err(failed(&self.name, "clEnqueueNDRangeKernel", error));
        }
        self.next = (self.next + 1) % slots.len();
        self.waiting += 1;
        Ok(())
    }

    fn collect(&mut self) -> Result<Found, GpuError> {
        let slots = &mut self.objects.slots;
        assert!(self.waiting > 0, "something is on its way");
        let oldest = (self.next + slots.len() - self.waiting) % slots.len();
        let slot = &mut slots[oldest];
        let between_looks =
            (self.last_elapsed / LOOKS_PER_LAUNCH).clamp(LEAST_BETWEEN_LOOKS, MOST_BETWEEN_LOOKS);
        if let Err(error) = slot.wait(between_looks) {
            self.broken = true;
            return Err(failed(&self.name, "the kernel", error));
        }
        self.waiting -= 1;
        let now = Instant::now();
        self.last_elapsed = now - slot.put_in.max(self.last_end);
        self.last_end = now;
        Ok(Found {
            candidates: slot.candidates(),
            elapsed: self.last_elapsed,
        })
    }
}

impl Drop for ClQueue {
    fn drop(&mut self) {
        if self.broken || std::thread::panicking() {
            return;
        }
        // What is on its way still writes into the slots.
        if self.objects.queue.finish().is_err() {
            return;
        }
        // SAFETY: nothing uses them after this.
        unsafe { ManuallyDrop::drop(&mut self.objects) };
    }
}
