//! Which devices to mine on, by their names.

use std::fmt;
use std::str::FromStr;

use crate::MinerError;

/// The highest number of a device: far more than a machine has.
const MAX_INDEX: usize = 255;

/// A device or a kind of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceName {
    /// The processor's threads: `cpu`.
    Cpu,
    /// Every device of OpenCL: `opencl`.
    OpenCl,
    /// One of them, by its place in the list of devices: `opencl0`.
    OpenClAt(usize),
}

impl FromStr for DeviceName {
    type Err = MinerError;

    fn from_str(text: &str) -> Result<Self, MinerError> {
        let unknown = || MinerError::UnknownDevice {
            name: text.to_owned(),
        };
        match text.strip_prefix("opencl") {
            None if text == "cpu" => Ok(Self::Cpu),
            None => Err(unknown()),
            Some("") => Ok(Self::OpenCl),
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number
                .parse()
                .ok()
                .filter(|index| *index <= MAX_INDEX)
                .map(Self::OpenClAt)
                .ok_or_else(unknown),
            Some(_) => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::OpenCl => f.write_str("opencl"),
            Self::OpenClAt(index) => write!(f, "opencl{index}"),
        }
    }
}

/// The devices to mine on: one name at least, none twice. Written as names between commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSelection(Vec<DeviceName>);

impl Default for DeviceSelection {
    /// The processor.
    fn default() -> Self {
        Self(vec![DeviceName::Cpu])
    }
}

impl DeviceSelection {
    /// The devices of these names, each of which may be several between commas.
    ///
    /// # Errors
    /// [`MinerError::UnknownDevice`] for what is no name, [`MinerError::NoDevices`] if there is none.
    pub fn parse<T: AsRef<str>>(names: &[T]) -> Result<Self, MinerError> {
        let names = names.iter().flat_map(|names| names.as_ref().split(','));
        let mut names: Vec<DeviceName> = names
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Err(MinerError::NoDevices);
        }
        Ok(Self(names))
    }

    /// The names in order.
    pub fn names(&self) -> &[DeviceName] {
        &self.0
    }

    /// Whether the processor is among them.
    pub fn has_cpu(&self) -> bool {
        self.0.contains(&DeviceName::Cpu)
    }

    /// Whether a device of OpenCL is among them.
    pub fn has_opencl(&self) -> bool {
        self.0.iter().any(|name| *name != DeviceName::Cpu)
    }
}

impl FromStr for DeviceSelection {
    type Err = MinerError;

    fn from_str(text: &str) -> Result<Self, MinerError> {
        Self::parse(&[text])
    }
}

impl fmt::Display for DeviceSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_lists_and_once() {
        let selection = DeviceSelection::parse(&["opencl1, cpu", "cpu", "opencl1"]).unwrap();
        assert_eq!(
            selection.names(),
            [DeviceName::Cpu, DeviceName::OpenClAt(1)]
        );
        assert_eq!(selection.to_string(), "cpu,opencl1");
        assert!(selection.has_cpu() && selection.has_opencl());
        let all: DeviceSelection = "opencl".parse().unwrap();
        assert!(!all.has_cpu() && all.has_opencl());
        assert_eq!(DeviceSelection::default().to_string(), "cpu");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in [
            "gpu",
            "cpu0",
            "opencl-1",
            "opencl+1",
            "opencl256",
            "opencl99999999999999999999",
            "CPU",
        ] {
            let error = name.parse::<DeviceSelection>().unwrap_err();
            assert!(
                matches!(&error, MinerError::UnknownDevice { name: found } if found == name),
                "{error}"
            );
        }
        assert!(matches!(
            DeviceSelection::parse(&["", ","]),
            Err(MinerError::NoDevices)
        ));
    }
}
