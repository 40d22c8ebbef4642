//! Whether the machine runs on its battery.

use std::path::{Path, PathBuf};

use super::files::{entries, number, word};

/// `None` where there is no power supply that tells.
pub(super) fn on_battery(root: &Path) -> Option<bool> {
    let supplies = entries(&root.join("sys/class/power_supply"));
    // A mouse has a battery too.
    let is_of_machine =
        |supply: &&PathBuf| word(&supply.join("scope")).as_deref() != Some("Device");
    let (mut has_mains, mut is_online, mut discharging) = (false, false, None);
    for supply in supplies.iter().filter(is_of_machine) {
        match word(&supply.join("type")).as_deref() {
            Some("Battery") => {
                let status = word(&supply.join("status"));
                let discharges = status.as_deref() == Some("Discharging");
                discharging = Some(discharging.unwrap_or(false) || discharges);
            }
            Some("Mains" | "USB" | "Wireless") => {
                if let Some(online) = number::<u8>(&supply.join("online")) {
                    has_mains = true;
                    is_online |= online > 0;
                }
            }
            _ => {}
        }
    }
    // A machine without a battery has mains or would not run.
    match (discharging, has_mains) {
        (Some(discharging), true) => Some(discharging && !is_online),
        (Some(discharging), false) => Some(discharging),
        (None, true) => Some(false),
        (None, false) => None,
    }
}
