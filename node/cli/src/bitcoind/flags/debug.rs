//! Logging, and what is there for tests.

use super::flag::Fate::{Ignored, Refused, Works};
use super::flag::Group::Debug;
use super::flag::{Flag, Syntax, flag};

const CHECKED_OTHERWISE: &str = "`pyrite db check` checks a database, and the tests check the rest";
const LOG_FORM: &str =
    "lines of the log have one form, with the time in microseconds and the module";
const OLD_LIMITS: &str = "clusters are limited instead, see -limitclustercount";

// A row for each flag.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    flag(Debug, "acceptstalefeeestimates", "", Works("Use old fee estimates; only on regtest (default: 0)")),
    flag(Debug, "capturemessages", "", Ignored("messages are encrypted by libp2p and not written down")),
    flag(Debug, "checkaddrman", "=<n>", Ignored(CHECKED_OTHERWISE)),
    flag(Debug, "checkblockindex", "", Ignored(CHECKED_OTHERWISE)),
    flag(Debug, "checkblocks", "=<n>", Ignored(CHECKED_OTHERWISE)),
    flag(Debug, "checklevel", "=<n>", Ignored(CHECKED_OTHERWISE)),
    flag(Debug, "checkmempool", "=<n>", Ignored(CHECKED_OTHERWISE)),
    flag(Debug, "debug", "=<category>", Works("Log more: all, or of a category of Bitcoin Core's what this node's modules have of it")),
    flag(Debug, "debugexclude", "=<category>", Works("Log no more than usual of a category")),
    flag(Debug, "deprecatedrpc", "=<method>", Works("Bring back what Bitcoin Core took away: startingheight (in getpeerinfo), warnings (as one text); what bip125 and fullrbf stand for is always there")),
    flag(Debug, "help-debug", "", Works("Print this help and exit; it always has the debugging options")),
    flag(Debug, "limitancestorcount", "=<n>", Ignored(OLD_LIMITS)),
    flag(Debug, "limitclustercount", "=<n>", Works("The most unconfirmed transactions that are linked with each other (default and maximum: 64)")),
    flag(Debug, "limitclustersize", "=<n>", Works("The most that they take, in kilobytes (default: 101)")),
    flag(Debug, "limitdescendantcount", "=<n>", Ignored(OLD_LIMITS)),
    flag(Debug, "logips", "", Ignored("addresses of peers are always in the log")),
    flag(Debug, "loglevel", "=<level>|<category>:<level>", Works("With trace, what -debug names is logged in full")).syntax(Syntax::ValueOnly),
    flag(Debug, "loglevelalways", "", Ignored(LOG_FORM)),
    flag(Debug, "logsourcelocations", "", Ignored(LOG_FORM)),
    flag(Debug, "logthreadnames", "", Ignored(LOG_FORM)),
    flag(Debug, "logtimemicros", "", Ignored(LOG_FORM)),
    flag(Debug, "logtimestamps", "", Ignored(LOG_FORM)),
    flag(Debug, "maxsigcachesize", "=<n>", Ignored("which scripts were verified is remembered for the mempool alone")),
    flag(Debug, "maxtipage", "=<n>", Ignored("whether blocks are still being downloaded is told by the headers of peers")),
    flag(Debug, "mocktime", "=<n>", Works("Start with a clock that stands still at this Unix time; only on regtest (default: 0, it goes)")),
    flag(Debug, "printpriority", "", Ignored("what is mined is seen in getblocktemplate")),
    flag(Debug, "printtoconsole", "", Works("Log to the console too (default: 1, or 0 with -daemon)")),
    flag(Debug, "shrinkdebugfile", "", Works("Cut a log file above 11 MB down to its last 10 MB at the start (default: 1 without -debug)")),
    flag(Debug, "stopafterblockimport", "", Ignored("nothing is imported at the start")),
    flag(Debug, "stopatheight", "", Works("Stop when the chain has reached this height (default: 0, never)")),
    flag(Debug, "test", "=<option>", Ignored("these are aids of Bitcoin Core's own tests")),
    flag(Debug, "testactivationheight", "=name@height.", Refused("`pyrite chain new` makes a chain with other heights")),
    flag(Debug, "uacomment", "=<cmt>", Works("Add a comment to what the node calls itself; may be given several times")),
];
