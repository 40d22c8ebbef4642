//! The processor as a mining device. Each set of instructions has a kernel in a file of its own, all behind one trait and all
//! held to the results of `reference`; `choice` measures which is the fastest here.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod choice;
mod clock;
mod cpu_device;
mod kernel;
#[cfg(any(test, target_arch = "x86_64"))]
mod lanes;
mod reference;
mod sha256;
#[cfg(target_arch = "aarch64")]
mod sha2_arm;
#[cfg(target_arch = "x86_64")]
mod sha_ni;

#[cfg(test)]
mod tests;

pub use choice::{fastest_kernel, hash_rate, kernel, kernels};
pub use clock::clock_rate;
pub use cpu_device::{CpuDevice, KernelChoice};
pub use kernel::{Candidate, Kernel, search};
pub use reference::Reference;
pub(super) use sha256::{HEADER_BITS, PADDING, SecondBlock, small_sigma0, small_sigma1};
