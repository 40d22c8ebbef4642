//! The table as a whole.

use super::{Flag, connection, debug, general, rpc, wallet};

/// All flags.
pub(crate) fn all() -> impl Iterator<Item = &'static Flag> {
    [
        general::FLAGS,
        connection::FLAGS,
        wallet::FLAGS,
        rpc::FLAGS,
        debug::FLAGS,
    ]
    .into_iter()
    .flatten()
}

/// The flag of that name, without the dash.
pub(crate) fn find(name: &str) -> Option<&'static Flag> {
    all().find(|flag| flag.name == name)
}
