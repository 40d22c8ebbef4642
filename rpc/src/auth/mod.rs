//! Who may call what: the cookie and the users with passwords, the methods that each may call, and the addresses that may
//! connect.

mod cookie;
mod subnet;
mod users;
mod whitelist;

pub(crate) use cookie::{Cookie, OWNER_ONLY};
pub(crate) use subnet::AllowedAddresses;
pub use subnet::{BadSubnet, Subnet};
pub(crate) use users::{Accounts, Caller};
pub use users::{BadUser, RpcUser};
pub(crate) use whitelist::Permission;
pub use whitelist::Whitelists;

#[cfg(test)]
#[path = "auth_fuzz.rs"]
mod fuzz;
